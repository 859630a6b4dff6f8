"""Trainings side by side: real processes, and the number of them that is recommended."""

import json
import sys

import pytest
from test_trainer import SMALL

from jointbench.bench.speed import sharing
from jointbench.bench.speed.sharing import choose
from jointbench.bench.speed.sharing_process import Job, side_by_side
from jointbench.bench.speed.subjects import subjects, with_batch_of
from jointbench.bench.training.hardware import Hardware

CALIBRATED = Hardware(clock="calibrated")


@pytest.mark.parametrize(
    ("rates", "best"),
    [
        ({1: 100.0, 2: 180.0, 4: 240.0, 8: 220.0}, 4),
        # As good as the best, and each of them sooner.
        ({1: 100.0, 2: 196.0, 4: 200.0}, 2),
        ({1: 100.0, 2: 90.0, 4: 80.0}, 1),
        ({4: 10.0}, 4),
    ],
)
def test_the_fewest_that_are_as_good_as_the_best_are_taken(rates: dict[int, float], best: int) -> None:
    assert choose(rates) == best


def test_all_train_at_once_on_one_calibrated_figure() -> None:
    rates = side_by_side(Job(SMALL, "digits", None, CALIBRATED, 2, 0.2, 0.125))
    assert rates is not None
    assert [rate.seconds_a_step for rate in rates] == [0.125, 0.125]
    assert all(rate.images_a_second > 0 for rate in rates)


def test_where_one_does_not_fit_none_is_counted() -> None:
    assert side_by_side(Job(SMALL, "digits", None, Hardware(memory=1000), 2, 0.2, None)) is None


def test_it_says_which_number_to_take(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["program", "--quick", "--json", "--device", "cpu", "--images", "digits", "--counts", "1", "2"]
    monkeypatch.setattr(sys, "argv", [*words, "--network", "Shake-Shake 26 2x32d"])
    sharing.main()
    figures = json.loads(capsys.readouterr().out)
    rates = {number: figures[f"images_per_second_{number}"] for number in (1, 2)}
    assert all(rate > 0 for rate in rates.values())
    # Which one that is depends on what else the machine does.
    assert figures["best"] == choose(rates)


def test_on_a_processor_batches_are_as_large_as_their_flops_allow() -> None:
    table_3 = subjects()["Table 3"]
    # 14.83 GFLOP an image and step.
    assert with_batch_of(120e9, table_3) == {**table_3, "batch_size": 8}
    assert with_batch_of(1.0, table_3)["batch_size"] == 2
    assert with_batch_of(1e15, table_3)["batch_size"] == 89
