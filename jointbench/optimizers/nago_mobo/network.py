"""Bayesian neural networks with input-dependent noise, sampled by adaptive stochastic-gradient Hamiltonian Monte Carlo.

After Springenberg et al. 2016 (Bayesian Optimization with Robust Bayesian Neural Networks) and the defaults of pybnn,
on which NAGO built. Chains are independent and computed side by side: several of one objective, and of all objectives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import exp, log
from jointbench.data.machine_code import MachineCode, compiled
from jointbench.optimizers.nago_mobo.arithmetic import normals, on_grid, tanh, tanh_table, to_kept_bits
from jointbench.optimizers.nago_mobo.steps import (
    COMPILED,
    EPSILON,
    FRICTION,
    LEAST_NOISE,
    STEP,
    WIDEST,
    outputs,
    slopes_of_means,
    take_steps,
)

#: Which points.
Places = npt.NDArray[np.intp]

#: Published: pybnn's, a noise of 0.1 % of the targets' spread, give or take a tenth, and a weight prior divided by the
#: number of weights. Repaired: a noise variance of 0.1, give or take a factor of e^2, and standard normal weights.
Priors = Literal["repaired", "published"]

#: Units of each hidden layer (NAGO, appendix; three layers of 10, tanh).
HIDDEN = (10, 10, 10)
BATCH, KEEP_EVERY = 20, 10
#: So many compiled steps at a time, whose random numbers fit into a processor's cache.
_AT_ONCE = 32
#: Points are predicted so many at a time, which fit into a processor's cache.
_TOGETHER = 128


class NoisePrior(NamedTuple):
    """Of the logarithm of the noise's variance: its mean and standard deviation; `share`: of the weights' prior."""

    mean: float
    deviation: float
    share: float


def noise_prior(priors: Priors, weights: int) -> NoisePrior:
    if priors == "published":
        return NoisePrior(float(log(1e-6)), 0.1, 1.0 / weights)
    return NoisePrior(float(log(0.1)), 2.0, 1.0)


class Scaling(NamedTuple):
    """Of columns: what is subtracted, and what they are divided by then; a constant column is left at 0."""

    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> "Scaling":
        """Of values (n, columns)."""
        mean = np.add.reduce(values, axis=0) / len(values)
        deviation = np.sqrt(np.add.reduce(np.square(values - mean), axis=0) / len(values))
        return cls(mean, np.where(deviation > 1e-12, deviation, 1.0))

    def __call__(self, values: FloatArray) -> FloatArray:
        return (values - self.mean) / self.deviation


class Layers:
    """Where the weights of a network lie in a row of all of them."""

    def __init__(self, inputs: int, hidden: Sequence[int] = HIDDEN) -> None:
        sizes = (inputs, *hidden, 2)
        self.shapes = list(pairwise(sizes))
        self.count = sum((before + 1) * after for before, after in self.shapes)
        #: Units of each layer, the inputs' first, and where its weights begin.
        self.sizes = np.array(sizes)
        self.begins = np.cumsum([0, *((before + 1) * after for before, after in self.shapes)])[:-1]

    def flows(self, rows: int) -> IntArray:
        """Where what enters each layer begins, and last the outputs, of so many points of chains, one after the other
        without the inputs."""
        return np.cumsum([0, 0, *(rows * self.sizes[1:-1])])

    def split(self, weights: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Weights (chains, before, after) and biases (chains, 1, after) of each layer, views of (chains, count)."""
        found, at = [], 0
        for before, after in self.shapes:
            end = at + before * after
            matrix = weights[:, at:end].reshape(len(weights), before, after)
            found.append((matrix, weights[:, end : end + after].reshape(len(weights), 1, after)))
            at = end + after
        return found


def forward(layers: Layers, weights: FloatArray, points: FloatArray) -> list[FloatArray]:
    """The inputs of each layer, and last the outputs (chains, n, 2): means and logarithms of the noise's variance.

    `weights` (chains, count) and `points`, (n, inputs) or (chains, n, inputs), are on the grid.
    """
    flow, parts = [points], layers.split(weights)
    for number, (matrix, bias) in enumerate(parts):
        summed = np.matmul(flow[-1], matrix)
        summed += bias
        flow.append(tanh(summed) if number + 1 < len(parts) else summed)
    return flow


