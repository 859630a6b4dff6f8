"""On which scale a metric of any task is modelled, and how a cost is: what follows from the metric and from a log."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.exact import clip, exp, log, rint
from jointbench.data.metrics import MOST, Metric
from jointbench.data.numbers import json_float
from jointbench.data.spaces.facts import Facts
from jointbench.surrogate.cost_model import relative_weights, weighted
from jointbench.surrogate.noise import ErrorScale, Noise

Kind = Literal["logit", "log", "linear"]

#: A logit between bounds is taken where what was seen spans this share of what is between them.
_SPANNED = 0.01
#: A logarithm is taken where the largest value is so many times the smallest one.
_DECADE = 10.0
#: Draws in a value between bounds as an error counted on so many images is, so that both bounds stay finite.
_BOUNDED = ErrorScale(10_000)

#: Larger numbers have squares, and sums of these over a log, that are none.
LARGEST = 1e140
#: Values differ whose deviation is more than this, and than this share of the largest.
_SMALLEST, _SMALLEST_SHARE = 1e-140, 1e-9

#: Skewnesses closer than this are the same.
_SAME = 1e-9

#: What stands for numbers beyond all that was seen, in deviations.
_FARTHEST = 50.0


def _leans_right(values: FloatArray) -> bool:
    """Whether the logarithms of values (n,) lie no less evenly around their middle than the values do. Losses between
    a decade's ends that do not are explained worse on a logarithmic scale (docs/importing.md)."""

    def skewness(of: FloatArray) -> float:
        apart = of - of.mean()
        spread = float(np.sqrt((apart**2).mean()))
        return abs(float((apart**3).mean())) / spread**3 if spread > 0 else 0.0

    return skewness(np.log(values)) <= skewness(values) + _SAME


class Scale(Protocol):
    """From losses (a metric's values, those that are maximised with the other sign) to what models learn and back. The
    latter are called logits, which is what they are of an error, whatever the scale."""

    def to_logit(self, loss: Any) -> Any: ...

    def from_logit(self, z: Any) -> Any: ...

    def slope(self, loss: Any) -> Any:
        """Units of the logit for a unit of loss, at `loss`."""

    def counted(self, noise: Noise, loss: Any, normal: Any) -> Any:
        """As it is measured, moved by a standard normal draw where measuring has luck of its own."""


