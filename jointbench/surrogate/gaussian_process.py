"""A Gaussian process with a length for each feature, a noise for each kind of observation, and one that observations of
a group share.

Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006: the marginal likelihood (5.8) and its gradient
(5.9), the covariance of Matern 5/2 (4.17), and predictions without a part of the observations (5.12). The gradient by
all lengths takes two matrix products, not an array of rows by rows by features, so that a search over a thousand
observations takes seconds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray

#: Where a search begins: inputs and outputs have variance 1.
_SIGNAL, _LENGTH, _NOISE, _SHARED = 1.0, 6.0, 0.1, 0.03
#: A search stays within these, in which any sensible kernel lies.
_SIGNALS, _LENGTHS, _NOISES = (0.05, 50.0), (0.2, 1e3), (1e-4, 3.0)
#: What is believed before seeing anything: the logarithm of a length is normal around that of `_LENGTH`.
_DEVIATION = 1.5

#: Steps of a search, which takes the cube of what it sees: a kernel is found on so many evaluations, drawn at random.
STEPS, SEARCHED = 20, 1_000
#: Rows that are predicted together.
_TOGETHER = 4096


def searched(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Which of so many observations a kernel is found on, in order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:SEARCHED])


@dataclass(frozen=True)
class Kernel:
    """Variance of the signal, a length for each input (inputs,), variance of the noise for each kind (kinds,).

    `shared`: variance of what all observations of a group have in common beside the signal, such as a configuration's
    at several budgets, of which the inputs know nothing. Without it such observations would confirm each other, and the
    signal would be made to follow them.
    """

    signal: float
    lengths: FloatArray
    noise: FloatArray
    shared: float = 0.0

    @classmethod
    def start(cls, inputs: int, kinds: int) -> "Kernel":
        return cls(_SIGNAL, np.full(inputs, _LENGTH), np.full(kinds, _NOISE))

    def search(
        self,
        x: FloatArray,
        y: FloatArray,
        kind: npt.NDArray[np.int64],
        steps: int = STEPS,
        known: FloatArray | float = 0.0,
        group: npt.NDArray[np.int64] | None = None,
    ) -> "Kernel":
        """The most probable kernel, searched from this one, given outputs y (n, outputs) at inputs x (n, inputs), both
        of mean 0 and variance 1. All outputs share it. `known`: a variance of each observation (n,) that is there
        whatever the noise of its kind. `group` (n,): what shares something. Deterministic.
        """
        from scipy.optimize import minimize

        inputs, kinds = len(self.lengths), len(self.noise)
        shared = [self.shared or _SHARED] if group is not None and len(np.unique(group)) < len(x) else []
        start = np.log(np.concatenate([[self.signal], self.lengths, self.noise, shared]))
        bounds = np.log([_SIGNALS, *[_LENGTHS] * inputs, *[_NOISES] * kinds, *[_NOISES for _ in shared]])

        def loss(logs: FloatArray) -> tuple[float, FloatArray]:
            return _loss(_kernel(logs, inputs, kinds), x, y, kind, known, group if shared else None)

        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
        return _kernel(found.x, inputs, kinds)

    def between(self, x: FloatArray, others: FloatArray) -> FloatArray:
        """Covariances of the signal, (n, m), between inputs (n, inputs) and (m, inputs)."""
        root = np.sqrt(5 * _squares(x / self.lengths, others / self.lengths))
        return np.asarray(self.signal * (1 + root + root * root / 3) * np.exp(-root))


def _kernel(logs: FloatArray, inputs: int, kinds: int | None = None) -> Kernel:
    """Of the logarithms of signal, lengths, noises and, where there are more than those, what is shared."""
    values, last = np.exp(logs), len(logs) if kinds is None else 1 + inputs + kinds
    shared = float(values[last]) if last < len(values) else 0.0
    return Kernel(float(values[0]), values[1 : 1 + inputs], values[1 + inputs : last], shared)


def _squares(a: FloatArray, b: FloatArray) -> FloatArray:
    """Squared distances (n, m)."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    return np.asarray(np.maximum(squares, 0.0))


