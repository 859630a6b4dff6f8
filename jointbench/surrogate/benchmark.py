"""A benchmark: a fitted surrogate frozen for publication, which answers with NumPy alone."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import (
    BenchmarkError,
    ConfigurationError,
    InputError,
    JointBenchError,
    MissingExtraError,
)
from jointbench.data.evaluation import Configuration
from jointbench.data.exact import log
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import SAME_RUNG
from jointbench.data.notebook import html_table
from jointbench.data.numbers import checked_seed
from jointbench.data.quantities import counted
from jointbench.data.spaces.facts import Facts
from jointbench.surrogate.answer import OBJECTIVES, STATUSES, Answer, Answers, checked_objectives
from jointbench.surrogate.batches import checked_budgets, checked_seeds, equal_parts
from jointbench.surrogate.budget_curve import BudgetCurve
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.frozen_models import FrozenModels
from jointbench.surrogate.judging.verdict import Verdict, verdict
from jointbench.surrogate.luck import Luck
from jointbench.surrogate.manifest import Manifest
from jointbench.surrogate.metric_answer import MetricAnswer, MetricAnswers
from jointbench.surrogate.metric_outcome import MetricOutcomes
from jointbench.surrogate.model_file import read_models
from jointbench.surrogate.outcome import Outcome
from jointbench.surrogate.outcome_models import outcome_model

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from jointbench.surrogate.compiled import CompiledAnswer

#: Types that need no conversion.
_PLAIN = frozenset((float, int))

#: Single queries after which compiling has paid by the next as many.
_PAYS_AFTER = 3000

#: Columns of a batch's answers that are no metrics.
_BESIDE = ("status", "failure_probability", "interpolated", "uncertainty")

#: Rows of a batch that are answered together; more would leave the processor's cache.
_TOGETHER = 2**14


class Benchmark:
    """A frozen surrogate; get one with `load_benchmark`."""

    def __init__(self, manifest: Mapping[str, Any], models: bytes, source: str) -> None:
        """Raises BenchmarkError when the parts do not fit together."""
        self.source = source
        self.manifest = made = Manifest.from_dict(manifest, source)
        self.space, self.ladder, self.task = made.space, made.ladder, made.task
        self.quality, self.provenance = made.quality, made.provenance
        self.features = FeatureMap(made.space, made.images, made.ladder, made.cost_model)
        if made.features != self.features.names:
            raise BenchmarkError("benchmark", source, "the features of this version of JointBench")
        self._outcomes = outcome_model(
            self.features,
            made.measures,
            made.members,
            made.noise,
            made.odds,
            made.bounds,
            made.collapse,
            distilled=made.distilled,
        )
        boosters, network = read_models(models, source, made.models, len(made.features))
        if [booster.outputs for booster in boosters] != self._outcomes.outputs:
            raise BenchmarkError("benchmark", source, "models with as many outputs as there are targets")
        self._models = FrozenModels(boosters, network)
        self._luck = Luck(len(self.space.names))
        self._values = itemgetter(*self.space.names)
        self._compiled: CompiledAnswer | None = None
        self._asked = 0

    def __getstate__(self) -> dict[str, Any]:
        """What is compiled stays in its process."""
        return {**self.__dict__, "_compiled": None, "_asked": 0}

    @property
    def name(self) -> str:
        """With its version: answers of different versions are answers of different benchmarks."""
        return f"{self.manifest.name}-v{self.manifest.version}"

    @property
    def has_network(self) -> bool:
        """Whether a student's network answers, which trees correct, or trees alone."""
        return self._models.network is not None

    @property
    def tells_collapses(self) -> bool:
        """Whether what becomes of errors where trainings collapse is said apart from those of trainings that work."""
        return self._outcomes.collapse is not None

    @property
    def images(self) -> ImageFacts:
        """Raises InputError where it is about none."""
        if self.task.images is None:
            raise InputError("benchmark", self.name, "one of trainings on images")
        return self.task.images

    @property
    def configspace(self) -> "ConfigurationSpace":
        """The space as a ConfigSpace object, whose `sample_configuration` follows ConfigSpace's law and not `sample`'s.

        The two differ for integers on a log scale alone: `Space.configspace` says how.
        """
        return self.space.configspace

    def sample(self, count: int, seed: int) -> list[Configuration]:
        """`count` configurations, uniform in the unit cube (`Space.sample`); one seed, one list, on every machine.

        They are those that `random` proposes in a comparison with this seed. Raises InputError for a negative count
        or seed.
        """
        for field, value in (("count", count), ("seed", seed)):
            if checked_seed(field, value) < 0:
                raise InputError(field, value, "a whole number of at least 0")
        return self.space.sample(np.random.default_rng(int(seed)), int(count))

    def checked_objectives(self, names: Sequence[str] | None = None) -> tuple[str, ...]:
        """The names of what can be minimised as they are; without any that of the task's objective. Raises
        UnknownNameError for one that is neither answered nor known by arithmetic, or for none at all, InputError for
        what is no list of names."""
        if names is None:
            return (self.task.objective.name,)
        return checked_objectives(names, self._minimisable)

    @cached_property
    def _answered(self) -> tuple[str, ...]:
        """What an answer says that can be minimised."""
        outcomes = self._outcomes
        return (*outcomes.names, "failure_probability") if isinstance(outcomes, MetricOutcomes) else OBJECTIVES

    @cached_property
    def _exact(self) -> tuple[str, ...]:
        """What arithmetic knows of the networks, as `Facts.exact` names it."""
        facts = self.features.facts(self.space.active(self.space.usual))
        return () if facts is None else tuple(facts.exact)

    @cached_property
    def _minimisable(self) -> frozenset[str]:
        return frozenset([*self._answered, *self._exact])

    def minimised(self, answer: Any, *names: str, of: Any = None) -> tuple[Any, ...]:
        """What is minimised of an answer, or in columns of a batch of them, in the order of the names: a metric that is
        maximised has the other sign.

        `of`: what was asked about, a configuration or a table of them: for what arithmetic knows and an answer does not
        say, such as `sample_memory`; where a space draws networks, of the one that seed 0 draws. Raises
        UnknownNameError as `checked_objectives` does, InputError where `of` is missing.
        """
        fields = answer.metrics if isinstance(answer, (MetricAnswer, MetricAnswers)) else {}
        found, known, exact = list[Any](), self.task.by_name, dict[str, Any]()
        for name in self.checked_objectives(names):
            if name not in self._answered:
                exact = exact or dict(self._facts_of(answer, name, of).exact)
                value = exact[name]
            else:
                value = fields[name] if name in fields else getattr(answer, name)
            found.append(-value if name in known and known[name].maximize else value)
        return tuple(found)

    def _facts_of(self, answer: Any, name: str, asked: Any) -> Facts:
        if asked is None:
            raise InputError("of", None, f"what was asked about: {name} is known of it by arithmetic")
        single = isinstance(answer, (Answer, MetricAnswer))
        facts = self.features.facts(self.space.check(asked) if single else self._checked(self.space.rows(asked)))
        assert facts is not None
        return facts

    @property
    def checksum(self) -> str:
        """Changes whenever an answer could."""
        return self.manifest.identity

    @property
    def verdict(self) -> Verdict:
        """Whether optimizers may be compared on it, and the numbers that decide: from the judgement that it carries."""
        return verdict(self.ladder, self.quality, self.manifest.best, self.task.metrics)

    def accelerate(self) -> None:
        """Compile the answers to single queries, in about 0.3 s; not a bit of them changes.

        Where the extra `fast` is installed this happens by itself as soon as it pays, if it can be done. Raises
        MissingExtraError where it is not installed, BenchmarkError where this cannot be compiled: a space's facts
        that branch on a number, a machine that LLVM does not know.
        """
        if not self.space.all_numbers:
            raise BenchmarkError("benchmark", self.name, "one whose hyperparameters are all numbers, and always active")
        try:
            from jointbench.surrogate.compiled import CompiledAnswer

            self._compiled = CompiledAnswer(self.features, self._models, self._outcomes, self._luck)
        except ImportError:
            raise MissingExtraError("compiled queries need llvmlite: pip install llvmlite") from None
        except Exception as error:
            # A person's space and LLVM raise whatever they like.
            expected = f"one that can be compiled ({type(error).__name__}: {error})"
            raise BenchmarkError("benchmark", self.name, expected) from error

    def facts(self, configuration: Any) -> Facts:
        """Exact counts of a configuration's network for the benchmark's own images, those of its answers.

        Raises ConfigurationError for a configuration outside the space.
        """
        return self.space.facts(self.space.check(configuration), self.images.shape, self.images.classes)

    def query(self, configuration: Any, budget: float, seed: int | None = None) -> Any:
        """The expected outcome, or with a seed one noisy draw, the same for the same seed on every machine: an
        `Answer`, or of another task than training on images a `MetricAnswer`.

        The configuration is a mapping, a ConfigSpace configuration, a row of a table (pandas' Series, NumPy's record,
        a named tuple), all read by name, or an array in the space's order; budget and seed are any real and any whole
        number. Without a seed the status is the most probable one. Raises ConfigurationError for a configuration
        outside the space and BudgetError for a budget outside the ladder; one between two rungs is interpolated
        linearly in its logarithm.
        """
        self._asked += 1
        if self._asked == _PAYS_AFTER and self._compiled is None:
            # Without, answers are the same and take longer.
            with suppress(JointBenchError):
                self.accelerate()
        quick = self._quick(configuration, budget, seed) if self._compiled else None
        return quick or self._answer(configuration, budget, seed)

    def _quick(self, configuration: Any, budget: float, seed: int | None) -> Answer | MetricAnswer | None:
        """The compiled answer to plain numbers inside their ranges, at a budget that the models know; None to what
        needs a closer look."""
        assert self._compiled is not None
        if type(budget) not in _PLAIN or not self._modelled(budget) or not (seed is None or type(seed) is int):
            return None
        try:
            if len(configuration) != len(self.space.names):
                return None
            values = self._values(configuration)
            if not _PLAIN.issuperset(map(type, values)):
                return None
            answer = self._compiled(values, budget, seed)
        except Exception:
            # Also of a person's own mapping; whoever looks closer says what is wrong.
            return None
        if answer is None:
            return None
        if isinstance(self._outcomes, MetricOutcomes):
            names = self._outcomes.names
            metrics = dict(zip(names, answer, strict=False))
            status, failing, *doubt = answer[len(names) :]
            uncertainty = doubt[0] if doubt else None
            return MetricAnswer(metrics, STATUSES[status], failing, False, uncertainty, self.task.by_name)
        *found, parameters, flops = answer[: len(Outcome._fields) + 2]
        return _as_answer(found, parameters, flops, False, *answer[len(found) + 2 :])

    def _modelled(self, budget: float) -> bool:
        """Whether nothing is interpolated there."""
        if self.ladder.continuous:
            return self.ladder.minimum <= budget <= self.ladder.maximum
        return budget in self.ladder.rungs

    def _answer(self, configuration: Any, budget: float, seed: int | None) -> Answer | MetricAnswer:
        checked = self.space.check(configuration)
        budget, below, above, share = self._between(budget)
        facts, at = self.features.facts(checked), self.features.at(checked)
        outputs = self._outcomes.completed(self._models.one(self.features.one(at, facts, below)), below)
        if share:
            higher = self._outcomes.completed(self._models.one(self.features.one(at, facts, above)), above)
            outputs = [(1 - share) * low + share * high for low, high in zip(outputs, higher, strict=True)]
        uniforms = None
        if seed is not None:
            uniforms = self._luck.one(
                self.features.numbers(at), budget, checked_seed("seed", seed), self._outcomes.draws
            )
        found = self._outcomes.outcome(outputs, at, facts, budget, uniforms)
        if self.manifest.measures is not None:
            return MetricAnswer(
                found.metrics,
                STATUSES[found.status],
                found.failure_probability,
                share > 0,
                self._outcomes.uncertainty(outputs),
                self.task.by_name,
            )
        assert facts is not None
        return _as_answer(found, facts.parameters, facts.flops, share > 0, self._outcomes.uncertainty(outputs))

    def query_batch(self, rows: Any, budgets: Any, seeds: Any = None) -> Any:
        """`Answers` (of another task than training on images `MetricAnswers`) for a table of n configurations; budgets
        and seeds (n,) or one for all, as `query` takes them.

        Tables are read as `Space.rows` does: a frame (pandas, Polars), an Arrow table, a mapping of columns, a
        structured array and a list of configurations by name, an array (n, hyperparameters) of raw values by position.
        Each answer equals that of `query` bit for bit. Raises as `query` does, and InputError for other shapes.
        """
        table = self._checked(self.space.rows(rows))
        each = checked_budgets(len(table), budgets, self.ladder)
        drawn = None if seeds is None else checked_seeds(len(table), seeds)
        parts = [
            self._columns(table[part], each[part], None if drawn is None else drawn[part])
            for part in equal_parts(len(table), _TOGETHER)
        ]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if self.manifest.measures is None:
            return Answers(**columns)
        others = {name: columns.pop(name) for name in _BESIDE if name in columns}
        return MetricAnswers(columns, **others, declared=self.task.by_name)

    def curve(
        self, configuration: Any, seed: int | None = None, *, budget: float | None = None, points: int | None = None
    ) -> BudgetCurve:
        """The answers at the ladder's rungs up to `budget` (the largest), and there: mf-prior-bench's `trajectory`.

        With `points` they are at so many budgets, evenly spaced in their logarithm from the smallest to `budget`.
        Each point is a training that ends there, whose learning rate has come to its end, with luck of its own: what
        an optimizer of several fidelities is told, and not what one training saw on its way. Raises as `query` does,
        InputError for `points` below 2.
        """
        largest = self.ladder.maximum if budget is None else self.ladder.check_within(budget)
        if points is None:
            below = [rung for rung in self.ladder.rungs if rung < largest * (1 - SAME_RUNG)]
        elif checked_seed("points", points) < 2:
            raise InputError("points", points, "a whole number of at least 2")
        else:
            below = np.geomspace(self.ladder.minimum, max(largest, self.ladder.minimum), int(points))[:-1].tolist()
            below = [one for one in below if one < largest * (1 - SAME_RUNG)]
        at = self.space.check(configuration)
        budgets = (*below, largest)
        answers = self.query_batch([at] * len(budgets), budgets, None if seed is None else [seed] * len(budgets))
        return BudgetCurve(budgets, self.ladder.unit, answers, self.task.by_name)

    def __repr__(self) -> str:
        made = self.provenance
        about = "" if self.task.images is None else f" on {self.task.images.name}"
        what = "trainings" if self.manifest.measures is None else "evaluations"
        return (
            f"<benchmark {self.name}: space '{self.space.name}'{about}, budgets {self.ladder} "
            f"{self.ladder.unit}, fitted to {made.get('evaluations', 0):,} {what}>"
        )

    def _repr_html_(self) -> str:
        made = self.provenance
        rows = [
            ("space", f"{self.space.name}, {counted(len(self.space.names), 'hyperparameter')}"),
            ("images", "none" if self.task.images is None else self.task.images.name),
            ("budgets", f"{self.ladder} {self.ladder.unit}"),
            ("fitted to", f"{counted(made.get('evaluations', 0), 'training')}"),
            ("on", "; ".join(made.get("devices", ()))),
            ("from", self.source),
        ]
        return html_table(f"benchmark {self.name}", rows)

    def _columns(
        self, rows: FloatArray, budgets: FloatArray, seeds: npt.NDArray[np.int64] | None
    ) -> dict[str, npt.NDArray[Any]]:
        """Those of `Answers` that there are, by name."""
        different, place = np.unique(budgets, return_inverse=True)
        table = np.array([self._between(b) for b in different.tolist()], dtype=np.float64).reshape(-1, 4)
        budget, below, above, share = table.T.take(place, axis=1)
        facts = self.features.facts(rows)
        outputs = self._outcomes.completed(self._models.many(self.features.many(rows, facts, below)), below)
        if share.any():
            higher = self._outcomes.completed(self._models.many(self.features.many(rows, facts, above)), above)
            outputs = (1 - share) * outputs + share * higher
        at = dict(zip(self.space.names, rows.T, strict=True))
        uniforms = None
        if seeds is not None:
            filled = rows if self.space.all_numbers else np.stack(self.features.numbers(at), axis=1)
            uniforms = self._luck.many(filled, budget, seeds, self._outcomes.draws)
        found = self._outcomes.outcome(outputs, at, facts, budget, uniforms)._asdict()
        if self.manifest.measures is None:
            assert facts is not None
            found |= {"parameters": facts.parameters, "flops": facts.flops}
        columns = {
            **found.pop("metrics", {}),
            **found,
            "interpolated": share > 0,
            "uncertainty": self._outcomes.uncertainty(outputs),
        }
        # Without any kind of failure, their columns are single numbers.
        return {name: np.broadcast_to(of, len(rows)) for name, of in columns.items() if of is not None}

    def _checked(self, rows: FloatArray) -> FloatArray:
        space = self.space
        low, high = (np.array([getattr(h, end) for h in space.hyperparameters]) for end in ("low", "high"))
        integer = np.array([h.integer for h in space.hyperparameters])
        legal = (rows >= low) & (rows <= high) & (~integer | (rows == np.rint(rows)))
        if space.conditions:
            inactive = np.isnan(space.without_inactive(np.where(legal, rows, low)))
            legal = np.where(inactive, np.isnan(rows), legal)
        for row in np.flatnonzero(~legal.all(axis=1))[:1].tolist():
            try:
                self._refuse(rows[row], legal[row])
            except ConfigurationError as error:
                if len(rows) == 1:
                    raise
                expected = f"{error.expected}, in row {row} of 0 to {len(rows) - 1}"
                raise ConfigurationError(error.field, error.value, expected) from None
        return rows

    def _refuse(self, row: FloatArray, legal: npt.NDArray[np.bool_]) -> None:
        """Raises ConfigurationError for a row (hyperparameters,) of which not all is `legal`."""
        space = self.space
        for h, number, fine in zip(space.hyperparameters, row.tolist(), legal.tolist(), strict=True):
            inactive = bool(space.conditions) and np.isnan(number)
            # A number that stands for no choice has no value to speak of.
            if not fine and not inactive and not (h.low <= number <= h.high and number == np.rint(number)):
                raise ConfigurationError(h.name, number, h.range)
        space.check(space.configuration(row))

    def _between(self, budget: float) -> tuple[float, float, float, float]:
        """The budget, the rungs around it, and how far it is from the lower to the upper one, 0 at a rung."""
        budget = self.ladder.check_within(budget)
        if self.ladder.continuous:
            # The models have seen budgets anywhere.
            return budget, budget, budget, 0.0
        rungs = self.ladder.rungs
        for rung in rungs:
            if abs(budget - rung) <= SAME_RUNG * rung:
                return rung, rung, rung, 0.0
        below, above = next(pair for pair in pairwise(rungs) if pair[0] < budget < pair[1])
        return budget, below, above, log(budget / below) / log(above / below)


def _as_answer(
    outcome: Sequence[Any], parameters: int, flops: int, interpolated: bool, uncertainty: float | None = None
) -> Answer:
    """Of the fields of an `Outcome`, in their order."""
    error, test_error, training, wall, status, epochs, speed, memory, failing = outcome
    return Answer(
        error,
        test_error,
        training,
        wall,
        STATUSES[status],
        epochs,
        speed,
        memory,
        parameters,
        flops,
        failing,
        interpolated,
        uncertainty,
    )