def backward(layers: Layers, weights: FloatArray, flow: Sequence[FloatArray], slopes: FloatArray) -> FloatArray:
    """Gradients (chains, count) of a sum over points, from its slopes by the outputs (chains, n, 2)."""
    found, parts = [np.empty(0)] * (2 * len(layers.shapes)), layers.split(weights)
    for number in reversed(range(len(parts))):
        slopes = to_kept_bits(slopes)
        entering, chains = flow[number], len(weights)
        found[2 * number] = np.matmul(np.swapaxes(entering, -1, -2), slopes).reshape(chains, -1)
        found[2 * number + 1] = slopes.sum(axis=1)
        if number:
            slopes = np.matmul(slopes, np.swapaxes(parts[number][0], -1, -2))
            slopes *= 1 - entering * entering
    return np.concatenate(found, axis=1)


@dataclass
class Chains:
    """The states of chains, (chains, count) each: weights, momenta, and what the sampler adapts by in its burn-in."""

    weights: FloatArray
    momenta: FloatArray
    window: FloatArray
    mean: FloatArray
    square: FloatArray

    @classmethod
    def begin(
        cls, layers: Layers, chains: int, prior: NoisePrior, free: FloatArray, rng: np.random.Generator
    ) -> "Chains":
        """Normal weights of variance 1 / inputs of their layer; biases of 0, but the noise's, which has its prior's."""
        weights = normals(rng, (chains, layers.count))
        for (before, _), (matrix, bias) in zip(layers.shapes, layers.split(weights), strict=True):
            matrix /= np.sqrt(float(before))
            bias[:] = 0.0
        weights *= free
        weights[:, -1] = prior.mean
        ones = np.ones_like(weights)
        return cls(weights, np.zeros_like(weights), ones.copy(), ones.copy(), ones.copy())


