"""What the forest of SMAC says of points, and of what lies beside them, as plain loops for machine code.

`forest.ExactForest` and `search.ArraySearch` have the same on arrays, with the same bits. Arrays have one dimension
here, rows one after the other.
"""

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import exp, normal_cdf, sqrt


def improvement(mean: float, variance: float, least: float) -> float:
    """`ArraySearch._exact`."""
    deviation = sqrt(variance)
    scaled = (least - mean) / deviation
    value: float = exp(least) * normal_cdf(scaled) - exp(0.5 * variance + mean) * normal_cdf(scaled - deviation)
    return value


def leaf_of(
    node: int, row: FloatArray, left: IntArray, right: IntArray, feature: IntArray, threshold: FloatArray
) -> int:
    """The leaf of a row (d,) in single precision, from a node on."""
    while left[node] != node:
        node = left[node] if row[feature[node]] <= threshold[node] else right[node]
    return node


def leaves_of(
    count: int,
    dimensions: int,
    rows: FloatArray,
    trees: int,
    roots: IntArray,
    left: IntArray,
    right: IntArray,
    feature: IntArray,
    threshold: FloatArray,
    leaves: IntArray,
) -> None:
    """The leaves (count, trees) of rows (count, d) in single precision."""
    for tree in range(trees):
        for p in range(count):
            leaves[p * trees + tree] = roots[tree]
        # A leaf leads to itself, and a child has a larger number than its parent: all stand still when the sum does.
        before = -1
        after = 0
        while after > before:
            before = after
            after = 0
            for p in range(count):
                node = leaves[p * trees + tree]
                node = left[node] if rows[p * dimensions + feature[node]] <= threshold[node] else right[node]
                leaves[p * trees + tree] = node
                after += node


def moments(leaves: IntArray, trees: int, costs: FloatArray, least_variance: float, into: FloatArray) -> None:
    """`ExactForest.moments` of one point."""
    total = costs[leaves[0]]
    for tree in range(1, trees):
        total += costs[leaves[tree]]
    mean = total / trees
    squares = 0.0
    for tree in range(trees):
        apart = costs[leaves[tree]] - mean
        squares += apart * apart
    variance = squares / trees
    into[0] = mean
    into[1] = variance
    if variance < least_variance:
        into[1] = least_variance


def move(
    column: int,
    place: float,
    dimensions: int,
    row: FloatArray,
    leaves: IntArray,
    trees: int,
    roots: IntArray,
    left: IntArray,
    right: IntArray,
    feature: IntArray,
    threshold: FloatArray,
    above: FloatArray,
    upto: FloatArray,
    into: IntArray,
) -> None:
    """`ExactForest.leaves_beside` of one point: of a row (d,) in single precision with such leaves, moved."""
    before = row[column]
    row[column] = place
    for tree in range(trees):
        leaf = leaves[tree]
        if place <= above[leaf * dimensions + column] or place > upto[leaf * dimensions + column]:
            leaf = leaf_of(roots[tree], row, left, right, feature, threshold)
        into[tree] = leaf
    row[column] = before


def box(
    leaves: IntArray,
    trees: int,
    dimensions: int,
    above: FloatArray,
    upto: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> None:
    """`ExactForest.box` of one point."""
    for column in range(dimensions):
        low[column] = above[leaves[0] * dimensions + column]
        high[column] = upto[leaves[0] * dimensions + column]
        for tree in range(1, trees):
            at = leaves[tree] * dimensions + column
            if above[at] > low[column]:
                low[column] = above[at]
            if upto[at] < high[column]:
                high[column] = upto[at]


#: In the order in which they call each other.
COMPILED = (improvement, leaf_of, leaves_of, moments, move, box)
