"""The card of a benchmark: how its data was made, how good it is, what not to use it for."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jointbench.data.evaluation import REFERENCE_CLOCK
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import TRAINED
from jointbench.data.quantities import counted
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.judging.verdict import HEADINGS, in_words
from jointbench.surrogate.luck_of_draws import draws_of
from jointbench.surrogate.noise import Noise

#: The file's name.
CARD = "card.md"


def card(benchmark: Benchmark, log: EvaluationLog, judgement: Judgement, analysed: str = "") -> str:
    """Markdown, made from the log, the frozen benchmark and what is to be said of it; `analysed`: a section of what the
    evidence says."""
    made, ladder, found = benchmark.provenance, benchmark.ladder, benchmark.verdict
    statuses: dict[str, int] = {}
    for evaluation in log.evaluations():
        statuses[evaluation.status.value] = statuses.get(evaluation.status.value, 0) + 1
    trained = benchmark.manifest.measures is None
    lines = [
        f"# {benchmark.name}",
        "",
        _lead(benchmark),
        "",
        f"## Verdict: {found.word}",
        "",
        f"{found.sentence[0].upper()}{found.sentence[1:]} All numbers are of {in_words(benchmark.quality)}. "
        "`jointbench compare` and `jointbench publish` refuse what is not usable, unless they are told `--anyway`.",
        "",
        _line(HEADINGS),
        _line(["---"] * len(HEADINGS)),
        *(_line(ground.cells) for ground in found.grounds),
        "",
        found.words,
        "",
        "## How the data was made",
        "",
        *_data(benchmark),
        *(f"- Left out: {sentence}." for sentence in made.get("left_out", [])),
        f"- {'Trainings' if trained else 'Evaluations'} by: {_counted(made['by_optimizer'])}.",
        f"- Ended as: {_counted(statuses)}.",
        *_provenance(made, trained=trained),
        "",
        "## How good it is",
        "",
    ]
    for table in judged_tables(judgement, ladder).values():
        lines += [
            f"### {table.title}",
            "",
            table.words,
            "",
            _line(table.headings),
            _line(["---"] * len(table.headings)),
        ]
        lines += [*map(_line, table.rows), ""]
    lines += [
        _luck(made, benchmark.manifest.noise, trained=trained),
        *_luck_of_draws(benchmark, log),
        "",
        *([analysed, ""] if analysed else []),
        "## What to keep in mind",
        "",
        *_to_keep_in_mind(benchmark),
        *_extrapolations(benchmark),
        "",
        "## Licence and citation",
        "",
        _citation(benchmark),
    ]
    return "\n".join(lines) + "\n"


def _citation(benchmark: Benchmark) -> str:
    space = benchmark.space
    if benchmark.manifest.measures is None:
        return (
            "Apache-2.0. Please cite JointBench and Zela, Klein, Falkner and Hutter, *Towards Automated Deep Learning: "
            "Efficient Joint Neural Architecture and Hyperparameter Search*, 2018, for the space and the training."
        )
    return f"Apache-2.0. Please cite JointBench{f', and for the space {space.source}' if space.source else ''}."


def _of_our_trainings(benchmark: Benchmark) -> bool:
    """Whether it is of networks that are trained here, on images."""
    task = benchmark.task
    return task.images is not None and set(TRAINED) <= set(task.metrics) and task.space.knows_facts


def _lead(benchmark: Benchmark) -> str:
    """What it is, in a sentence."""
    count, space = f"{benchmark.provenance['evaluations']:,}", benchmark.space
    hyperparameters = counted(len(space.names), "hyperparameter")
    if benchmark.manifest.measures is not None and _of_our_trainings(benchmark):
        drawn = "of a generator, of which each training draws a network of its own" if space.draws else "a network"
        return (
            f"A surrogate of training networks of the space `{space.name}` ({f'{space.source}: ' * bool(space.source)}"
            f"{hyperparameters} {drawn}) on `{benchmark.images.name}`, fitted to {count} real trainings."
        )
    if benchmark.manifest.measures is not None:
        objective = benchmark.task.objective
        return (
            f"A surrogate of evaluations of the space `{space.name}` ({hyperparameters}), whose "
            f"objective is `{objective.name}`, to be {'maximised' if objective.maximize else 'minimised'}; fitted to "
            f"{count} evaluations."
        )
    return (
        f"A surrogate of training networks of the space `{space.name}` ({f'{space.source}: ' * bool(space.source)}"
        f"{len(space.architecture)} architecture choices and {len(space.names) - len(space.architecture)} "
        f"hyperparameters) on `{benchmark.images.name}`, fitted to {count} real trainings."
    )


def _data(benchmark: Benchmark) -> list[str]:
    """What was evaluated, and at which budgets."""
    ladder, images, made = benchmark.ladder, benchmark.task.images, benchmark.provenance
    said = []
    if images is not None:
        channels, height, width = images.shape
        said.append(
            f"- Images: `{images.name}`, {height}x{width} pixels, {counted(channels, 'channel')}, {images.classes} "
            f"classes; {images.training:,} for training, {images.validation:,} for validation, {images.test:,} for "
            f"test (split seed {images.split_seed})."
        )
    measures = benchmark.manifest.measures
    if measures is None:
        spent = "forward, backward and optimizer step" if ladder.unit == "seconds" else "training"
        return [*said, f"- Budgets: {ladder} {ladder.unit} of {spent}, on: {'; '.join(made['devices'])}."]
    names = ", ".join(f"`{metric.name}`" for metric in measures.metrics)
    costs = ", ".join(f"`{cost.name}`" for cost in measures.costs)
    return [
        *said,
        f"- {'Budget' if len(ladder.rungs) == 1 else 'Budgets'}: {ladder.amounts()}.",
        f"- Modelled: {names}{f'; of costs {costs}' if costs else ''}. {_of_exact(benchmark)}",
    ]


def _of_exact(benchmark: Benchmark) -> str:
    names = ", ".join(f"`{metric.name}`" for metric in benchmark.task.metrics if metric.exact)
    if names and benchmark.space.knows_facts:
        return f"Exact metrics ({names}) are not: arithmetic knows them."
    return "Exact metrics are not."


def _provenance(made: Mapping[str, Any], *, trained: bool) -> list[str]:
    if not trained:
        known = {"on": made["devices"], "JointBench": made["code_versions"]}
        said = "; ".join(f"{name} {', '.join(filter(None, of))}" for name, of in known.items() if any(of))
        return [f"- Made {said}."] if said else []
    return [
        f"- torch {', '.join(made['torch_versions'])}; precision {', '.join(made['precisions'])}; "
        f"clock {', '.join(made['clocks'])}; JointBench {', '.join(made['code_versions'])}.",
        "- Each training starts from scratch; the errors are those after its last step, on clean images. Padding and "
        "CutOut length keep their proportion to the side of the image (the paper's 32 pixels).",
    ]


def _repeated(made: Mapping[str, Any]) -> str:
    return counted(made["repeats"], "configuration that was", "configurations that were")


def _luck(made: Mapping[str, Any], noise: Noise, *, trained: bool) -> str:
    if not trained:
        return (
            "Two evaluations of one configuration differ by luck, which a query with a seed draws, for each metric on "
            f"its own. It is calibrated on {_repeated(made)} evaluated with several seeds at "
            "one budget, or where there are none on what predictions miss, which overstates it."
        )
    return (
        "Two trainings of one configuration differ by luck, which a query with a seed draws: that of the training "
        "moves validation and test error together, that of the images each on its own. Both are calibrated on "
        f"{_repeated(made)} trained with several seeds at one budget.{_depth(noise)}"
    )


def _depth(noise: Noise) -> str:
    if not noise.bounded:
        return ""
    return (
        " It is skewed as theirs is: it makes a training worse by far now and then, and hardly ever multiplies the "
        f"odds of an error by less than {math.exp(-noise.depth):.2g}; nor is a draw better than what anybody has come "
        "near."
    )


def _luck_of_draws(benchmark: Benchmark, log: EvaluationLog) -> list[str]:
    """What of it is whose, where networks are drawn and the log has repeats of both kinds."""
    objective, ladder = benchmark.task.objective, benchmark.ladder
    if not benchmark.space.draws:
        return []
    said = ["", "The networks are drawn, so this luck is that of the draw and that of the training."]
    said += [
        f"At {draws.budget:g} {ladder.unit} networks of one generator differ in {objective.label} by a standard "
        f"deviation of {objective.shown(draws.architecture)} ({draws.generators} generators with several networks), "
        f"trainings of one network by {objective.shown(draws.training)} ({draws.networks} networks with several "
        "trainings)."
        for draws in draws_of(log.evaluations(), objective)
    ]
    return [said[0], " ".join(said[1:])]


def _to_keep_in_mind(benchmark: Benchmark) -> list[str]:
    remarks = [f"- {remark}" for remark in benchmark.space.remarks]
    if benchmark.manifest.measures is not None:
        if _of_our_trainings(benchmark) and any(benchmark.provenance["devices"]):
            return [*remarks, "- Memory and seconds are those of the device above."]
        return [*remarks, "- Nothing is known of a device: costs are what the log measured, where it did."]
    devices, unit = benchmark.provenance["devices"], benchmark.ladder.unit
    if unit == "seconds" and all(clock.startswith(REFERENCE_CLOCK) for clock in benchmark.provenance["clocks"]):
        several = f"- The trainings are of {len(devices)} devices, which did the same steps, by the reference clock; "
        several += "memory is that of the most common one."
        return [*remarks, *[several] * (len(devices) > 1), "- Running out of memory depends on the device above."]
    device_says = "how many epochs fit into a budget" if unit == "seconds" else "how long they take"
    return [
        *remarks,
        *_of_several(devices, unit),
        f"- Running out of memory, and {device_says}, depend on the device above.",
    ]


def _extrapolations(benchmark: Benchmark) -> list[str]:
    line = "- Answers far from what the optimizers above have tried are extrapolations"
    if benchmark.manifest.distilled:
        of = benchmark.task.objective.label
        line += f": `uncertainty` says how far, one standard deviation of what is not known of the {of}"
    between = "; budgets between rungs are interpolated and marked so" if len(benchmark.ladder.rungs) > 1 else ""
    return [f"{line}{between}."]


def _of_several(devices: Sequence[str], unit: str) -> list[str]:
    if len(devices) < 2 or unit != "seconds":
        return []
    return [f"- The trainings are of {len(devices)} devices, whose seconds buy different amounts of work."]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'hand'} ({count:,})" for name, count in sorted(counts.items()))