class BayesianNetworks:
    """Networks of several targets, fitted to points together.

    `samples` are kept of each target, by `chains` chains that go on after a burn-in of `burn_in` steps, every 10th
    step; a later fit goes on from the last one's states with a burn-in of `again` steps. Without `heteroscedastic` the
    noise is one number. Deterministic given the generator, on every machine.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        priors: Priors = "repaired",
        chains: int = 4,
        samples: int = 100,
        burn_in: int = 3000,
        again: int = 100,
        heteroscedastic: bool = True,
    ) -> None:
        self.rng, self.priors, self.chains = rng, priors, chains
        self.each = -(-samples // chains)
        self.burn_in, self.again, self.heteroscedastic = burn_in, again, heteroscedastic
        self._states: Chains | None = None
        self._machine_code = compiled(COMPILED)

    def fit(self, points: FloatArray, targets: FloatArray) -> None:
        """To points (n, inputs) and targets (n, targets)."""
        self.inputs, self.outputs = Scaling.of(points), Scaling.of(targets)
        self.layers = Layers(points.shape[1])
        self.prior = noise_prior(self.priors, self.layers.count)
        self._free = np.ones(self.layers.count)
        if not self.heteroscedastic:
            # The noise does not hang on the last hidden layer.
            self._free[self.layers.split(np.arange(float(self.layers.count))[None])[-1][0][0, :, 1].astype(int)] = 0.0
        self._points = on_grid(self.inputs(points))
        self._targets = np.repeat(self.outputs(targets).T, self.chains, axis=0)
        steps, chains = self.again, len(self._targets)
        if self._states is None or len(self._states.weights) != chains or not np.isfinite(self._states.weights).all():
            self._states = Chains.begin(self.layers, chains, self.prior, self._free, self.rng)
            steps = self.burn_in
        kept = self._steps(self._states, self._batches(steps + self.each * KEEP_EVERY), steps)
        #: (targets, samples, count)
        self.samples = np.stack(kept, axis=1).reshape(targets.shape[1], -1, self.layers.count)

    def _steps(self, state: Chains, batches: list[Places], adapted: int) -> list[FloatArray]:
        """Take steps, of which the first `adapted` adapt; the weights on the grid after every 10th of the others."""
        if self._machine_code is not None:
            return self._steps_compiled(self._machine_code, state, batches, adapted)
        kept = []
        for step, batch in enumerate(batches):
            self._move(state, batch, adapt=step < adapted)
            if step >= adapted and (step - adapted) % KEEP_EVERY == KEEP_EVERY - 1:
                kept.append(on_grid(state.weights))
        return kept

    def _steps_compiled(
        self, code: MachineCode, state: Chains, batches: list[Places], adapted: int
    ) -> list[FloatArray]:
        """As `_steps`."""
        (chains, count), (known, inputs), size = state.weights.shape, self._points.shape, len(batches[0])
        layers = self.layers
        widest = chains * size * int(layers.sizes.max())
        kept = np.empty((self.each, chains, count))
        for begin in range(0, len(batches), _AT_ONCE):
            some = np.array(batches[begin : begin + _AT_ONCE])
            code(
                take_steps,
                *(len(some), adapted - begin, KEEP_EVERY, chains, len(layers.shapes), layers.sizes, layers.begins),
                *(count, self._points, self._targets, known, some, size),
                *(normals(self.rng, (len(some), chains, count)), self._free),
                *(self.prior.mean, self.prior.deviation**2, self.prior.share),
                *(state.weights, state.momenta, state.window, state.mean, state.square, kept, *tanh_table()),
                *(np.empty_like(state.weights), np.empty_like(state.weights), np.empty(size * inputs)),
                *(np.empty(chains * size * int(layers.sizes[1:].sum())), layers.flows(chains * size)),
                *(np.empty(widest), np.empty(widest)),
            )
        return list(kept)

    def _batches(self, steps: int) -> list[Places]:
        """Of 20 points, or all: the points are shuffled, and again when they have been gone through."""
        count = len(self._points)
        size = min(BATCH, count)
        passes = -(-steps // (count // size))
        shuffled = (self.rng.permutation(count)[: count // size * size].reshape(-1, size) for _ in range(passes))
        return [batch for one in shuffled for batch in one][:steps]

    def gradient(self, weights: FloatArray, batch: Places) -> FloatArray:
        """Of the energy (chains, count): n times the batch's mean negative log likelihood, less the log prior."""
        rounded, chosen = on_grid(weights), len(batch)
        flow = forward(self.layers, rounded, self._points[batch])
        means, logs = flow[-1][..., 0], np.minimum(np.maximum(flow[-1][..., 1], -WIDEST), WIDEST)
        precision, apart = exp(-logs), means - self._targets[:, batch]
        slopes = np.empty_like(flow[-1])
        share = len(self._points) / chosen
        slopes[..., 0] = share * apart * precision
        # Half of what the likelihood says, and the prior of the batch's mean.
        off = (logs - self.prior.mean) / (self.prior.deviation**2 * chosen)
        slopes[..., 1] = share * 0.5 * (1 - apart * apart * precision) + off
        found = backward(self.layers, rounded, flow, slopes)
        found += self.prior.share * weights
        return found

    def energy(self, weights: FloatArray, batch: Places) -> FloatArray:
        """What `gradient` is the gradient of, up to a constant: (chains,)."""
        flow = forward(self.layers, on_grid(weights), self._points[batch])
        means, logs = flow[-1][..., 0], flow[-1][..., 1]
        apart = means - self._targets[:, batch]
        likelihood = 0.5 * (apart * apart * exp(-logs) + logs).mean(axis=1) * len(self._points)
        noise = 0.5 * np.square((logs - self.prior.mean) / self.prior.deviation).mean(axis=1)
        return np.asarray(likelihood + noise + 0.5 * self.prior.share * np.square(weights).sum(axis=1))

    def _move(self, state: Chains, batch: Places, *, adapt: bool) -> None:
        """A step of Springenberg et al. (2016), equations 7 to 10, as pybnn has it."""
        slope = self.gradient(state.weights, batch)
        slope *= self._free
        if adapt:
            rate = 1 / (state.window + 1)
            ratio = state.mean * state.mean
            ratio /= state.square + EPSILON
            state.window += 1 - state.window * ratio
            state.mean += rate * (slope - state.mean)
            state.square += rate * (slope * slope - state.square)
        inverse = 1 / (np.sqrt(state.square) + EPSILON)
        variance = np.maximum((2 * STEP**2 * FRICTION) * inverse - STEP**4, LEAST_NOISE)
        state.momenta *= 1 - FRICTION
        state.momenta -= STEP**2 * inverse * slope
        state.momenta += np.sqrt(variance) * normals(self.rng, slope.shape) * self._free
        state.weights += state.momenta

    def outputs_at(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each sample at points (n, inputs): means and noise variances, (targets, samples, n), of targets that are
        standardised as `outputs` does."""
        rounded = on_grid(self.inputs(points))
        parts = [self._outputs(rounded[begin : begin + _TOGETHER]) for begin in range(0, len(rounded), _TOGETHER)]
        raw = np.concatenate(parts, axis=1).reshape(*self.samples.shape[:2], len(points), 2)
        noise = exp(np.minimum(np.maximum(raw[..., 1], -WIDEST), WIDEST))
        return raw[..., 0], noise

    def _outputs(self, rounded: FloatArray) -> FloatArray:
        """Of all samples (samples, n, 2) at points (n, inputs) on the grid."""
        flat, layers = self.samples.reshape(-1, self.layers.count), self.layers
        if self._machine_code is None:
            return forward(layers, flat, rounded)[-1]
        found, room = np.empty((len(flat), len(rounded), 2)), len(rounded) * int(layers.sizes.max())
        self._machine_code(
            outputs,
            *(len(flat), len(rounded), len(layers.shapes), layers.sizes, layers.begins, layers.count),
            *(np.ascontiguousarray(rounded), flat, *tanh_table(), np.empty(room), np.empty(room), found),
        )
        return found

    def slopes_at(self, points: FloatArray) -> FloatArray:
        """Gradients (targets, n, inputs) of the mean over samples by points (n, inputs), standardised as above."""
        slopes = self._slopes(on_grid(self.inputs(points))).reshape(*self.samples.shape[:2], *points.shape)
        return np.asarray(np.add.reduce(slopes, axis=1) / slopes.shape[1] / self.inputs.deviation)

    def _slopes(self, rounded: FloatArray) -> FloatArray:
        """Gradients (samples, n, inputs) of each sample's mean at points (n, inputs) on the grid."""
        flat, layers = self.samples.reshape(-1, self.layers.count), self.layers
        slopes = np.zeros((len(flat), len(rounded), 2))
        slopes[..., 0] = 1.0
        if self._machine_code is not None:
            rows = len(flat) * len(rounded)
            room = rows * int(layers.sizes.max())
            now, then = np.empty(room), np.empty(room)
            now[: slopes.size] = slopes.ravel()
            self._machine_code(
                slopes_of_means,
                *(len(flat), len(rounded), len(layers.shapes), layers.sizes, layers.begins, layers.count),
                *(rounded, flat, *tanh_table(), np.empty(rows * int(layers.sizes[1:-1].sum()))),
                *(layers.flows(rows), now, then),
            )
            return now[: rows * rounded.shape[1]].reshape(len(flat), *rounded.shape)
        flow, parts = forward(layers, flat, rounded), layers.split(flat)
        for number in reversed(range(len(parts))):
            slopes = np.matmul(to_kept_bits(slopes), np.swapaxes(parts[number][0], -1, -2))
            if number:
                slopes *= 1 - flow[number] * flow[number]
        return slopes


class Prediction(NamedTuple):
    """At points, (targets, n) each, standardised: means, and the variances of what is not known and of noise."""

    mean: FloatArray
    epistemic: FloatArray
    noise: FloatArray

    @property
    def deviation(self) -> FloatArray:
        return np.sqrt(self.epistemic + self.noise)


def predicted(means: FloatArray, noise: FloatArray) -> Prediction:
    """From the outputs of samples: the mean, its variance over samples, and the mean noise."""
    count = means.shape[1]
    mean = np.add.reduce(means, axis=1) / count
    spread = np.add.reduce(np.square(means - mean[:, None]), axis=1) / count
    return Prediction(mean, spread, np.add.reduce(noise, axis=1) / count)
