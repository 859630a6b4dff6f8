"""The paper's Table 2: published networks in the same time budget beside the best configuration found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Table
from jointbench.bench.comparing.as_trained import as_trained
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.metrics import TEST_ERROR
from jointbench.data.quantities import counted, short
from jointbench.data.spaces.registry import SPACES
from jointbench.data.spaces.space import Space

#: What the paper's Table 2 says of networks trained for 3 hours on CIFAR-10: test error, and its deviation over seeds.
PAPER = {
    "preact-resnet-18": (0.0334, 0.0011),
    "shake-shake-26-2x32d": (0.0391, 0.0009),
    "shake-shake-26-2x64d": (0.0338, 0.0007),
    "shake-shake-26-2x96d": (0.0422, 0.0006),
    "zela-2018": (0.0318, 0.0016),
}

#: The row of the best configuration found.
INCUMBENT = "incumbent"


@dataclass(frozen=True)
class Trained:
    """A network's trainings at the largest budget: its `parameters`, and the test errors (n,) of those that ended ok,
    one a seed; empty where there are none. `expected`: what the surrogate says, NaN without one; `failed`: how many
    other trainings there are, which did not end ok."""

    name: str
    parameters: int
    test_errors: FloatArray
    expected: float = float("nan")
    failed: int = 0

    @property
    def mean(self) -> float:
        return float(self.test_errors.mean()) if len(self.test_errors) else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation over seeds (n - 1); NaN of a single one."""
        return float(self.test_errors.std(ddof=1)) if len(self.test_errors) > 1 else float("nan")


def reference_networks(evidence: Evidence) -> Exhibit:
    found = [] if evidence.task.images is None else list(_references(evidence))
    best = evidence.incumbent
    if best is not None and evidence.task.images is not None:
        own = evidence.ok[(evidence.ok["group"] == best["group"]) & (evidence.ok["rung"] == best["rung"])]
        configuration, space = evidence.configuration(best), evidence.task.space
        errors = own["test_error"].to_numpy(float)
        found.append(
            Trained(INCUMBENT, _parameters(evidence, space, configuration), errors, _said(evidence, configuration))
        )
    chosen = (
        "the incumbent is the configuration with the best value at the largest budget, chosen by it, so that its own "
        "evaluations flatter it."
    )
    where = "Each of these commands says where its log lies; `--retrainings` takes it, and this table has it then."
    return table_2(evidence, found, chosen, where, lambda name: _command(evidence, name))


def retrained_networks(compared: Compared) -> Exhibit:
    """Of a comparison: a row an optimizer, of all trainings of its runs' incumbents, below the reference networks."""
    task, incumbents = compared.task, compared.incumbents
    evidence = Evidence(compared.name, task, None, compared.benchmark, compared.retrainings)
    found = [] if task.images is None else list(_references(evidence))
    for optimizer in compared.optimizers if task.images is not None else ():
        rows = incumbents[incumbents["optimizer"] == optimizer].to_dict("records")
        configurations = [evidence.configuration(row) for row in rows]
        # Runs that ended with the same configuration share its trainings.
        different = list({tuple(one.items()): one for one in configurations}.values())
        trained = [_errors(evidence, task.space, one) for one in different]
        if different:
            parameters = int(np.median([_parameters(evidence, task.space, one) for one in different]))
            said = float(np.median([_said(evidence, one) for one in different]))
            errors, failed = np.concatenate([one for one, _ in trained]), sum(failed for _, failed in trained)
            found.append(Trained(optimizer, parameters, errors, said, failed))
    chosen = (
        "an optimizer's row is of all trainings of its runs' final incumbents, with fresh seeds; its parameters and "
        "what "
        "the surrogate expects are medians over them."
    )
    command = f"jointbench retrain {compared.folder}"
    return table_2(evidence, found, chosen, f"`{command}` trains what is missing.", lambda name: command)


