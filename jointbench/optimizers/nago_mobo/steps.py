"""The steps of chains and the outputs of networks as plain loops, for machine code: `network` is the same on arrays.

Arrays have one dimension here, rows one after the other: chains, then points, then units. In plain Python this takes
minutes; compiled it takes a fraction of what the arrays take, whose small products cost more to call than to compute.
Both have the same bits, since all sums are exact (`arithmetic`).
"""

from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import exp, sqrt, where
from jointbench.data.machine_code import whole
from jointbench.optimizers.nago_mobo.arithmetic import EACH, FARTHEST, KEPT, MOST, ROUNDING, UNIT

STEP, FRICTION = 1e-2, 0.05
#: What is added to a mean square, and the least variance of the noise.
EPSILON, LEAST_NOISE = 1e-10, 1e-16
#: The logarithm of a noise variance stays within this.
WIDEST = 20.0
#: Factors of a step.
_PULL, _SPREAD, _LESS, _KEEP = STEP**2, 2 * STEP**2 * FRICTION, STEP**4, 1 - FRICTION
_TO_GRID = ROUNDING * UNIT


def rounding(largest: Any) -> Any:
    """What `arithmetic.to_kept_bits` adds and subtracts, by the largest of the values."""
    _, power = np.frexp(largest)
    return ROUNDING * np.ldexp(1.0, power - KEPT)


def to_grid(values: FloatArray, rounded: FloatArray, size: int) -> None:
    """`arithmetic.on_grid`."""
    for k in range(size):
        one = where(values[k] > MOST, MOST, values[k])
        one = where(one < -MOST, -MOST, one)
        rounded[k] = (one + _TO_GRID) - _TO_GRID


def keep_bits(values: FloatArray, size: int) -> None:
    """`arithmetic.to_kept_bits`, in place."""
    largest = 0.0
    for k in range(size):
        one = abs(values[k])
        largest = where(one > largest, one, largest)
    # Of zeros any unit is right.
    added = rounding(where(largest > 0.0, largest, 1.0))
    for k in range(size):
        values[k] = (values[k] + added) - added


def bend(values: FloatArray, size: int, table: FloatArray, slopes: FloatArray) -> None:
    """`arithmetic.tanh`, in place."""
    for k in range(size):
        # What is no number is left of the table rather than beside it.
        place = where(values[k] > -FARTHEST, values[k], -FARTHEST)
        place = (where(place < FARTHEST, place, FARTHEST) + FARTHEST) * EACH
        entry = whole(place)
        place = (place - entry) * slopes[entry] + table[entry]
        values[k] = (place + _TO_GRID) - _TO_GRID


def layer(
    chains: int,
    points: int,
    before: int,
    after: int,
    entering: FloatArray,
    apart: int,
    weights: FloatArray,
    stride: int,
    leaving: FloatArray,
) -> None:
    """A layer without its tangent: (chains, points, before) to (chains, points, after); `apart`: rows between what
    enters two chains, 0 where all have the same points; `stride`: weights of a chain."""
    for chain in range(chains):
        matrix = weights[chain * stride :]
        biases = matrix[before * after :]
        for point in range(points):
            row = entering[(chain * apart + point) * before :]
            sums = leaving[(chain * points + point) * after :]
            for unit in range(after):
                sums[unit] = biases[unit]
            for each in range(before):
                factor = row[each]
                of_it = matrix[each * after :]
                for unit in range(after):
                    sums[unit] += factor * of_it[unit]


def layer_gradient(
    chains: int,
    points: int,
    before: int,
    after: int,
    entering: FloatArray,
    apart: int,
    slopes: FloatArray,
    stride: int,
    found: FloatArray,
) -> None:
    """Of a layer's weights, from the slopes (chains, points, after) by what leaves it."""
    for chain in range(chains):
        matrix = found[chain * stride :]
        biases = matrix[before * after :]
        for k in range((before + 1) * after):
            matrix[k] = 0.0
        for point in range(points):
            row = entering[(chain * apart + point) * before :]
            by = slopes[(chain * points + point) * after :]
            for unit in range(after):
                biases[unit] += by[unit]
            for each in range(before):
                factor = row[each]
                of_it = matrix[each * after :]
                for unit in range(after):
                    of_it[unit] += factor * by[unit]


