"""From what the trees say to what happens: errors, costs, failure, and a draw of each."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.data.exact import ceil, clip, exp, logistic, normal_quantile, sqrt, total, where
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import TEST_ERROR, VALIDATION_ERROR
from jointbench.data.spaces.facts import Facts
from jointbench.surrogate.answer import STATUSES
from jointbench.surrogate.bounds import Bounds
from jointbench.surrogate.collapse_law import CollapseLaw
from jointbench.surrogate.cost_model import CostModel
from jointbench.surrogate.noise import Noise, error_scales
from jointbench.surrogate.scales import Scale

#: What the cost models say, in order: logarithms of the ratio to `OutcomeModel.usual_costs`.
COSTS = ("training_seconds", "overhead_seconds", "peak_memory", "images_per_second")

#: Uniform numbers that a noisy draw takes: luck of the training, of counting twice, and of failing.
DRAWS = 4

_OK = STATUSES.index(Status.OK)


class Outcome(NamedTuple):
    """What happens: errors (fractions), seconds, the number of the status in `STATUSES`, bytes; of one configuration
    numbers, of a batch columns (n,)."""

    validation_error: Any
    test_error: Any
    training_seconds: Any
    wall_seconds: Any
    status: Any
    epochs: Any
    images_per_second: Any
    peak_memory: Any
    failure_probability: Any


class OutcomeModel:
    """Reads the models' outputs, which are, in order: each member's validation and test error (logits, by `ErrorScale`;
    of a student `completed`), of a student the logarithms of spread and uncertainty (variances of logits), the log odds
    of a collapse where some trainings do, the costs of a training that ends ok, those of one that fails, and the log
    odds of each kind of failure in `odds` before their calibration (slope, offset).

    Everything works on floats for one configuration and on arrays (n,) for a batch, with the same bits.
    """

    def __init__(
        self,
        images: ImageFacts,
        ladder: Ladder,
        cost_model: CostModel,
        members: int,
        noise: Noise,
        odds: Mapping[Status, tuple[float, float]],
        distilled: bool = False,
        bounds: Bounds | None = None,
        collapse: CollapseLaw | None = None,
    ) -> None:
        self.distilled, self.bounds, self.collapse = distilled, bounds, collapse
        self.images, self.ladder, self.cost_model, self.noise, self.members = images, ladder, cost_model, noise, members
        self.scales: tuple[Scale, ...] = error_scales(images)
        self.costs: tuple[str, ...] = COSTS
        self._guessing = [metric.guessing(images.classes) for metric in (VALIDATION_ERROR, TEST_ERROR)]
        self._odds = [(STATUSES.index(kind), slope, offset) for kind, (slope, offset) in odds.items()]

    @property
    def outputs(self) -> list[int]:
        """Outputs of each model file."""
        costs = [len(self.costs)] * 2 * bool(self.costs)
        doubts = [1, 1] * self.distilled + [1] * (self.collapse is not None)
        return [len(self.scales)] * self.members + doubts + costs + [1] * len(self._odds)

    @property
    def draws(self) -> int:
        """Uniform numbers that a noisy draw takes, the last for failing."""
        return DRAWS

    def completed(self, outputs: Any, rung: Any) -> Any:
        """The outputs at a rung, which this changes: with a student's errors as they are on average of trainings of
        which some collapse, within their bounds."""
        logits = list(outputs[: len(self.scales)])
        if self.collapse is not None:
            logits = self.collapse.expected(logits, outputs[self.first_cost - 1], self.scales)
        if self.bounds is not None:
            logits = self.bounds.bound(logits, rung)
        for part, logit in enumerate(logits):
            outputs[part] = logit
        return outputs

    def usual_costs(self, at: Mapping[str, Any], facts: Any, budget: Any) -> tuple[Any, ...]:
        """What `COSTS` would be by the cost model alone; a second for the overhead, which has none."""
        image_seconds = self.cost_model.seconds_of_image(at, facts)
        seconds = budget if self.ladder.unit == "seconds" else budget * self.images.training * image_seconds
        return seconds, 1.0, self.cost_model.bytes_of_training(at, facts), 1 / image_seconds

    def outcome(
        self,
        outputs: Sequence[Any] | FloatArray,
        at: Mapping[str, Any],
        facts: Any,
        budget: Any,
        uniforms: list[Any] | None,
    ) -> Any:
        """The `Outcome` that is expected, or drawn with `draws` uniform numbers."""
        costs, count = self.first_cost, len(COSTS)
        status, failing = self._status(outputs[costs + 2 * count :], uniforms)
        ok = status == _OK
        validation, test = self._errors(outputs, budget, uniforms)
        seconds, overhead, memory, speed = (
            usual * exp(where(ok, outputs[costs + k], outputs[costs + count + k]))
            for k, usual in enumerate(self.usual_costs(at, facts, budget))
        )
        # A training that ended ok has spent its budget.
        if self.ladder.unit == "seconds":
            # The trees know it but for their rounding.
            seconds = where(ok & (seconds < budget), budget, seconds)
        else:
            speed = where(ok, self._whole_steps(at, budget) / seconds, speed)
        return Outcome(
            validation_error=where(ok, validation, self._guessing[0]),
            test_error=where(ok, test, self._guessing[1]),
            training_seconds=seconds,
            wall_seconds=seconds + overhead,
            status=status,
            epochs=seconds * speed / self.images.training,
            images_per_second=speed,
            peak_memory=memory,
            failure_probability=failing,
        )

    def answered(self, outcome: Any, facts: Facts | None) -> Sequence[Any]:
        """The numbers that an answer is made of, in order."""
        assert facts is not None
        return [*outcome, facts.parameters, facts.flops]

    @property
    def first_cost(self) -> int:
        """The number of the first output that is a cost."""
        return len(self.scales) * self.members + 2 * self.distilled + (self.collapse is not None)

    def uncertainty(self, outputs: Sequence[Any] | FloatArray) -> Any:
        """One standard deviation of the expected validation error (a fraction) that the teacher does not know; None of
        an ensemble, which had none.
        """
        doubt, scale = self.doubt(outputs), self.scales[0]
        return None if doubt is None else sqrt(doubt) / scale.slope(scale.from_logit(self._logits(outputs)[0]))

    def doubt(self, outputs: Sequence[Any] | FloatArray) -> Any:
        """The uncertainty as a variance of logits of `ErrorScale`."""
        return exp(clip(outputs[len(self.scales) * self.members + 1], -50.0, 50.0)) if self.distilled else None

    def _logits(self, outputs: Sequence[Any] | FloatArray) -> list[Any]:
        parts = len(self.scales)
        return [total(outputs[part : parts * self.members : parts]) / self.members for part in range(parts)]

    def spread(self, outputs: Sequence[Any] | FloatArray) -> Any:
        """What the noise grows with: a student's third output, or the variance between the members of an ensemble."""
        if self.distilled:
            return exp(clip(outputs[len(self.scales) * self.members], -50.0, 50.0))
        parts, logits = len(self.scales), self._logits(outputs)
        members = outputs[: parts * self.members]
        apart = (member - logits[k % parts] for k, member in enumerate(members))
        return total(difference * difference for difference in apart) / len(members)

    def _whole_steps(self, at: Mapping[str, Any], epochs: Any) -> Any:
        """Images of the steps that it takes to reach so many epochs."""
        batch = clip(at["batch_size"], 1, self.images.training)
        return ceil(epochs * self.images.training / batch) * batch

    def _errors(self, outputs: Sequence[Any] | FloatArray, budget: Any, uniforms: list[Any] | None) -> list[Any]:
        logits = self._logits(outputs)
        if uniforms is None:
            return [scale.from_logit(logit) for scale, logit in zip(self.scales, logits, strict=True)]
        luck = self.noise.luck(self.spread(outputs), normal_quantile(uniforms[0]))
        drawn = [logit + luck for logit in logits]
        if self.bounds is not None and self.noise.bounded:
            drawn = self.bounds.bound(drawn, budget)
        return [
            scale.counted(self.noise, scale.from_logit(logit), normal_quantile(uniform))
            for scale, logit, uniform in zip(self.scales, drawn, uniforms[1:3], strict=True)
        ]

    def _status(self, logits: Sequence[Any] | FloatArray, uniforms: list[Any] | None) -> tuple[Any, Any]:
        """The status's number and the probability of failing."""
        status, failing, worst = _OK, 0.0, 0.0
        for (kind, slope, offset), logit in zip(self._odds, logits, strict=True):
            chance = logistic(clip(slope * logit + offset, -50.0, 50.0))
            if uniforms is None:
                status = where(chance > worst, kind, status)
                worst = where(chance > worst, chance, worst)
            else:
                status = where((failing <= uniforms[-1]) & (uniforms[-1] < failing + chance), kind, status)
            failing = failing + chance
        if uniforms is None:
            status = where(failing < 0.5, _OK, status)
        return status, clip(failing, 0.0, 1.0)
