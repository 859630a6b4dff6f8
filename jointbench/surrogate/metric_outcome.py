"""From what the trees say to what happens in a task of any metrics."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.data.exact import clip, normal_quantile, where
from jointbench.data.ladder import Ladder
from jointbench.surrogate.answer import STATUSES
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.outcome import OutcomeModel
from jointbench.surrogate.scales import Measures

_OK = STATUSES.index(Status.OK)


class MetricOutcome(NamedTuple):
    """Values by the names of the metrics; the number of the status in `STATUSES`; of one configuration numbers, of a
    batch columns (n,)."""

    metrics: dict[str, Any]
    status: Any
    failure_probability: Any


class MetricOutcomes(OutcomeModel):
    """An `OutcomeModel` whose errors are the losses of the metrics of a task, each on its own scale and with its own
    luck, and whose costs are those that the task has."""

    def __init__(
        self,
        ladder: Ladder,
        measures: Measures,
        members: int,
        noise: Noise,
        odds: Mapping[Status, tuple[float, float]],
        distilled: bool = False,
    ) -> None:
        self.distilled, self.ladder, self.noise, self.members = distilled, ladder, noise, members
        self.bounds, self.collapse = None, None
        self.measures = measures
        self.scales = measures.scales
        self.costs = tuple(cost.name for cost in measures.costs)
        self._odds = [(STATUSES.index(kind), slope, offset) for kind, (slope, offset) in odds.items()]

    @property
    def draws(self) -> int:
        return len(self.scales) + 1

    @property
    def names(self) -> tuple[str, ...]:
        """Of what is answered."""
        known = [metric.name for metric in self.measures.metrics] + list(self.costs)
        main = "training_seconds" if "training_seconds" in known else "wall_seconds"
        clock = [main] * (self.ladder.unit == "seconds") + ["wall_seconds"] * (main == "training_seconds")
        return tuple(dict.fromkeys([*known, *clock]))

    def usual_costs(self, at: Mapping[str, Any], facts: Any, budget: Any) -> tuple[Any, ...]:
        return tuple(cost.usual(budget, facts) for cost in self.measures.costs)

    def outcome(
        self,
        outputs: Sequence[Any] | FloatArray,
        at: Mapping[str, Any],
        facts: Any,
        budget: Any,
        uniforms: list[Any] | None,
    ) -> MetricOutcome:
        first, count = self.first_cost, len(self.costs)
        status, failing = self._status(outputs[first + 2 * count :], uniforms)
        ok = status == _OK
        found: dict[str, Any] = {}
        for metric, loss in zip(self.measures.metrics, self._errors(outputs, budget, uniforms), strict=True):
            value = -loss if metric.maximize else loss
            found[metric.name] = value if metric.failure is None else where(ok, value, float(metric.failure))
        usual = self.usual_costs(at, facts, budget)
        for k, cost in enumerate(self.measures.costs):
            logit = where(ok, outputs[first + k], outputs[first + count + k])
            found[cost.name] = usual[k] * cost.scale.from_logit(logit)
        self._count_time(found, budget, ok)
        return MetricOutcome(found, status, failing)

    def answered(self, outcome: Any, facts: Any) -> Sequence[Any]:
        """The metrics by their order in `names`, the status, and the probability of failing."""
        return [*(outcome.metrics[name] for name in self.names), outcome.status, outcome.failure_probability]

    def _count_time(self, found: dict[str, Any], budget: Any, ok: Any) -> None:
        """Seconds on the wall, of which the training's are a part."""
        in_seconds = self.ladder.unit == "seconds"
        main = "training_seconds" if "training_seconds" in found else "wall_seconds"
        if main in found and in_seconds:
            # What ended ok has spent its budget; the trees know it but for their rounding.
            found[main] = where(ok & (found[main] < budget), budget, found[main])
        elif in_seconds:
            found[main] = budget
        if main == "training_seconds":
            beside = clip(found["wall_seconds"], 0.0, float("inf")) if "wall_seconds" in found else 0.0
            found["wall_seconds"] = found[main] + beside

    def _errors(self, outputs: Sequence[Any] | FloatArray, budget: Any, uniforms: list[Any] | None) -> list[Any]:
        logits = self._logits(outputs)
        if uniforms is not None:
            spread = self.spread(outputs)
            moves = [self.noise.luck(spread, normal_quantile(one), part) for part, one in enumerate(uniforms[:-1])]
            logits = [logit + luck for logit, luck in zip(logits, moves, strict=True)]
        return [scale.from_logit(logit) for scale, logit in zip(self.scales, logits, strict=True)]
