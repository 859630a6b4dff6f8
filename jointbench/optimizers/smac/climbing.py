"""The local searches of SMAC as plain loops, for machine code: `search.ArraySearch.climb` is the same on arrays.

Arrays have one dimension here, rows one after the other. In plain Python this takes minutes; compiled it takes a
tenth of what the arrays take, since a neighbour is made and looked at where it could be the next point alone. Both
have the same random numbers, which are found by their addresses (`neighbours`), and the same bits.
"""

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import CENTRAL, central_quantile, normal_cdf, outer_quantile, rint
from jointbench.data.machine_code import single, whole
from jointbench.data.splitmix import substream, uniform
from jointbench.optimizers.kde import GRID
from jointbench.optimizers.smac import walking
from jointbench.optimizers.smac.neighbours import (
    DEVIATIONS,
    DRAWS,
    FLOAT,
    NEIGHBOURS,
    NUMBERS,
    ORDER_NUMBER,
    ORDERINGS,
    PRIORITY_BITS,
    PRIORITY_NUMBER,
    RANDOM,
    ROUNDS,
    SMALL,
)
from jointbench.optimizers.smac.walking import box, improvement, moments, move

#: A local search ends after this many neighbourhoods without a better neighbour.
PLATEAUS = 10
#: So many improvements in a row double the deviation, so many plateaus halve it.
TIMEOUT_BUDGETS = 3
#: Of `DEVIATIONS` the one with which a search begins.
FIRST_DEVIATION = 4


def quantile(share: float) -> float:
    offset = share - 0.5
    if abs(offset) <= CENTRAL:
        central: float = central_quantile(offset)
        return central
    outer: float = outer_quantile(share)
    return outer


def level_of(number: float, which: int, cells: int, below: IntArray, border: FloatArray) -> int:
    """`Levels.of` of one number."""
    cell = whole(number * cells) + which * (cells + 1)
    level: int = below[cell]
    if number >= border[cell]:
        level += 1
    return level


def draw_set(
    kind: int,
    number: int,
    key: int,
    widths: FloatArray,
    orders: IntArray,
    places: FloatArray,
    whose: IntArray,
    begin: IntArray,
    cells: int,
    below: IntArray,
    border: FloatArray,
    found: IntArray,
    drawn: IntArray,
    neighbours: IntArray,
) -> None:
    """`Neighbourhoods.sets` of one kind and number: its places into `neighbours` (4,); `found` (4,) and `drawn` (16,)
    are for its own use."""
    state = substream(substream(key, kind), number)
    place = kind // DEVIATIONS
    which = whose[place]
    here = place - begin[which]
    have = 0
    turn = 0
    while turn < ROUNDS and have < NEIGHBOURS:
        width = widths[kind % DEVIATIONS * ROUNDS + turn]
        fresh = 0
        for k in range(DRAWS):
            at = width * quantile(uniform(state, turn * DRAWS + k + 1)) + places[place]
            if at >= 0.0 and at <= 1.0:
                level = level_of(at, which, cells, below, border)
                known = level == here
                j = 0
                while j < have and not known:
                    known = found[j] == level
                    j += 1
                j = 0
                while j < fresh and not known:
                    known = drawn[j] % RANDOM == level
                    j += 1
                if not known:
                    priority = substream(state, PRIORITY_NUMBER + level) >> (64 - PRIORITY_BITS)
                    drawn[fresh] = priority * RANDOM + level
                    fresh += 1
        while fresh > 0 and have < NEIGHBOURS:
            best = 0
            for k in range(1, fresh):
                if drawn[k] < drawn[best]:
                    best = k
            found[have] = drawn[best] % RANDOM
            have += 1
            fresh -= 1
            drawn[best] = drawn[fresh]
        turn += 1
    order = whole(uniform(state, ORDER_NUMBER) * ORDERINGS)
    for k in range(NEIGHBOURS):
        chosen = orders[order * NEIGHBOURS + k]
        neighbours[k] = place
        if chosen < have:
            neighbours[k] = begin[which] + found[chosen]