def layer_slopes(
    chains: int,
    points: int,
    before: int,
    after: int,
    slopes: FloatArray,
    weights: FloatArray,
    stride: int,
    found: FloatArray,
) -> None:
    """The slopes (chains, points, before) by what enters a layer, from those by what leaves it."""
    for chain in range(chains):
        matrix = weights[chain * stride :]
        for point in range(points):
            by = slopes[(chain * points + point) * after :]
            sums = found[(chain * points + point) * before :]
            for each in range(before):
                of_it = matrix[each * after :]
                total = 0.0
                for unit in range(after):
                    total += by[unit] * of_it[unit]
                sums[each] = total


def flatten(slopes: FloatArray, bent: FloatArray, size: int) -> None:
    """Slopes by what the tangents gave become those by what they were given, in place."""
    for k in range(size):
        slopes[k] = slopes[k] * (1.0 - bent[k] * bent[k])


def take_steps(
    steps: int,
    adapted: int,
    every: int,
    chains: int,
    layers: int,
    sizes: IntArray,
    begins: IntArray,
    count: int,
    all_points: FloatArray,
    targets: FloatArray,
    known: int,
    batches: IntArray,
    size: int,
    noise: FloatArray,
    free: FloatArray,
    noise_mean: float,
    noise_square: float,
    prior_share: float,
    weights: FloatArray,
    momenta: FloatArray,
    window: FloatArray,
    mean: FloatArray,
    square: FloatArray,
    kept: FloatArray,
    table: FloatArray,
    tangents: FloatArray,
    rounded: FloatArray,
    slope: FloatArray,
    chosen: FloatArray,
    flow: FloatArray,
    flows: IntArray,
    now: FloatArray,
    then: FloatArray,
) -> None:
    """Steps of chains, `Chains.move`, of which the first `adapted` adapt; after each `every` of the others their
    weights go into `kept`.

    `sizes` (layers + 1,): units of each layer, the inputs' first. `begins`: where its weights begin in a chain's
    `count`. `all_points` (known, inputs), `targets` (chains, known), `batches` (steps, size), `noise` (steps, chains,
    count). `flows`: where what enters each layer begins in `flow`, and last the outputs; the rest is room.
    """
    share = known / size
    inputs = sizes[0]
    last = flows[layers]
    for step in range(steps):
        batch = batches[step * size :]
        for point in range(size):
            for each in range(inputs):
                chosen[point * inputs + each] = all_points[batch[point] * inputs + each]
        to_grid(weights, rounded, chains * count)
        layer(chains, size, inputs, sizes[1], chosen, 0, rounded, count, flow[flows[1] :])
        for number in range(1, layers):
            wide = sizes[number]
            bend(flow[flows[number] :], chains * size * wide, table, tangents)
            layer(
                chains,
                size,
                wide,
                sizes[number + 1],
                flow[flows[number] :],
                size,
                rounded[begins[number] :],
                count,
                flow[flows[number + 1] :],
            )
        for chain in range(chains):
            for point in range(size):
                at = 2 * (chain * size + point)
                spread = flow[last + at + 1]
                spread = where(spread > -WIDEST, spread, -WIDEST)
                spread = where(spread < WIDEST, spread, WIDEST)
                precision = exp(-spread)
                apart = flow[last + at] - targets[chain * known + batch[point]]
                now[at] = share * apart * precision
                off = (spread - noise_mean) / (noise_square * size)
                now[at + 1] = share * 0.5 * (1.0 - apart * apart * precision) + off
        for back in range(1, layers):
            number = layers - back
            before = sizes[number]
            after = sizes[number + 1]
            keep_bits(now, chains * size * after)
            entering = flow[flows[number] :]
            layer_gradient(chains, size, before, after, entering, size, now, count, slope[begins[number] :])
            layer_slopes(chains, size, before, after, now, rounded[begins[number] :], count, then)
            flatten(then, entering, chains * size * before)
            for k in range(chains * size * before):
                now[k] = then[k]
        keep_bits(now, chains * size * sizes[1])
        layer_gradient(chains, size, inputs, sizes[1], chosen, 0, now, count, slope)
        drawn = noise[step * chains * count :]
        for chain in range(chains):
            for each in range(count):
                k = chain * count + each
                gradient = (slope[k] + prior_share * weights[k]) * free[each]
                if step < adapted:
                    rate = 1.0 / (window[k] + 1.0)
                    ratio = mean[k] * mean[k] / (square[k] + EPSILON)
                    window[k] += 1.0 - window[k] * ratio
                    mean[k] += rate * (gradient - mean[k])
                    square[k] += rate * (gradient * gradient - square[k])
                inverse = 1.0 / (sqrt(square[k]) + EPSILON)
                variance = _SPREAD * inverse - _LESS
                variance = where(variance > LEAST_NOISE, variance, LEAST_NOISE)
                moved = momenta[k] * _KEEP - _PULL * inverse * gradient
                moved = moved + sqrt(variance) * drawn[k] * free[each]
                momenta[k] = moved
                weights[k] += moved
        if step >= adapted and (step - adapted) % every == every - 1:
            to_grid(weights, kept[(step - adapted) // every * chains * count :], chains * count)


def outputs(
    samples: int,
    points: int,
    layers: int,
    sizes: IntArray,
    begins: IntArray,
    count: int,
    entering: FloatArray,
    weights: FloatArray,
    table: FloatArray,
    tangents: FloatArray,
    now: FloatArray,
    then: FloatArray,
    found: FloatArray,
) -> None:
    """`network.forward` of weights (samples, count) at points (points, inputs), the last alone (samples, points, 2),
    one sample after the other, whose numbers stay in the processor's cache; `now` and `then` are room."""
    for sample in range(samples):
        own = weights[sample * count :]
        layer(1, points, sizes[0], sizes[1], entering, 0, own, count, now)
        for number in range(1, layers):
            bend(now, points * sizes[number], table, tangents)
            layer(1, points, sizes[number], sizes[number + 1], now, 0, own[begins[number] :], count, then)
            for k in range(points * sizes[number + 1]):
                now[k] = then[k]
        for k in range(2 * points):
            found[2 * points * sample + k] = now[k]


def slopes_of_means(
    samples: int,
    points: int,
    layers: int,
    sizes: IntArray,
    begins: IntArray,
    count: int,
    entering: FloatArray,
    weights: FloatArray,
    table: FloatArray,
    tangents: FloatArray,
    flow: FloatArray,
    flows: IntArray,
    now: FloatArray,
    then: FloatArray,
) -> None:
    """Gradients of means by points (points, inputs), left in `now` (samples, points, inputs), where slopes by outputs
    (samples, points, 2) lie before."""
    inputs = sizes[0]
    layer(samples, points, inputs, sizes[1], entering, 0, weights, count, flow[flows[1] :])
    for number in range(1, layers):
        wide = sizes[number]
        bend(flow[flows[number] :], samples * points * wide, table, tangents)
        if number + 1 < layers:
            layer(
                samples,
                points,
                wide,
                sizes[number + 1],
                flow[flows[number] :],
                points,
                weights[begins[number] :],
                count,
                flow[flows[number + 1] :],
            )
    for back in range(layers):
        number = layers - 1 - back
        before = sizes[number]
        keep_bits(now, samples * points * sizes[number + 1])
        layer_slopes(samples, points, before, sizes[number + 1], now, weights[begins[number] :], count, then)
        if number > 0:
            flatten(then, flow[flows[number] :], samples * points * before)
        for k in range(samples * points * before):
            now[k] = then[k]


#: In the order in which they call each other.
COMPILED = (
    *(to_grid, keep_bits, bend, layer, layer_gradient, layer_slopes, flatten),
    *(take_steps, outputs, slopes_of_means),
)
