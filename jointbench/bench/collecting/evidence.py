"""A collection as a plan: parts in the order in which they are worth most, so that each prefix of it is useful."""

import json
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.collecting.draws import draws
from jointbench.bench.collecting.ends import ends
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import make_folder, write_whole
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.seeds import collection_seed
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.sobol import sobol
from jointbench.data.spaces.space import Space
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.stored import load_benchmark
from jointbench.surrogate.table import training_table
from jointbench.surrogate.teacher import Teacher

#: The kinds of parts, and what each wants to know (beside its seed) with the type of it.
KINDS: Mapping[str, Mapping[str, type]] = {
    "sobol": {"configurations": int, "repeats": list},
    "search": {"optimizer": str, "full_budgets": float},
    "near-best": {"configurations": int, "best": float, "distance": list, "below": int},
    "replicates": {"configurations": int, "seeds": int, "rungs": list, "from_best": float},
    "surprises": {"configurations": int, "seeds": int},
    "near-surprises": {"configurations": int, "surprises": int, "distance": list},
    "draws": {"configurations": int, "architectures": int, "trained": int, "trainings": int, "rung": float},
    "ends": {"benchmark": str, "optimizers": list, "runs": int, "full_budgets": float},
}

#: Kinds whose trials the part's numbers decide, whatever the log holds.
_GROWING = ("sobol", "draws")


@dataclass(frozen=True)
class Part:
    """One of KINDS with its options; `name` also names its run (and files)."""

    name: str
    kind: str
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str) -> "Part":
        """Raises InputError that names the field."""
        given = dict(content)
        kind, seed = given.pop("kind", None), given.pop("seed", None)
        if kind not in KINDS:
            raise InputError(f"kind of a part of {source}", kind, f"one of {', '.join(KINDS)}")
        if type(seed) is not int or seed < 0:
            raise InputError(f"seed of a part of {source}", seed, "a whole number of at least 0")
        wanted = KINDS[kind]
        for name in {*wanted, *given}:
            value = given.get(name)
            if wanted.get(name) is float and type(value) is int:
                value = float(value)
            if name not in wanted or type(value) is not wanted[name]:
                expected = f"{wanted[name].__name__}" if name in wanted else f"only {', '.join(wanted)}"
                raise InputError(f"{name} of a part '{kind}' of {source}", given.get(name), expected)
        return cls(f"{given['optimizer'] if kind == 'search' else kind}-{seed}", kind, seed, given)


@dataclass(frozen=True)
class EvidencePlan:
    """What a benchmark's evidence is: space, ladder, images, clock, the memory of a training in GiB, and parts."""

    space: Space
    ladder: Ladder
    images: str
    clock: str
    memory: float
    parts: tuple[Part, ...]

    @classmethod
    def read(cls, path: Path) -> "EvidencePlan":
        """From a TOML file. Raises InputError that names what is wrong in it."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError("plan", str(path), f"a file that can be read ({error.strerror})") from None
        except ValueError as error:
            raise InputError("plan", str(path), f"TOML ({error})") from None
        wanted = {"space": str, "ladder": str, "images": str, "clock": str, "memory": float, "part": list}
        for name in {*wanted, *content}:
            if name not in wanted or type(content.get(name)) is not wanted[name]:
                expected = wanted[name].__name__ if name in wanted else f"only {', '.join(wanted)}"
                raise InputError(f"{name} of {path}", content.get(name), expected)
        parts = tuple(Part.from_dict(part, str(path)) for part in content["part"])
        names = [part.name for part in parts]
        if len(set(names)) < len(names):
            raise InputError(
                f"parts of {path}", max(names, key=names.count), "a kind or optimizer and a seed only once"
            )
        space, ladder = get_space(content["space"]), Ladder.parse(content["ladder"])
        return cls(space, ladder, content["images"], content["clock"], content["memory"], parts)


def full_budgets_of(part: Part, trials: list[Trial], ladder: Ladder) -> float:
    """The stop of a part's run, in units of the largest budget."""
    if part.kind == "search":
        return float(part.options["full_budgets"])
    return sum(trial.budget for trial in trials) / ladder.maximum


def has_ended(part: Part, log: EvaluationLog, full_budgets: float) -> bool:
    """Whether the log has all that the part may spend, so that no trial whatever is left to it.

    Its optimizer need not be brought back to where it stood, which may fail: on another processor arithmetic differs
    in its last bits, and what a model proposes with it.
    """
    left = full_budgets * log.ladder.maximum - sum(e.budget for e in log.evaluations(run=part.name))
    return left < log.ladder.minimum * (1 - 1e-9)


