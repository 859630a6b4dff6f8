"""The random challengers of SMAC as plain loops for machine code: `search.ArraySearch` has the same on arrays.

Both have the same random numbers and the same bits. Of ten thousand challengers the ten best are wanted; in the loops
no acquisition value is computed of one that cannot be among them.
"""

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import exp, rint, sqrt
from jointbench.data.machine_code import single
from jointbench.optimizers.kde import GRID
from jointbench.optimizers.smac import climbing
from jointbench.optimizers.smac.climbing import level_of, quantile
from jointbench.optimizers.smac.walking import improvement, leaves_of, moments

#: Challengers that walk down a tree side by side, so that the processor need not wait for one to take its step.
ABREAST = 64
#: Of a challenger that is not among the best; a value is a difference of two numbers in [0, 1].
HOPELESS = -2.0
#: More than what a quantile may be wrong by.
ROUNDING = 1e-5


def place_of(
    number: float, integer: int, cells: int, below: IntArray, border: FloatArray, begin: IntArray, places: FloatArray
) -> float:
    """`Cube.sample` of one uniform number; `integer` which of all integers it is of, -1 of a float."""
    if integer < 0:
        on_grid: float = rint(number / GRID) * GRID
        return on_grid
    place: float = places[begin[integer] + level_of(number, integer, cells, below, border)]
    return place


def keep_best(value: float, count: int, best: FloatArray) -> None:
    """A value into the best (count,), ascending, of which it is more than the least."""
    k = 0
    while k + 1 < count and best[k + 1] < value:
        best[k] = best[k + 1]
        k += 1
    best[k] = value


def hopeless_below(value: float, least: float) -> float:
    """What (least - mean) / deviation is at least where an acquisition value is no lower than this one.

    Of two terms, of which the second is subtracted, the first is e^least times the normal distribution there.
    """
    share = value / exp(least)
    if share < 1e-280:
        return -1e300
    if share > 0.5:
        return -ROUNDING
    return quantile(share) - ROUNDING


def challenge(
    count: int,
    dimensions: int,
    columns: FloatArray,
    integers: IntArray,
    cells: int,
    below: IntArray,
    border: FloatArray,
    begin: IntArray,
    places: FloatArray,
    trees: int,
    roots: IntArray,
    left: IntArray,
    right: IntArray,
    feature: IntArray,
    threshold: FloatArray,
    costs: FloatArray,
    least_variance: float,
    least: float,
    wanted: int,
    best: FloatArray,
    rows: FloatArray,
    leaves: IntArray,
    two: FloatArray,
    values: FloatArray,
) -> None:
    """Makes places of the uniform numbers in `columns` (d, count), and writes the challengers' acquisition values
    (count,): those of the best `wanted`, of all that are as good as these, and of some others; else `HOPELESS`.

    `integers` (d,): of each column which of all integers it is, -1 of a float. What is for its own use: `best`
    (wanted,), `rows` (ABREAST, d), `leaves` (ABREAST, trees) and `two` (2,).
    """
    for k in range(wanted):
        best[k] = HOPELESS
    bar = hopeless_below(best[0], least)
    start = 0
    while start < count:
        size = count - start if count - start < ABREAST else ABREAST
        for column in range(dimensions):
            for p in range(size):
                at = column * count + start + p
                place = place_of(columns[at], integers[column], cells, below, border, begin, places)
                columns[at] = place
                rows[p * dimensions + column] = single(place)
        leaves_of(size, dimensions, rows, trees, roots, left, right, feature, threshold, leaves)
        for p in range(size):
            moments(leaves[p * trees :], trees, costs, least_variance, two)
            values[start + p] = HOPELESS
            if (least - two[0]) / sqrt(two[1]) >= bar:
                value = improvement(two[0], two[1], least)
                values[start + p] = value
                if value > best[0]:
                    keep_best(value, wanted, best)
                    bar = hopeless_below(best[0], least)
        start += ABREAST


#: In the order in which they call each other.
COMPILED = (*climbing.COMPILED, place_of, keep_best, hopeless_below, challenge)
