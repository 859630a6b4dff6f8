"""Metrics as a command takes them."""

import math

import pytest

from jointbench.data.errors import InputError
from jointbench.data.metric_words import in_words, parse_metric, parse_metrics
from jointbench.data.metrics import VALIDATION_ERROR, Metric


def test_a_known_name_means_what_it_means_everywhere() -> None:
    assert parse_metric("validation_error") == VALIDATION_ERROR


def test_another_is_minimised_unless_it_says_otherwise() -> None:
    assert parse_metric("loss") == Metric("loss")
    assert parse_metric("accuracy:max").maximize


def test_a_failure_counts_as_the_worst_within_the_bounds() -> None:
    accuracy, loss = parse_metrics("accuracy:max:0..1, loss:0..20")
    assert (accuracy.bounds, accuracy.failure) == ((0, 1), 0)
    assert (loss.bounds, loss.failure) == ((0, 20), 20)
    assert parse_metric("loss:0..").failure is None
    assert parse_metric("gain:max:..0").bounds == (-math.inf, 0)


def test_a_fraction_is_one_from_0_to_1_in_per_cent() -> None:
    accuracy, share = parse_metrics("accuracy:max:fraction,share:fraction")
    assert accuracy == Metric("accuracy", "fraction", maximize=True, bounds=(0, 1), failure=0.0)
    assert (share.failure, share.shown(0.125)) == (1, "12.50%")
    # What is bounded alone is shown as it is: what it is in, nobody has said.
    assert parse_metric("accuracy:max:0..1").shown(0.125) == "0.125"


@pytest.mark.parametrize(
    "words",
    ["accuracy:max:fraction,loss", "validation_error,test_error", "accuracy:max:0..1,loss:0..20", "gain:max:..0,x:0.."],
)
def test_metrics_are_said_in_the_words_that_make_them(words: str) -> None:
    assert in_words(parse_metrics(words)) == words
    assert parse_metrics(in_words(parse_metrics(words))) == parse_metrics(words)


def test_metrics_and_words_go_together() -> None:
    own = Metric("f1", "fraction", maximize=True, bounds=(0, 1), failure=0.0)
    assert parse_metrics([own, "wall_seconds"])[0] is own


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("validation_error:max", "direction and bounds of this name are known"),
        ("accuracy:max:min", "max behind it to maximise"),
        ("accuracy:best", "max behind it to maximise"),
        ("accuracy:0..1:0..2", "max behind it to maximise"),
        ("accuracy:0..2:fraction", "max behind it to maximise"),
        ("accuracy:1..0", "the least and the most"),
        ("Accuracy", "small letters"),
        ("loss,loss", "each name once"),
        ("", "small letters"),
    ],
)
def test_what_makes_no_sense_is_refused(words: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_metrics(words)