@dataclass(frozen=True)
class MetricScale:
    """A logit between `low` and `high`, a logarithm, or the value itself, less a `mean` over a `deviation`.

    `maximize`: losses are values with the other sign; `whole`: values are whole numbers. Raises InputError for what no
    log gives.
    """

    kind: Kind
    low: float
    high: float
    mean: float
    deviation: float
    maximize: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("logit", "log", "linear"):
            raise InputError("kind of a scale", self.kind, "logit, log or linear")
        for name in ("maximize", "whole"):
            if type(getattr(self, name)) is not bool:
                raise InputError(f"{name} of a scale", getattr(self, name), "true or false")
        for name in ("low", "high", "mean", "deviation"):
            if type(getattr(self, name)) is not float or math.isnan(getattr(self, name)):
                raise InputError(f"{name} of a scale", getattr(self, name), "a number")
        spread = self.high - self.low
        if not self.low <= self.high or not (math.isfinite(self.mean) and 0 < self.deviation < math.inf):
            raise InputError("scale", str(self), "bounds in their order, and a deviation above 0")
        if (self.kind == "logit" and not 0 < spread < math.inf) or (self.kind == "log" and not self.low > 0):
            raise InputError("scale", str(self), f"bounds that fit a {self.kind}")

    @classmethod
    def fit(cls, metric: Metric, values: FloatArray, *, ratio: bool = False) -> "MetricScale":
        """From the values (n,) of a log, none missing: of a metric that is bounded on both sides and fills a part of
        what is between the logit; the logarithm of one that is a `ratio`, or is positive, spans a decade and is no
        more skewed by its logarithms than by itself; else itself. Raises InputError for a value beyond LARGEST."""
        low, high = (end if abs(end) < MOST else math.copysign(math.inf, end) for end in metric.bounds)
        least, most = float(values.min()), float(values.max())
        if max(-least, most) > LARGEST:
            far = least if -least > most else most
            raise InputError(f"metric {metric.name}", far, f"values between {-LARGEST:g} and {LARGEST:g}")
        kind: Kind = "linear"
        if most - least >= _SPANNED * (high - low):
            kind = "logit"
        elif (
            low >= 0
            and (positive := values[values > 0]).size
            and (ratio or (most >= _DECADE * float(positive.min()) and _leans_right(positive)))
        ):
            kind = "log"
            # Nought has no logarithm: the smallest that was seen stands for it.
            low = max(low, float(positive.min()) / _DECADE)
        made = cls(kind, float(low), float(high), 0.0, 1.0, metric.maximize, metric.whole)
        learned = made.to_logit(metric.losses(values))
        deviation = float(learned.std())
        # What never differs is known.
        differs = deviation > max(_SMALLEST, _SMALLEST_SHARE * float(np.abs(learned).max()))
        return cls(
            kind,
            made.low,
            made.high,
            float(learned.mean()),
            deviation if differs else 1.0,
            metric.maximize,
            metric.whole,
        )

    @property
    def _sign(self) -> int:
        return -1 if self.maximize else 1

    def to_logit(self, loss: Any) -> Any:
        value = clip(self._sign * loss, self.low, self.high)
        if self.kind == "logit":
            value = _BOUNDED.to_logit((value - self.low) / (self.high - self.low))
        elif self.kind == "log":
            value = log(value)
        return (self._sign * value - self.mean) / self.deviation

    def from_logit(self, z: Any) -> Any:
        value = self._sign * (clip(z, -_FARTHEST, _FARTHEST) * self.deviation + self.mean)
        if self.kind == "logit":
            value = self.low + (self.high - self.low) * _BOUNDED.from_logit(value)
        elif self.kind == "log":
            value = exp(value)
        if self.whole:
            value = rint(clip(value, -(2.0**50), 2.0**50))
        return self._sign * clip(value, self.low, self.high)

    def slope(self, loss: Any) -> Any:
        value = clip(self._sign * loss, self.low, self.high)
        if self.kind == "logit":
            spread = self.high - self.low
            return _BOUNDED.slope((value - self.low) / spread) / spread / self.deviation
        return (1 / value if self.kind == "log" else 1.0) / self.deviation

    def counted(self, noise: Noise, loss: Any, normal: Any) -> Any:
        return loss

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no infinity."""
        ends = {name: end if math.isfinite(end) else None for name in ("low", "high") for end in [getattr(self, name)]}
        return asdict(self) | ends

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "MetricScale":
        ends = {
            name: beyond if content[name] is None else content[name]
            for name, beyond in (("low", -math.inf), ("high", math.inf))
        }
        return cls(**{name: json_float(value) for name, value in {**content, **ends}.items()})


@dataclass(frozen=True)
class CostScale:
    """Of a cost that counts even where an evaluation failed: its ratio to the usual one, on `scale`.

    `law`: weights, none negative, of what an evaluation usually costs for each unit of budget, as a sum over
    [1, FLOPs, parameters, activations] where the space tells them, else over [1]; None: the usual cost is 1. The
    budget itself is what is usual of seconds where it is counted in them.
    """

    name: str
    law: tuple[float, ...] | None
    scale: MetricScale

    def usual(self, budget: Any, facts: Facts | None) -> Any:
        return 1.0 if self.law is None else budget * weighted(self.law, _terms(facts, len(self.law)))

    @classmethod
    def fit(
        cls, metric: Metric, values: FloatArray, budgets: FloatArray, facts: Facts | None, *, is_budget: bool
    ) -> "CostScale":
        """From the values (n,) of a log at budgets (n,); `is_budget`: whether the budget is counted in it."""
        law: tuple[float, ...] | None = None
        if is_budget:
            law = (1.0,)
        elif metric.unit == "seconds" and (values > 0).all():
            law = relative_weights(_terms(facts, 4 if facts is not None else 1), values / budgets)
        usual = cls(metric.name, law, _ANY).usual(budgets, facts)
        bounds = metric.bounds if law is None else (0.0, math.inf)
        plain = replace(metric, maximize=False, bounds=bounds, failure=None, default=None)
        return cls(metric.name, law, MetricScale.fit(plain, np.asarray(values / usual), ratio=law is not None))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "CostScale":
        """Raises InputError for weights that are none."""
        law, name = content["law"], content["name"]
        if law is not None:
            law = [*map(json_float, law)]
            if len(law) not in (1, 4) or not all(type(w) is float and 0 <= w < 1e30 for w in law) or not any(law):
                raise InputError(f"law of {name}", law, "1 or 4 weights of at least 0, not all of them nought")
            law = tuple(law)
        return cls(str(name), law, MetricScale.from_dict(content["scale"]))

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "law": self.law, "scale": self.scale.as_dict()}


_ANY = MetricScale("linear", -math.inf, math.inf, 0.0, 1.0)


def _terms(facts: Facts | None, count: int) -> tuple[Any, ...]:
    if count == 1 or facts is None:
        return (1.0,)
    return 1.0, facts.flops, facts.parameters, facts.activations


@dataclass(frozen=True)
class Measures:
    """What is modelled of a task's evaluations: `metrics`, the objective first, each on its scale of `scales`, and
    `costs`. Exact metrics are not, nor those that some evaluation of the log lacks."""

    metrics: tuple[Metric, ...]
    scales: tuple[MetricScale, ...]
    costs: tuple[CostScale, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "metrics": {metric.name: scale.as_dict() for metric, scale in zip(self.metrics, self.scales, strict=True)},
            "costs": [cost.as_dict() for cost in self.costs],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], metrics: Sequence[Metric]) -> "Measures":
        """Of a task of these metrics. Raises InputError, KeyError or TypeError for what is none."""
        known = {metric.name: metric for metric in metrics}
        scales = content["metrics"]
        if not scales or next(iter(scales)) != metrics[0].name:
            raise InputError("modelled metrics", list(scales), f"{metrics[0].name} first, the objective")
        return cls(
            tuple(known[name] for name in scales),
            tuple(MetricScale.from_dict(scale) for scale in scales.values()),
            tuple(CostScale.from_dict(cost) for cost in content["costs"]),
        )