def table_2(
    evidence: Evidence, found: Sequence[Trained], chosen: str, where: str, command: Callable[[str], str]
) -> Exhibit:
    """A row a network, the incumbents last. `chosen`: what they are; `command`: by which one of this name is trained,
    and `where` that is found."""
    name, title = "table_2", "Table 2: reference networks beside the best configuration found"
    if evidence.task.images is None:
        return Exhibit(name, title, missing=["There are no images, hence no networks to train beside the best."])
    images, ladder = evidence.task.images.name, evidence.task.ladder
    rows, missing = list[list[str]](), list[str]()
    for one in found:
        measured = f"not trained: {command(one.name)}"
        if len(one.test_errors):
            spread = f" ± {one.deviation:.2%}" if np.isfinite(one.deviation) else ""
            failed = f", {one.failed:,} failed" if one.failed else ""
            measured = f"{one.mean:.2%}{spread} (n = {len(one.test_errors)}{failed})"
        elif one.failed:
            measured = counted(one.failed, "training, which failed", "trainings, all of which failed")
        expected = f"{one.expected:.2%}" if np.isfinite(one.expected) else ""
        paper = "{:.2%} ± {:.2%}".format(*PAPER[one.name]) if one.name in PAPER else ""
        rows.append([one.name, short(one.parameters), measured, expected, paper])
    if any(not len(one.test_errors) and not one.failed for one in found):
        missing.append(where)
    if not any(one.name not in PAPER and one.name not in _named() for one in found):
        missing.append("No evaluation ended ok: there is no best configuration to lay beside them.")
    numbers: dict[str, list[Any]] = {
        "network": [one.name for one in found],
        "parameters": [one.parameters for one in found],
        "test_error": [one.mean for one in found],
        "test_error_deviation": [one.deviation for one in found],
        "n": [len(one.test_errors) for one in found],
        "expected_test_error": [one.expected for one in found],
        "paper_test_error": [PAPER.get(one.name, (float("nan"),) * 2)[0] for one in found],
        "paper_test_error_deviation": [PAPER.get(one.name, (float("nan"),) * 2)[1] for one in found],
    }
    headings = ["network", "parameters", "test error", "expected by the surrogate", "in the paper (CIFAR-10, 3 h)"]
    words = (
        f"All with a budget of {ladder.amount(ladder.maximum)} on {images}: mean test error and its standard deviation "
        f"over seeds. The reference networks are the paper's, trained as its appendix B says; {chosen}"
    )
    table = Table(name, f"Reference networks after {ladder.amount(ladder.maximum)}", headings, rows, numbers, headings)
    return Exhibit(name, title, [words], (), [table], missing)


def _command(evidence: Evidence, name: str) -> str:
    """By which a reference network is trained."""
    ladder, images = evidence.task.ladder, evidence.task.images
    assert images is not None
    largest = f"{ladder.maximum:g}{'s' if ladder.unit == 'seconds' else ladder.unit}"
    command = f"jointbench train {name} --images {images.name} --budget {largest} --seed 0"
    return f"{command} {_options(evidence)}".strip()


def _options(evidence: Evidence) -> str:
    """By which a training is timed and computed as those of the evidence were."""
    if evidence.frame is not None and {"clock", "precision"} <= {*evidence.frame}:
        return as_trained(evidence.frame["clock"].dropna(), evidence.frame["precision"].dropna())
    made = {} if evidence.benchmark is None else evidence.benchmark.provenance
    return as_trained(made.get("clocks", ()), made.get("precisions", ()))


def _named() -> set[str]:
    return {name for space in SPACES.values() for name in space.named}


def _references(evidence: Evidence) -> "list[Trained]":
    """The named configurations of all spaces, of a space that is searched in several sizes once."""
    found: dict[str, Trained] = {}
    own = evidence.task.space
    for space in (own, *(one for one in SPACES.values() if one.name != own.name)):
        for name, configuration in space.named.items():
            if name not in found:
                errors, failed = _errors(evidence, space, configuration)
                expected = _said(evidence, configuration) if space == own else float("nan")
                found[name] = Trained(name, _parameters(evidence, space, configuration), errors, expected, failed)
    return list(found.values())


def _errors(evidence: Evidence, space: Space, configuration: Configuration) -> tuple[FloatArray, int]:
    """Of its trainings at the largest budget, in the log itself and in retrainings, the test errors of those that ended
    ok, and how many did not."""
    found, failed = list[float](), 0
    for task, frame in ((evidence.task, evidence.frame), *evidence.retrainings):
        if frame is None or task.space.name != space.name or not len(frame):
            continue
        same, ok = np.isclose(frame["budget"], evidence.task.ladder.maximum), frame["status"].eq("ok")
        for name, value in configuration.items():
            same &= np.isclose(frame[name], value, rtol=1e-9)
        found += frame.loc[same & ok, "test_error"].tolist()
        failed += int((same & ~ok).sum())
    return np.array(found), failed


def _parameters(evidence: Evidence, space: Space, configuration: Configuration) -> int:
    images = evidence.task.images
    assert images is not None
    return int(space.facts(configuration, images.shape, images.classes).parameters)


def _said(evidence: Evidence, configuration: Configuration) -> float:
    """The test error that the surrogate expects at the largest budget; NaN where it models none."""
    if evidence.benchmark is None:
        return float("nan")
    answer = evidence.benchmark.query(configuration, evidence.benchmark.ladder.maximum)
    return float(answer.metrics.get(TEST_ERROR.name, "nan"))