def optimizer_of(part: Part, log: EvaluationLog) -> tuple[Optimizer, float]:
    """The part's optimizer and the full budgets that it may spend.

    Trials that are chosen by what the log holds are chosen once and kept beside the journal; where the plan's numbers
    alone decide, and have grown since, what they add comes after what was kept. Raises LogError when the log holds too
    little for the choice.
    """
    space, ladder, seed = log.space, log.ladder, collection_seed(part.seed)
    if part.kind == "search":
        full_budgets = full_budgets_of(part, [], ladder)
        name = part.options["optimizer"]
        return make_optimizer(name, space, ladder, seed=seed, full_budgets=full_budgets), full_budgets
    trials = _kept(
        log.journals / f"{part.name}.trials.json", lambda: _CHOICES[part.kind](part, log), grows=part.kind in _GROWING
    )
    full_budgets = full_budgets_of(part, trials, ladder)
    made = FixedList(space, ladder, seed=seed, full_budgets=full_budgets, name=part.kind, trials=trials)
    return made, full_budgets


def _kept(path: Path, choose: Callable[[], list[Trial]], *, grows: bool) -> list[Trial]:
    if not path.exists():
        make_folder(path.parent)
        _keep(path, choose(), once=True)
    kept = [Trial(**trial) for trial in json.loads(path.read_text(encoding="utf-8"))]
    if not grows:
        return kept
    there, added = Counter(map(_written, kept)), []
    for trial in choose():
        if there[_written(trial)]:
            there[_written(trial)] -= 1
        else:
            added.append(trial)
    if added:
        _keep(path, kept + added)
    return kept + added


def _keep(path: Path, trials: Sequence[Trial], *, once: bool = False) -> None:
    write_whole(path, f"[{', '.join(map(_written, trials))}]", once=once)


def _written(trial: Trial) -> str:
    return json.dumps(_as_dict(trial))


def _as_dict(trial: Trial) -> dict[str, Any]:
    drawn = {"architecture_seed": trial.architecture_seed} if trial.architecture_seed else {}
    return {"configuration": dict(trial.configuration), "budget": trial.budget, **drawn}


def _sobol(part: Part, log: EvaluationLog) -> list[Trial]:
    """Configurations of a scrambled Sobol sequence, each at all rungs, `repeats` times at the one and the other: pairs
    of budgets that no optimizer has selected (Table 1)."""
    repeats = part.options["repeats"]
    if len(repeats) != len(log.ladder.rungs) or not all(type(r) is int and r >= 0 for r in repeats):
        raise InputError(f"repeats of {part.name}", repeats, f"a whole number for each of {log.ladder}")
    return [
        Trial(configuration, rung)
        for configuration in sobol(log.space, part.options["configurations"], part.seed)
        for rung, times in zip(log.ladder.rungs, repeats, strict=True)
        for _ in range(times)
    ]


def _near_best(part: Part, log: EvaluationLog) -> list[Trial]:
    """Neighbours of the best share of configurations at the largest rung, at a random distance in the unit cube; the
    first `below` of them at the rung below too."""
    best, distance = part.options["best"], part.options["distance"]
    ranked = _ranked(log, log.ladder.maximum)
    trials = []
    for number, configuration in enumerate(
        _around(
            log.space, ranked[: max(1, round(best * len(ranked)))], part.options["configurations"], distance, part.seed
        )
    ):
        if number < part.options["below"]:
            trials.append(Trial(configuration, log.ladder.rungs[-2]))
        trials.append(Trial(configuration, log.ladder.maximum))
    return trials


def _around(
    space: Space, centres: Sequence[Configuration], count: int, distance: Sequence[float], seed: int
) -> list[Configuration]:
    """So many random neighbours of the centres, at a random distance between two in the unit cube."""
    (low, high), rng = distance, np.random.default_rng(seed)
    points, found = space.encode(centres, inactive=0.5), []
    for _ in range(count):
        direction = rng.normal(size=points.shape[1])
        away = direction / np.linalg.norm(direction) * rng.uniform(low, high)
        found.append(space.at(np.clip(points[rng.integers(len(points))] + away, 0.0, 1.0)))
    return found


