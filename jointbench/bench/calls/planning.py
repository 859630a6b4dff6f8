"""`jointbench.plan`: what a collection will take, and what it gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jointbench.bench.calls.collecting import CHECKPOINT_EVERY, OPTIMIZER
from jointbench.bench.calls.given import above_zero, the_ladder, the_space, whole
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.collecting.plan import Plan, memory_needed, shares_that_do_not_fit
from jointbench.bench.collecting.plan import plan as planned
from jointbench.data.frames import frame
from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.registry import known_facts
from jointbench.data.ladder import Ladder
from jointbench.data.quantities import counted, duration, size
from jointbench.data.spaces.space import Space
from jointbench.surrogate.rungs import Rungs

if TYPE_CHECKING:
    from pandas import DataFrame

#: GiB of common GPUs, shown where no memory is named.
MEMORIES = (11, 24, 40, 80)


@dataclass(frozen=True, repr=False)
class Planned(Result):
    """What a collection will take, in `plan`; `too_large`: GiB to the share of configurations that do not fit."""

    plan: Plan
    images: ImageFacts
    ladder: Ladder
    optimizer: str
    workers: int
    checkpoint_every: float
    too_large: dict[float, float]

    def tables(self) -> dict[str, ResultTable]:
        rows = [(f"{rung:g}", f"{number:,}") for rung, number in self.plan.evaluations.items()]
        numbers: dict[str, list[Any]] = {
            "budget": list(self.plan.evaluations),
            "evaluations": list(self.plan.evaluations.values()),
        }
        memory = {"memory_gib": list(self.too_large), "share_that_does_not_fit": list(self.too_large.values())}
        shares = [(f"{limit:g}", f"{share:.1%}") for limit, share in self.too_large.items()]
        headings = (f"budget ({self.ladder.unit})", "evaluations")
        return {
            "evaluations": ResultTable(f"evaluations by {self.optimizer}", headings, rows, numbers=numbers),
            "memory": ResultTable("random configurations", ("GiB", "do not fit"), shares, numbers=memory),
        }

    def drawings(self) -> dict[str, Drawing]:
        return {}

    def to_pandas(self) -> "DataFrame":
        """A row a rung: its `budget`, in the ladder's unit, and the `evaluations` there."""
        return frame(self.tables()["evaluations"].numbers or {})

    def __str__(self) -> str:
        made, ladder = self.plan, self.ladder
        lines = [f"{counted(sum(made.evaluations.values()), 'evaluation')} by {self.optimizer}:"]
        lines += [f"  {number:>8,} at {ladder.amount(rung)}" for rung, number in made.evaluations.items()]
        # Each promoted configuration is trained at its rungs anew; how many end ok nobody knows yet.
        rungs = Rungs(ladder, tuple(made.evaluations[rung] for rung in ladder.rungs))
        lines += [f"to fit: {sentence}" for sentence in rungs.words([self.optimizer])]
        workers = counted(self.workers, "worker")
        if ladder.unit == "seconds":
            lines += [
                f"device time   {duration(made.total, 'GPU-')} of budgets",
                f"wall time     {duration(made.makespan)} with {workers}",
                "              both at most: a configuration that does not fit ends at once. Validation and start-up "
                "come",
                "              on top: `python -m jointbench.bench.speed.training` measures their share on your device",
            ]
        else:
            passes = made.total * self.images.training
            lines += [
                f"device time   {made.total:,.0f} epochs, {passes:,.0f} images; how long an image takes is for",
                "              `python -m jointbench.bench.speed.training` to say on your device",
                f"wall time     as that of {made.makespan:,.0f} epochs in a row, with {workers}",
            ]
        lines.append(f"disk          {size(made.log_bytes)} of log")
        if made.checkpoint_bytes:
            kept = f"up to {size(made.checkpoint_bytes)} of checkpoints of the trainings on their way"
        else:
            kept = f"no checkpoints: no budget is longer than the {duration(self.checkpoint_every)} between two"
        lines.append(f"              {kept}")
        lines.append("will not fit  (an estimate: parameters, gradients, momentum, and a batch's activations)")
        for limit, share in self.too_large.items():
            lines.append(f"  {share:>7.1%} of random configurations into {limit:g} GiB")
        return "\n".join(lines)

    __repr__ = __str__


def plan(
    *,
    images: str,
    ladder: str | Ladder,
    full_budgets: float,
    optimizer: str = OPTIMIZER,
    space: str | Space = "joint",
    seed: int = 0,
    workers: int = 1,
    precision: Literal["fp32", "bf16"] = "fp32",
    memory: float | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
) -> Planned:
    """What `jointbench plan` does: foretell what `collect` with the same words will take; nothing is trained.

    `workers`: trainings at a time. `memory`: GiB of a device, by default several common ones. `checkpoint_every`:
    seconds. Raises UnknownNameError, InputError, OptimizerError when the optimizer fails.
    """
    at, rungs, facts = the_space(space), the_ladder(ladder), known_facts(images)
    several, every = whole("workers", workers, 1), above_zero("checkpoint every", checkpoint_every)
    limits = [float(limit) for limit in MEMORIES] if memory is None else [above_zero("memory", memory)]
    made = planned(
        at,
        rungs,
        facts,
        optimizer=optimizer,
        full_budgets=above_zero("full budgets", full_budgets),
        workers=several,
        precision=precision,
        memory=None if memory is None else int(limits[0] * 2**30),
        seed=whole("seed", seed, 0),
        checkpoint_every=every,
    )
    needed, _ = memory_needed(at, facts, precision)
    shares = shares_that_do_not_fit(needed, [int(limit * 2**30) for limit in limits])
    too_large = dict(zip(limits, shares, strict=True))
    return Planned(made, facts, rungs, optimizer, several, every, too_large)