def _loss(
    kernel: Kernel,
    x: FloatArray,
    y: FloatArray,
    kind: npt.NDArray[np.int64],
    known: FloatArray | float = 0.0,
    group: npt.NDArray[np.int64] | None = None,
) -> tuple[float, FloatArray]:
    """Minus the logarithm of the posterior density, up to a constant, and its gradient by the kernel's logarithms."""
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.lapack import dpotri

    scaled, outputs = x / kernel.lengths, y.shape[1]
    squares = _squares(scaled, scaled)
    np.fill_diagonal(squares, 0.0)
    root = np.sqrt(5 * squares)
    decay = kernel.signal * np.exp(-root)
    signal = (1 + root + root * root / 3) * decay
    covariance = signal.copy()
    covariance.flat[:: len(x) + 1] += kernel.noise[kind] + known
    same = None if group is None else group[:, None] == group
    if same is not None:
        covariance += kernel.shared * same
    factor, _ = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
    solved = cho_solve((factor, True), y, check_finite=False)
    fit = 0.5 * float((y * solved).sum()) + outputs * float(np.log(np.diagonal(factor)).sum())
    inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    pull = solved @ solved.T - outputs * inverse
    by_noise = np.bincount(kind, np.diagonal(pull), minlength=len(kernel.noise)) * kernel.noise
    # d covariance / d log length = signal * 5/3 * (1 + root) * exp(-root) * (difference / length)^2
    weight = pull * ((5 / 3) * (1 + root) * decay)
    by_length = 2 * ((scaled * scaled).T @ weight.sum(axis=1) - (scaled * (weight @ scaled)).sum(axis=0))
    by_shared = [] if same is None else [kernel.shared * float(pull[same].sum())]
    gradient = -0.5 * np.concatenate([[float((pull * signal).sum())], by_length, by_noise, by_shared])
    belief = np.log(kernel.lengths / _LENGTH) / _DEVIATION
    gradient[1 : 1 + len(kernel.lengths)] += belief / _DEVIATION
    return fit + 0.5 * float((belief**2).sum()), gradient


class GaussianProcess:
    """A kernel and the observations that it is conditioned on: x (n, inputs), y (n, outputs), kind (n,); `known` and
    `group` as in `Kernel.search`."""

    def __init__(
        self,
        kernel: Kernel,
        x: FloatArray,
        y: FloatArray,
        kind: npt.NDArray[np.int64],
        known: FloatArray | float = 0.0,
        group: npt.NDArray[np.int64] | None = None,
    ) -> None:
        from scipy.linalg import cho_factor, cho_solve

        self.kernel, self.x, self.observed, self.kind, self.group = kernel, x, y, kind, group
        self.known: FloatArray = np.broadcast_to(known, len(x))
        covariance = kernel.between(x, x)
        covariance.flat[:: len(x) + 1] = kernel.signal + kernel.noise[kind] + known
        if group is not None and kernel.shared:
            covariance += kernel.shared * (group[:, None] == group)
        self._factor, _ = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
        self._solved = cho_solve((self._factor, True), y, check_finite=False)

    def again(self, kernel: Kernel, known: FloatArray | float) -> "GaussianProcess":
        """Of the same observations, with another kernel and another known noise."""
        return GaussianProcess(kernel, self.x, self.observed, self.kind, known, self.group)

    def mean(self, x: FloatArray) -> FloatArray:
        """Expected outputs (m, outputs) at inputs (m, inputs)."""
        parts = range(0, len(x), _TOGETHER)
        said = [self.kernel.between(x[first : first + _TOGETHER], self.x) @ self._solved for first in parts]
        return np.concatenate([*said, np.empty((0, self.observed.shape[1]))])

    def variance(self, x: FloatArray) -> FloatArray:
        """Of the signal (m,) and what a group of its own shares, without noise, the same for all outputs."""
        from scipy.linalg import solve_triangular

        said = []
        for first in range(0, len(x), _TOGETHER):
            between = self.kernel.between(self.x, x[first : first + _TOGETHER])
            known = solve_triangular(self._factor, between, lower=True, overwrite_b=True, check_finite=False)
            said.append(np.maximum(self.kernel.signal - (known * known).sum(axis=0), 0.0) + self.kernel.shared)
        return np.concatenate([*said, np.empty(0)])

    def held_out(self, part: npt.NDArray[np.int64]) -> FloatArray:
        """What the process would say of its own observations (n, outputs) if it had not seen the part (n,) that each
        belongs to, from the one factorisation.
        """
        return self._without(part)[0]

    def apart(self, part: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """How far each observation is above what is said without its part (n, outputs), and the variance that was to be
        expected of it, `known` noise apart (n,)."""
        said, variance = self._without(part)
        return self.observed - said, variance - self.known

    def _without(self, part: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """What `held_out` says (n, outputs), and the variance of an observation around it (n,)."""
        from scipy.linalg.lapack import dpotri

        inverse, _ = dpotri(self._factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        said, variance = np.empty_like(self.observed), np.empty(len(self.observed))
        for number in np.unique(part):
            rows = np.flatnonzero(part == number)
            covariance = np.linalg.inv(inverse[np.ix_(rows, rows)])
            said[rows] = self.observed[rows] - covariance @ self._solved[rows]
            variance[rows] = np.diagonal(covariance)
        return said, variance