def _replicates(part: Part, log: EvaluationLog) -> list[Trial]:
    """Configurations that were trained at all of `rungs`, a share `from_best` the best of them and the others evenly
    over the ranks, brought up to so many different `seeds` at each."""
    rungs, wanted = [float(rung) for rung in part.options["rungs"]], part.options["configurations"]
    seeds: dict[tuple[float, ...], dict[float, set[int]]] = defaultdict(lambda: defaultdict(set))
    for evaluation in log.evaluations():
        seeds[tuple(log.space.row(evaluation.configuration))][evaluation.budget].add(evaluation.seed)
    ranked = [c for c in _ranked(log, max(rungs)) if all(seeds[tuple(log.space.row(c))][rung] for rung in rungs)]
    if len(ranked) < wanted:
        raise LogError("log", str(log.path), f"{wanted} configurations at each of {rungs}, not {len(ranked)}")
    count = round(part.options["from_best"] * wanted)
    rest = ranked[count:]
    spread = [rest[round(i * (len(rest) - 1) / max(1, wanted - count - 1))] for i in range(wanted - count)]
    return [
        Trial(configuration, rung)
        for configuration in ranked[:count] + spread
        for rung in rungs
        for _ in range(part.options["seeds"] - len(seeds[tuple(log.space.row(configuration))][rung]))
    ]


def _surprises(part: Part, log: EvaluationLog) -> list[Trial]:
    """Those of `_surprising`, with so many more seeds: whether they are bad, or had bad luck."""
    chosen = _surprising(part, log, part.options["configurations"])
    return [Trial(one, log.ladder.maximum) for one in chosen for _ in range(part.options["seeds"])]


def _near_surprises(part: Part, log: EvaluationLog) -> list[Trial]:
    """Neighbours of those of `_surprising` at the largest rung: where what they are begins."""
    centres = _surprising(part, log, part.options["surprises"])
    found = _around(log.space, centres, part.options["configurations"], part.options["distance"], part.seed)
    return [Trial(one, log.ladder.maximum) for one in found]


def _surprising(part: Part, log: EvaluationLog, count: int) -> list[Configuration]:
    """The configurations that lost most at the largest rung beyond what a teacher expects of them from all others."""
    table = training_table(log)
    teacher = Teacher.fit(table.take(table.ok), part.seed)
    chosen: dict[tuple[float, ...], None] = {}
    for index in np.argsort(-teacher.disappointment(), kind="stable"):
        if teacher.seen.budgets[index] == log.ladder.maximum and len(chosen) < count:
            chosen[tuple(teacher.seen.rows[index])] = None
    return [log.space.configuration(row) for row in chosen]


def _ends(part: Part, log: EvaluationLog) -> list[Trial]:
    """At the largest rung, where optimizers end on a benchmark that was fitted to the parts before."""
    benchmark, optimizers = _benchmark(part, log), part.options["optimizers"]
    found = ends(benchmark, optimizers, part.options["runs"], part.options["full_budgets"], part.seed)
    return [Trial(configuration, log.ladder.maximum) for configuration in found]


def _benchmark(part: Part, log: EvaluationLog) -> Benchmark:
    benchmark = load_benchmark(part.options["benchmark"])
    if (benchmark.space.name, benchmark.ladder) != (log.space.name, log.ladder):
        raise InputError(f"benchmark of {part.name}", benchmark.name, f"one of {log.space.name} on {log.ladder}")
    return benchmark


def _ranked(log: EvaluationLog, budget: float) -> list[Configuration]:
    """The configurations that ended ok at this budget, by their mean in the objective, the best first."""
    objective = log.task.objective
    losses: dict[tuple[float, ...], list[float]] = defaultdict(list)
    configurations: dict[tuple[float, ...], Configuration] = {}
    for evaluation in log.evaluations():
        if evaluation.ok and evaluation.budget == budget:
            row = tuple(log.space.row(evaluation.configuration))
            losses[row].append(objective.loss_of(evaluation))
            configurations[row] = evaluation.configuration
    means: FloatArray = np.array([np.mean(found) for found in losses.values()])
    if not len(means):
        raise LogError("log", str(log.path), f"evaluations at {budget:g} that ended ok")
    rows = list(losses)
    return [configurations[rows[index]] for index in np.argsort(means, kind="stable")]


_CHOICES: Mapping[str, Callable[[Part, EvaluationLog], list[Trial]]] = {
    "sobol": _sobol,
    "near-best": _near_best,
    "replicates": _replicates,
    "surprises": _surprises,
    "near-surprises": _near_surprises,
    "draws": lambda part, log: draws(log, part.options, part.seed, part.name),
    "ends": _ends,
}
