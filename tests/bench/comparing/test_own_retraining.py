"""The winners of a comparison that is about a person's own trainings, trained anew by the person's own function."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import jointbench
from jointbench.bench.calls.none_ended_ok import none_ended_ok
from jointbench.bench.comparing.comparison_folder import RETRAININGS
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.retraining import FIRST_SEED
from jointbench.bench.running.function_objective import FunctionObjective
from jointbench.bench.running.own_function import OwnFunction
from jointbench.cli import main
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metric_words import parse_metrics
from jointbench.data.seeds import function_seed
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.task import Task
from jointbench.surrogate.models import DEFAULT
from jointbench.surrogate.surrogate import Surrogate

#: Its failures have nothing that they count as, since a gain is not bounded.
MINE = """
def train(configuration, budget, seed, report):
    if configuration["x"] > 0.9:
        raise ValueError("too far")
    return {"gain": 3 - (configuration["x"] - 0.3) ** 2 - 1 / budget + seed % 97 / 9700}
"""
SPACE = PlainSpace("mine/of two", (Number("x", 0.0, 1.0), Number("y", 0.0, 1.0)))
LADDER = Ladder(2, 4, 2, "trees")
METRICS = "gain:max,wall_seconds"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("mine") / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    return f"{file}:train"


@pytest.fixture
def compared(mine: str, tmp_path: Path) -> Path:
    """A comparison on a surrogate that was fitted to trainings by the function."""
    task = Task(SPACE, LADDER, metrics=parse_metrics(METRICS))
    objective = FunctionObjective(OwnFunction.of(mine), task)
    drawn = SPACE.sample(np.random.default_rng(0), 30)
    log = EvaluationLog.open_or_create(tmp_path / "log", SPACE, LADDER, None, task.metrics)
    log.append([
        replace(objective(configuration, budget, number), key=f"{number}/{budget}")
        for number, configuration in enumerate(drawn)
        for budget in LADDER.rungs
    ])  # fmt: skip
    objective.close()
    surrogate = Surrogate.fit(log, "mine", settings=DEFAULT, partitions=1)
    surrogate.save(tmp_path / "benchmark")
    words = {"seeds": 2, "full_budgets": 6, "jobs": 1, "anyway": True, "quiet": True}
    return jointbench.compare(tmp_path / "benchmark", ["random"], out=tmp_path / "compared", **words).folder


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_the_function_trains_the_incumbents(
    compared: Path, mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What is missing, or not of this kind, is said before anything is trained.
    assert "`jointbench retrain COMPARISON --objective FILE.py:FUNCTION`" in refused(f"retrain {compared}", capsys)
    for more, said in (
        ("--images digits", "no images with an objective of your own"),
        ("--references zela-2018", "no references with an objective of your own"),
        ("--clock calibrated", "measured with an objective of your own"),
    ):
        assert said in refused(f"retrain {compared} --objective {mine} {more}", capsys)
    assert "a file that can be read" in refused(f"retrain {compared} --objective nowhere.py:train", capsys)
    assert not (compared / RETRAININGS).exists()

    main(f"retrain {compared} --objective {mine} --seeds 2".split())
    assert "of 4 trees to run" in capsys.readouterr().out
    made = jointbench.retrain(compared, objective=mine, seeds=2, quiet=True)
    assert (made.made, made.there) == (0, 2 * len({str(one.configuration) for one in final_incumbents(compared)}))
    frame = made.to_pandas()
    assert set(frame["seed"]) == {FIRST_SEED, FIRST_SEED + 1}
    for one in made.configurations:
        for evaluation in one.evaluations:
            x, noise = one.incumbent.configuration["x"], function_seed(evaluation.seed) % 97 / 9700  # type: ignore[union-attr]
            assert evaluation.metrics["gain"] == pytest.approx(3 - (x - 0.3) ** 2 - 1 / 4 + noise)
    assert {"said_gain", "gain"} <= set(frame)
    assert "test_error" not in frame
    assert "predicted gain" in made.table().headings
    page = (compared / "report.html").read_text(encoding="utf-8")
    for said in ("Real retrainings", "by mine.py:train", "predicted gain", "A training that failed is not in them."):
        assert said in page, said
    for absent in ("real validation", "published networks", "100 %"):
        assert absent not in page.partition("Real retrainings")[2], absent

    # Another function is not mixed with it.
    file = Path(mine.partition(":")[0])
    (tmp_path / file.name).write_text(MINE.replace("3 -", "4 -"), encoding="utf-8")
    said = refused(f"retrain {compared} --objective {tmp_path / file.name}:train --seeds 3", capsys)
    assert "objective of the retrainings" in said


def test_of_trainings_on_images_it_is_refused(mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    main(f"compare digits-cpu --optimizers random --seeds 1 --full-budgets 1 --jobs 1 --out {out} --quiet".split())
    assert "is about trainings of ours on images" in refused(f"retrain {out} --objective {mine}", capsys)
    assert not (out / RETRAININGS).exists()


def test_where_no_training_ends_ok_the_command_fails_and_says_why(
    compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text(
        "def train(configuration, budget, seed, report):\n    1 / 0\n", encoding="utf-8"
    )
    # The same again, where nothing is left to train, is no better.
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(f"retrain {compared} --objective {tmp_path / 'broken.py'}:train --seeds 2 --quiet".split())
        assert ended.value.code == 1
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith("jointbench: nothing is known of the incumbents: ")
        assert "none of which ended ok" in said
        assert "ZeroDivisionError: division by zero (broken.py:2)" in said
        assert said.endswith(f"trained anew where {compared / RETRAININGS} is removed")
    assert (compared / "report.html").exists()


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ("", ""),
        ("crashed ok crashed", ""),
        ("crashed", "1 training, which did not end ok (1 crashed; the first: why 0)"),
        (
            "timeout crashed crashed",
            "3 trainings, none of which ended ok (1 timeout, 2 crashed; the first: why 0)",
        ),
    ],
)
def test_how_trainings_ended_is_said_where_none_ended_ok(statuses: str, said: str) -> None:
    made = [
        Evaluation("mine", {}, 1.0, number, Status(status), {}, f"why {number}", key=f"{number}")
        for number, status in enumerate(statuses.split())
    ]
    # A training that several runs share counts once.
    assert none_ended_ok([*made, *made]) == said
