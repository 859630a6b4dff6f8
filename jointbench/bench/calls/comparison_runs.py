"""The runs of `jointbench.compare`: simulated or by real trainings, with one number of workers or several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jointbench.bench.calls.given import the_benchmark, the_ladder
from jointbench.bench.calls.left_out import Place, without_unfit
from jointbench.bench.calls.progress import Hear, Stage
from jointbench.bench.calls.workers import PlaceOptions, Workers
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.comparing.comparison import DEFAULT_SEEDS, default_seeds
from jointbench.bench.comparing.comparison import compare as make_runs
from jointbench.bench.comparing.comparison_folder import First, Overhead, Settings, workers_folder
from jointbench.bench.comparing.comparison_start import check_start
from jointbench.bench.comparing.deciding import planned_looks, undecided
from jointbench.bench.comparing.failures import Failure, failures
from jointbench.bench.comparing.simulated_objective import SimulatedObjective, simulated_settings, timed_settings
from jointbench.bench.pages.report import PAGE
from jointbench.data.errors import InputError
from jointbench.data.files import check_writable
from jointbench.data.images.joined import said_of_errors
from jointbench.data.images.registry import load_images
from jointbench.data.incumbent import IncumbentRule
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import Metric
from jointbench.data.option_words import option
from jointbench.data.quantities import counted
from jointbench.data.spaces.space import Space
from jointbench.optimizers import one_budget, uses_small_budgets, works_on
from jointbench.surrogate.benchmark import Benchmark

#: Evaluations in a run from which on a person is told beforehand: minutes of Hyperband, and far more of a model.
LONG = 100_000

#: Full budgets of real trainings, whose time nobody knows before.
REAL_FULL_BUDGETS = 256.0


@dataclass(frozen=True)
class Wanted:
    """The runs that are asked for: of `optimizers` with seeds from 0 on, so many as `seeds` (None: the default ones),
    or until it is decided, with at most `until_decided`; `workers`: the page is about the first number of them.

    `command` is how a person called it.
    """

    optimizers: Sequence[str]
    out: Path
    workers: Sequence[int | None]
    seeds: int | None = None
    until_decided: int | None = None
    force: bool = False
    command: str = ""

    def most(self) -> dict[str, int]:
        """Seeds an optimizer, at most."""
        if self.until_decided:
            return dict.fromkeys(self.optimizers, self.until_decided)
        return {name: self.seeds or default_seeds(name) for name in self.optimizers}

    def looks(self) -> list[dict[str, int]]:
        """The seeds at each look at a comparison, which ends when it is decided; otherwise there is one look."""
        if not self.until_decided:
            return [self.most()]
        planned = planned_looks(self.seeds or DEFAULT_SEEDS, self.until_decided, len(self.optimizers))
        return [dict.fromkeys(self.optimizers, seeds) for seeds in planned]

    def folders(self) -> dict[int | None, Path]:
        """By the number of workers: the comparison's own for the first."""
        first, *others = dict.fromkeys(self.workers)
        return {first: self.out} | {number: workers_folder(self.out, number) for number in others if number}

    def failed(self) -> list[Failure]:
        """The runs among them that their optimizers did not bring to an end."""
        seeds = self.most()
        found = [one for folder in self.folders().values() for one in failures(folder)]
        return [one for one in found if one.seed < seeds.get(one.optimizer, 0)]

    def fallbacks(self, ladder: Ladder) -> list[str]:
        """A sentence about those that are their one-rung forms on this ladder, where there are any."""
        out = [name for name in self.optimizers if not works_on(name, ladder)]
        return [f"{', '.join(out)}: in one-rung form, since {one_budget(ladder)}"] if out else []

    def on(
        self,
        ladder: Ladder,
        space: Space,
        defaults: Sequence[str],
        *,
        seeds: int | None = None,
        any_ladder: bool = False,
    ) -> "tuple[Wanted, list[str]]":
        """Without those of the default optimizers that are not what their names say on this ladder, unless it may be
        `any_ladder`, or that cannot search this space; and sentences that say so. `seeds`: so many runs of each of
        them where nobody said how many."""
        if tuple(self.optimizers) != tuple(defaults):
            return self, []
        kept, notes = without_unfit(self.optimizers, [Place(space, ladder, any_ladder)])
        usual = self.seeds if self.seeds or self.until_decided else seeds
        return replace(self, optimizers=kept, seeds=usual), notes

    def said_of_length(self, ladder: Ladder, full_budgets: float) -> str:
        """Where a run may make very many evaluations, a sentence that says how many, and what makes them fewer."""
        times = ladder.maximum / ladder.minimum
        most = full_budgets * times
        names = [name for name in self.optimizers if uses_small_budgets(name)] if most >= LONG else []
        if not names:
            return ""
        runs = sum(number for name, number in self.most().items() if name in names)
        return (
            f"{', '.join(names)}: up to some {most:,.0f} evaluations in each of {counted(runs, 'run')}, since the "
            f"smallest budget fits {times:,.0f} times into the largest; {option('full_budgets')} below "
            f"{full_budgets:,.4g} makes them fewer"
        )

    def check(self, settings: Mapping[Path, Settings]) -> None:
        """All outputs, before the first is made. Raises as `check_start` does."""
        for folder, of in settings.items():
            check_start(folder, of, self.optimizers, self.force)
        check_writable(self.out / PAGE)