def climb(
    count: int,
    dimensions: int,
    points: FloatArray,
    where: IntArray,
    values: FloatArray,
    least: float,
    state: int,
    key: int,
    used: IntArray,
    kinds: IntArray,
    deviations: FloatArray,
    widths: FloatArray,
    orders: IntArray,
    small: IntArray,
    places: FloatArray,
    whose: IntArray,
    begin: IntArray,
    cells: int,
    below: IntArray,
    border: FloatArray,
    trees: int,
    roots: IntArray,
    left: IntArray,
    right: IntArray,
    feature: IntArray,
    threshold: FloatArray,
    costs: FloatArray,
    above: FloatArray,
    upto: FloatArray,
    least_variance: float,
    leaves: IntArray,
    rows: FloatArray,
    boxes: FloatArray,
    ends: FloatArray,
    kept: IntArray,
    whole_scratch: IntArray,
    float_scratch: FloatArray,
) -> None:
    """Moves points (count, d) uphill in place, and writes their acquisition values (count,).

    `where` (count, d): of integers which of all places they are. `leaves` (count, trees) of the points. What is for
    its own use: `rows` (count, d), `boxes` and `ends` (2, count, d), `kept` (count, 3), and scratch of 40 + trees
    whole numbers and 2 others.
    """
    tried = whole_scratch[40:]
    size = count * dimensions
    for p in range(count):
        kept[3 * p] = FIRST_DEVIATION
        kept[3 * p + 1] = 0
        kept[3 * p + 2] = 0
        box(
            leaves[p * trees :], trees, dimensions, above, upto, boxes[p * dimensions :], boxes[size + p * dimensions :]
        )
        moments(leaves[p * trees :], trees, costs, least_variance, float_scratch)
        values[p] = improvement(float_scratch[0], float_scratch[1], least)
        for column in range(dimensions):
            rows[p * dimensions + column] = single(points[p * dimensions + column])
            # Not known yet.
            ends[p * dimensions + column] = -1.0
    number = 0
    active = count
    while active > 0:
        active = 0
        for p in range(count):
            if kept[3 * p + 2] < PLATEAUS:
                active += 1
                mine = substream(substream(state, p), number)
                deviation = kept[3 * p]
                scale = deviations[deviation]
                better = 0.0
                better_column = -1
                better_place = 0.0
                better_where = 0
                equal = 0.0
                equal_column = -1
                equal_place = 0.0
                equal_where = 0
                for column in range(dimensions):
                    at = p * dimensions + column
                    first = NUMBERS * column + 1
                    turn = 1.0
                    ready = 0
                    taken = 0
                    if kinds[column] > SMALL:
                        taken = used[where[at] * DEVIATIONS + deviation]
                        used[where[at] * DEVIATIONS + deviation] = taken + 1
                    k = 0
                    while k < NEIGHBOURS:
                        turn = turn * uniform(mine, first + k)
                        if turn <= better:
                            # Its turn comes after that of a better one, as do those of all that follow.
                            k = NEIGHBOURS
                        else:
                            there = 0
                            if kinds[column] == FLOAT:
                                if ends[at] < 0.0:
                                    ends[at] = normal_cdf(-points[at] / scale)
                                    ends[size + at] = normal_cdf((1.0 - points[at]) / scale) - ends[at]
                                share = ends[at] + uniform(mine, first + NEIGHBOURS + k) * ends[size + at]
                                place = points[at] + scale * quantile(share)
                                if place < 0.0:
                                    place = 0.0
                                if place > 1.0:
                                    place = 1.0
                                place = rint(place / GRID) * GRID
                            else:
                                if kinds[column] == SMALL:
                                    if ready == 0:
                                        ready = whole(uniform(mine, first + NEIGHBOURS) * ORDERINGS)
                                        ready = (where[at] * ORDERINGS + ready) * NEIGHBOURS
                                    there = small[ready + k]
                                else:
                                    if ready == 0:
                                        ready = 1
                                        kind = where[at] * DEVIATIONS + deviation
                                        draw_set(
                                            kind,
                                            taken,
                                            key,
                                            widths,
                                            orders,
                                            places,
                                            whose,
                                            begin,
                                            cells,
                                            below,
                                            border,
                                            whole_scratch,
                                            whole_scratch[4:],
                                            whole_scratch[20:],
                                        )
                                    there = whole_scratch[20 + k]
                                place = places[there]
                            if place != points[at]:
                                near = single(place)
                                same = near > boxes[at] and near <= boxes[size + at]
                                if not same:
                                    move(
                                        column,
                                        near,
                                        dimensions,
                                        rows[p * dimensions :],
                                        leaves[p * trees :],
                                        trees,
                                        roots,
                                        left,
                                        right,
                                        feature,
                                        threshold,
                                        above,
                                        upto,
                                        tried,
                                    )
                                    moments(tried, trees, costs, least_variance, float_scratch)
                                    value = improvement(float_scratch[0], float_scratch[1], least)
                                    same = value == values[p]
                                    if value > values[p]:
                                        better = turn
                                        better_column = column
                                        better_place = place
                                        better_where = there
                                if same and turn > equal:
                                    equal = turn
                                    equal_column = column
                                    equal_place = place
                                    equal_where = there
                            k += 1
                improved = better_column >= 0
                if not improved:
                    # Where nothing is better, on to the first neighbour that is as good.
                    better_column = equal_column
                    better_place = equal_place
                    better_where = equal_where
                if better_column >= 0:
                    at = p * dimensions + better_column
                    near = single(better_place)
                    if near <= boxes[at] or near > boxes[size + at]:
                        move(
                            better_column,
                            near,
                            dimensions,
                            rows[p * dimensions :],
                            leaves[p * trees :],
                            trees,
                            roots,
                            left,
                            right,
                            feature,
                            threshold,
                            above,
                            upto,
                            tried,
                        )
                        for tree in range(trees):
                            leaves[p * trees + tree] = tried[tree]
                        box(
                            tried,
                            trees,
                            dimensions,
                            above,
                            upto,
                            boxes[p * dimensions :],
                            boxes[size + p * dimensions :],
                        )
                        moments(tried, trees, costs, least_variance, float_scratch)
                        values[p] = improvement(float_scratch[0], float_scratch[1], least)
                    points[at] = better_place
                    rows[at] = near
                    where[at] = better_where
                    ends[at] = -1.0
                if improved:
                    kept[3 * p + 1] += 1
                    if kept[3 * p + 1] >= TIMEOUT_BUDGETS and kept[3 * p + 2] == 0:
                        kept[3 * p + 1] = 0
                        if deviation < DEVIATIONS - 1:
                            kept[3 * p] = deviation + 1
                else:
                    kept[3 * p + 1] = 0
                    kept[3 * p + 2] += 1
                    if kept[3 * p + 2] % TIMEOUT_BUDGETS == 0 and deviation > 0:
                        kept[3 * p] = deviation - 1
                if kept[3 * p] != deviation:
                    for column in range(dimensions):
                        ends[p * dimensions + column] = -1.0
        number += 1


#: In the order in which they call each other.
COMPILED = (*walking.COMPILED, quantile, level_of, draw_set, climb)
