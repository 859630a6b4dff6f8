"""The paper's Table 3: the space with the best configuration found, beside the paper's."""

from typing import Any

from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Table
from jointbench.bench.analysing.resampling import wilson
from jointbench.data.evaluation import Configuration
from jointbench.data.quantities import counted

#: The paper's best configuration, by its name in the joint space.
PAPER = "zela-2018"


def best_found(evidence: Evidence) -> Exhibit:
    best = evidence.incumbent
    if best is None:
        return table_3(evidence, None, "")
    objective, images = evidence.objective, evidence.task.images
    value, n = float(best["value"]), images.validation if images is not None else 0
    real = f"Its real {objective.label} after {evidence.amount(int(best['rung']))} is {objective.shown(value)}"
    finding = f"The best {objective.label} after {evidence.amount(int(best['rung']))} is {objective.shown(value)}"
    if objective.fraction and n:
        low, high = wilson(value, n)
        interval = f" (95 % interval {low:.2%} to {high:.2%}, counted on {n:,} images)"
        real, finding = real + interval, finding + interval
    if "test_error" in best:
        real += f", its test error {float(best['test_error']):.2%}"
        finding += f", with a test error of {float(best['test_error']):.2%}"
    exhibit = table_3(evidence, evidence.configuration(best), f"{real}.")
    return Exhibit(
        exhibit.name,
        exhibit.title,
        exhibit.words,
        (),
        exhibit.tables,
        exhibit.missing,
        f"{finding}, of {counted(len(evidence.ok), 'evaluation')} that ended ok.",
    )


def table_3(evidence: Evidence, configuration: Configuration | None, real: str) -> Exhibit:
    """`configuration`: the best one found; `real`: what its training came to, in a sentence."""
    name, title = "table_3", "Table 3: the space, and the best configuration found"
    space = evidence.task.space
    paper = space.named.get(PAPER)
    numbers: dict[str, list[Any]] = {
        "hyperparameter": list(space.names),
        "low": [h.low for h in space.hyperparameters],
        "high": [h.high for h in space.hyperparameters],
        "log": [h.log for h in space.hyperparameters],
    }
    headings = ["hyperparameter", "range", "log-transform"]
    rows = [[h.name, f"[{h.low:g}, {h.high:g}]", "yes" if h.log else "no"] for h in space.hyperparameters]
    missing, words = list[str](), list[str]()
    if configuration is None:
        missing.append("No evaluation ended ok: there is no best configuration.")
    else:
        _column("best found", "best_found", configuration, headings, rows, numbers)
        words.append(real)
    if paper is not None:
        _column("the paper's", "paper", paper, headings, rows, numbers)
    elif space.named:
        missing.append(f"The space {space.name} does not hold the paper's best configuration.")
    if evidence.benchmark is None:
        missing.append("Predicted errors are missing: `jointbench fit` makes a surrogate of the log.")
    else:
        words += [
            _expected(evidence, what, one) for what, one in (("it", configuration), ("the paper's", paper)) if one
        ]
    table = Table(
        name, f"The space {space.name}", headings, rows, numbers, ("hyperparameter", "range", "log-transform")
    )
    return Exhibit(name, title, [" ".join(words)] if words else [], (), [table], missing)


def _column(
    heading: str,
    key: str,
    configuration: Configuration,
    headings: list[str],
    rows: list[list[str]],
    numbers: dict[str, Any],
) -> None:
    headings.append(heading)
    numbers[key] = [configuration.get(name) for name in numbers["hyperparameter"]]
    for row, value in zip(rows, numbers[key], strict=True):
        row.append("" if value is None else f"{value:.6g}" if isinstance(value, float | int) else str(value))


def _expected(evidence: Evidence, what: str, configuration: Configuration) -> str:
    benchmark = evidence.benchmark
    assert benchmark is not None
    largest, objective = benchmark.ladder.maximum, evidence.objective
    answer = benchmark.query_batch([configuration], largest).columns()
    doubt = answer.get("uncertainty")
    unsure = (
        f" (one standard deviation of what is not known: {objective.shown(float(doubt[0]))})"
        if doubt is not None
        else ""
    )
    test = f" and a test error of {float(answer['test_error'][0]):.2%}" if "test_error" in answer else ""
    return (
        f"The surrogate expects of {what} a {objective.label} of "
        f"{objective.shown(float(answer[objective.name][0]))}{unsure}"
        f"{test} after {benchmark.ladder.amount(largest)}."
    )