def simulate(
    wanted: Wanted,
    objective: SimulatedObjective,
    *,
    time: float | None,
    full_budgets: float | None,
    overhead: Overhead,
    death_rate: float,
    incumbent: IncumbentRule,
    first: First,
    jobs: int | None,
    hear: Hear,
    planned: Callable[[str], None] = lambda words: None,
    objectives: Sequence[Metric] = (),
) -> list[str]:
    """Make the runs on simulated workers; returns sentences about optimizers that were run anew. `planned` hears before
    the first where they will be very long."""
    make: Callable[..., Settings]
    how: dict[str, Any] = {"overhead": overhead, "death_rate": death_rate, "incumbent": incumbent, "first": first}
    how["objectives"] = objectives
    if full_budgets is None:
        make, how["time"] = timed_settings, time
    else:
        make, how["full_budgets"] = simulated_settings, full_budgets
    comparisons = {
        folder: make(objective, workers=workers, **how) for workers, folder in wanted.folders().items() if workers
    }
    wanted.check(comparisons)
    for settings in comparisons.values():
        if long := wanted.said_of_length(settings.ladder, settings.full_budgets):
            planned(long)
    looks, said = wanted.looks(), list[str]()
    for folder, settings in comparisons.items():
        for number, seeds in enumerate(looks):
            changed = make_runs(
                settings,
                wanted.optimizers,
                seeds=seeds,
                out=folder,
                jobs=jobs,
                command=wanted.command,
                progress=lambda done, total: hear(Stage("compare", done, total)),
                force=wanted.force and number == 0,
                looks=[max(look.values()) for look in looks] if wanted.until_decided else (),
            )
            said += [f"{name} has changed since it ran: all its runs were made anew" for name in changed]
            if wanted.until_decided and not undecided(folder):
                break
    return said


def train(
    wanted: Wanted,
    defaults: Sequence[str],
    benchmark: str | Path | Benchmark,
    *,
    images: str | None,
    ladder: str | Ladder | None,
    data: str | None,
    full_budgets: float | None,
    incumbent: IncumbentRule,
    first: First,
    lock: bool,
    hear: Callable[[CollectionProgress], None],
    workers: PlaceOptions,
) -> tuple[Wanted, list[str]]:
    """Make the runs by real trainings; returns what was wanted of this ladder, and sentences about what was not."""
    numbers = list(wanted.workers)
    places = [Workers.of(**workers, workers=number).workplace() for number in numbers]
    # Only now that torch is known to be there.
    from jointbench.bench.comparing.real_comparison import compare_for_real, real_settings

    of = the_benchmark(benchmark)
    facts = load_images(images or of.images.name, data).facts
    if ladder is None and facts.name != of.images.name:
        raise InputError("ladder", None, f"budgets, since those of {of.name} are for {of.images.name}")
    if facts.name == of.images.name:
        # What its trainings went through is the benchmark's to say.
        facts = replace(facts, augmentation=of.images.augmentation)
    rungs = of.ladder if ladder is None else the_ladder(ladder)
    wanted, said = wanted.on(rungs, of.space, defaults)
    said += filter(None, [said_of_errors(facts)])
    comparisons = {
        folder: real_settings(
            of.space,
            rungs,
            facts,
            hardware,
            workers=place.workers,
            full_budgets=full_budgets or REAL_FULL_BUDGETS,
            incumbent=incumbent,
            first=first,
        )
        for folder, (place, hardware) in zip(wanted.folders().values(), places, strict=True)
    }
    wanted.check(comparisons)
    for (folder, settings), (place, hardware) in zip(comparisons.items(), places, strict=True):
        compare_for_real(
            settings,
            wanted.optimizers,
            hardware,
            place,
            seeds=wanted.most(),
            out=folder,
            data_folder=data,
            command=wanted.command,
            force=wanted.force,
            lock=lock,
            hear=hear,
        )
    return wanted, said
