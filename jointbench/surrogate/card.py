"""The card of a benchmark: how its data was made, how good it is, what not to use it for."""

from collections.abc import Mapping, Sequence

from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.judging.verdict import HEADINGS, WORDS

#: The file's name.
CARD = "card.md"


def card(benchmark: Benchmark, log: EvaluationLog, judgement: Judgement) -> str:
    """Markdown, made from the log, the frozen benchmark and what is to be said of it."""
    made, images, ladder, found = benchmark.provenance, benchmark.images, benchmark.ladder, benchmark.verdict
    statuses: dict[str, int] = {}
    for evaluation in log.evaluations():
        statuses[evaluation.status.value] = statuses.get(evaluation.status.value, 0) + 1
    channels, height, width = images.shape
    if ladder.unit == "seconds":
        spent, device_says = "forward, backward and optimizer step", "how many epochs fit into a budget"
    else:
        spent, device_says = "training", "how long they take"
    lines = [
        f"# {benchmark.name}",
        "",
        f"A surrogate of training networks of the space `{benchmark.space.name}` (Zela et al. 2018, Table 3: 10 "
        f"architecture choices and 7 hyperparameters) on `{images.name}`, fitted to {made['evaluations']:,} "
        "real trainings.",
        "",
        f"## Verdict: {found.word}",
        "",
        f"{found.sentence[0].upper()}{found.sentence[1:]} All are of validation errors. `jointbench compare` and "
        "`jointbench publish` refuse what is not usable, unless they are told `--anyway`.",
        "",
        _line(HEADINGS),
        _line(["---"] * len(HEADINGS)),
        *(_line(ground.cells) for ground in found.grounds),
        "",
        WORDS,
        "",
        "## How the data was made",
        "",
        f"- Images: `{images.name}`, {height}x{width} pixels, {channels} channel(s), {images.classes} classes; "
        f"{images.training:,} for training, {images.validation:,} for validation, {images.test:,} for test "
        f"(split seed {images.split_seed}).",
        f"- Budgets: {ladder} {ladder.unit} of {spent}, on: {'; '.join(made['devices'])}.",
        *(f"- Left out: {sentence}." for sentence in made.get("left_out", [])),
        f"- Trainings by: {_counted(made['by_optimizer'])}.",
        f"- Ended as: {_counted(statuses)}.",
        f"- torch {', '.join(made['torch_versions'])}; precision {', '.join(made['precisions'])}; "
        f"clock {', '.join(made['clocks'])}; JointBench {', '.join(made['code_versions'])}.",
        "- Each training starts from scratch; the errors are those after its last step, on clean images. Padding and "
        "CutOut length keep their proportion to the side of the image (the paper's 32 pixels).",
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
        "Two trainings of one configuration differ by luck, which a query with a seed draws: that of the training "
        "moves validation and test error together, that of the images each on its own. Both are calibrated on "
        f"{made['repeats']} configurations that were trained with several seeds at one budget.",
        "",
        "## What to keep in mind",
        "",
        "- The death rate of ShakeDrop has no effect where no main block has exactly one branch.",
        *_of_several(made["devices"], ladder.unit),
        f"- Running out of memory, and {device_says}, depend on the device above.",
        *_extrapolations(benchmark),
        "",
        "## Licence and citation",
        "",
        "Apache-2.0. Please cite JointBench and Zela, Klein, Falkner and Hutter, *Towards Automated Deep Learning: "
        "Efficient Joint Neural Architecture and Hyperparameter Search*, 2018, for the space and the training.",
    ]
    return "\n".join(lines) + "\n"


def _extrapolations(benchmark: Benchmark) -> list[str]:
    line = "- Answers far from what the optimizers above have tried are extrapolations"
    if benchmark.manifest.distilled:
        line += ": `uncertainty` says how far, one standard deviation of what is not known of the validation error"
    return [f"{line}; budgets between rungs are interpolated and marked so."]


def _of_several(devices: Sequence[str], unit: str) -> list[str]:
    if len(devices) < 2 or unit != "seconds":
        return []
    return [f"- The trainings are of {len(devices)} devices, whose seconds buy different amounts of work."]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'hand'} ({count:,})" for name, count in sorted(counts.items()))
