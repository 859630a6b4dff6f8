"""`jointbench.train`: train one network, and what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from jointbench.bench.calls.given import (
    above_zero,
    check_trained_here,
    seed_of_a_draw,
    the_configuration,
    the_ladder,
    whole,
)
from jointbench.bench.calls.progress import Hear, Stage, heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.workers import TrainingOptions, Workers
from jointbench.bench.pages.log_figures import learning_curves
from jointbench.data.errors import BudgetError, InputError
from jointbench.data.evaluation import Evaluation, failed
from jointbench.data.frames import frame
from jointbench.data.images.joined import said_of_errors
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder, split_unit
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import METRICS
from jointbench.data.quantities import large, size
from jointbench.data.spaces.space import Space
from jointbench.data.visible import visible_name

if TYPE_CHECKING:
    from pandas import DataFrame

#: From the smallest rung to the largest, on the paper's ladder: 400 to 10,800 s.
PAPER_SPAN = 27


class Trained(Result):
    """What came of a training, in `evaluation`, and the `log` that it is in."""

    def __init__(self, evaluation: Evaluation, log: EvaluationLog) -> None:
        self.evaluation, self.log = evaluation, log

    @property
    def nothing_known(self) -> str:
        """How it ended where it did not end ok, and why, in words; else empty."""
        return "" if self.evaluation.ok else self._ended

    @property
    def _ended(self) -> str:
        one = self.evaluation
        return one.status + (f": {one.reason}" if one.reason else "")

    def tables(self) -> dict[str, ResultTable]:
        rows = list(self._lines().items())
        return {"evaluation": ResultTable("what came of it", ("", "value"), rows, ("", "value"))}

    def drawings(self) -> dict[str, Drawing]:
        """The learning curve, where there are two points of one."""
        if learning_curves(self.log, [self.evaluation]) is None:
            return {}
        return {"learning_curve": Drawing(lambda: learning_curves(self.log, [self.evaluation]), 400)}

    def to_pandas(self) -> "DataFrame":
        """The learning curve, a row a validation pass: `seconds` of the budgeted part, `epochs`, `training_loss` since
        the row before, `validation_error` (a fraction)."""
        curve = self.evaluation.curve
        names = ("seconds", "epochs", "training_loss", "validation_error")
        return frame({name: list(getattr(curve, name)) for name in names})

    def _lines(self) -> dict[str, str]:
        one = self.evaluation
        made = one.provenance
        return {
            "status": self._ended,
            **{METRICS[name].label: METRICS[name].shown(one.metrics[name]) for name in failed()},
            "steps": f"{one.steps:,}",
            "epochs": f"{one.epochs:.2f}",
            "parameters": large(one.parameters),
            "training seconds": f"{one.training_seconds:.2f} ({made.clock})",
            "wall seconds": f"{one.wall_seconds:.2f}",
            "images a second": f"{one.images_per_second:,.0f}",
            "peak memory": size(one.peak_memory),
            "device": f"{made.device}, {made.precision}",
        }

    def __str__(self) -> str:
        lines = [f"  {name:<17} {value}" for name, value in self._lines().items()]
        if said := said_of_errors(self.log.task.images):
            lines.append(f"note: {said}")
        return "\n".join(lines)

    __repr__ = __str__


def train(
    network: Any,
    *,
    images: str,
    budget: float | str,
    ladder: str | Ladder | None = None,
    space: str | Space | None = None,
    seed: int = 0,
    architecture_seed: int = 0,
    log: str | Path | None = None,
    data: str | None = None,
    quiet: bool = False,
    progress: Hear | None = None,
    **training: Unpack[TrainingOptions],
) -> Trained:
    """What `jointbench train` does: train one network for a budget and log what came of it.

    `network`: a configuration (a mapping, a row of a table), a named one, or a JSON file; `space`: that of a
    configuration or of a file, by default joint. `budget`: a number in the ladder's unit, or words such as 27s or
    27epochs; it is a rung of `ladder`, by default the largest of four, a factor of 3 apart. `architecture_seed`: which
    of a generator's networks; other spaces have none but 0. `log`: its folder, by default
    runs/train-SPACE-IMAGES-BUDGET.
    `progress` hears of the training; without one there is a bar in a notebook, unless `quiet`. `training`: as
    `TrainingOptions` has them. Raises UnknownNameError, ConfigurationError, BudgetError for a budget that is no rung,
    MissingExtraError without torch.
    """
    at, configuration = the_configuration(network, space)
    check_trained_here(at.name)
    value, rungs = _budget(budget, ladder)
    amount, first = f"{value:g} {rungs.unit}", whole("seed", seed, 0)
    drawn = seed_of_a_draw("architecture seed", architecture_seed, at)
    hardware = Workers.of(**training).hardware()
    # Only now that torch is known to be there.
    from jointbench.bench.running.training_objective import TrainingObjective

    facts = load_images(images, data).facts
    called = visible_name(facts.name.replace(":", "-"))
    default = Path("runs") / f"train-{at.name}-{called}-{amount.replace(' ', '-')}"
    opened = EvaluationLog.open_or_create(log or default, at, rungs, facts, at.metrics)
    objective = TrainingObjective(at, rungs, images, hardware, data, opened.path)
    trained = network if isinstance(network, (str, Path)) else "a configuration"
    with heard(progress, quiet) as hear:
        hear(Stage(f"training {trained} on {facts.name} for {amount}"))
        evaluation = objective(configuration, value, first, drawn)
        opened.append([evaluation])
    objective.discard(evaluation)
    return Trained(evaluation, opened)


def _budget(given: float | str, ladder: str | Ladder | None) -> tuple[float, Ladder]:
    """The budget, and the ladder that was given or follows from it. Raises BudgetError for what is none of its rungs,
    or no number above 0."""
    number, unit = split_unit(given) if isinstance(given, str) else (given, None)
    try:
        value = above_zero("budget", float(number))
    except (InputError, TypeError, ValueError):
        expected = "a finite number above 0, such as 27, 27s or 27epochs"
        raise BudgetError("budget", given, expected) from None
    if ladder is None:
        return value, Ladder(value / PAPER_SPAN, value, unit=unit or "seconds")
    rungs = the_ladder(ladder)
    if unit not in (None, rungs.unit):
        raise BudgetError("budget", f"{value:g} {unit}", f"{rungs.unit}, as the ladder's are")
    rungs.rung_of(value)
    return value, rungs
