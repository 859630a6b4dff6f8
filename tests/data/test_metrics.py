"""Metrics: what they say of a value, how they travel, and who the incumbent is by them."""

import doctest
import json
import math
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jointbench.data.metrics
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.incumbent import Incumbents, incumbents, ranked
from jointbench.data.metrics import METRICS, TEST_ERROR, TRAINED, VALIDATION_ERROR, Metric, get_metric
from jointbench.data.spaces.joint import JOINT

ACCURACY = Metric("accuracy", "fraction", maximize=True, bounds=(0, 1), failure=0.0, chance="accuracy")
LOSS = Metric("loss")
ANYWHERE = JOINT.named["zela-2018"]


def evaluation(budget: float = 1.0, status: Status = Status.OK, **metrics: float) -> Evaluation:
    return Evaluation("joint", ANYWHERE, budget, 0, status, metrics)


def test_the_truth_table_of_the_docstring_holds() -> None:
    assert doctest.testmod(jointbench.data.metrics).failed == 0
    assert doctest.testmod(jointbench.data.metrics).attempted > 3


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_the_better_value_has_the_lower_loss_and_a_failure_ranks_behind_all(first: float, second: float) -> None:
    assert (LOSS.loss(first) < LOSS.loss(second)) == (first < second)
    assert (ACCURACY.loss(first) < ACCURACY.loss(second)) == (first > second)
    for metric in (LOSS, ACCURACY):
        assert metric.loss(first) < metric.loss(first, ok=False)


def test_what_is_missing_is_said_by_name() -> None:
    with pytest.raises(InputError, match=r"metrics of the evaluation: 'loss' given, expected validation_error among"):
        VALIDATION_ERROR.loss_of(evaluation(loss=3.0))
    assert math.isnan(VALIDATION_ERROR.counted_of(evaluation(loss=3.0)))
    with pytest.raises(AttributeError, match="no test_error"):
        _ = evaluation(loss=3.0).test_error


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Validation error"}, "metric"),
        ({"name": "x", "bounds": (1, 0)}, "bounds of x"),
        ({"name": "x", "bounds": (0, 1), "failure": 2.0}, "failure of x"),
        ({"name": "x", "failure": math.inf}, "failure of x"),
    ],
)
def test_a_metric_that_makes_no_sense_is_refused(given: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as raised:
        Metric(**given)  # type: ignore[arg-type]
    assert raised.value.field == field


@pytest.mark.parametrize("metric", [*METRICS.values(), ACCURACY, LOSS], ids=lambda metric: metric.name)
def test_a_metric_goes_through_json(metric: Metric) -> None:
    assert Metric.from_dict(json.loads(json.dumps(metric.as_dict()))) == metric


def test_what_a_known_metric_is_called_may_change_but_not_what_it_means() -> None:
    called = Metric.from_dict({**VALIDATION_ERROR.as_dict(), "label": "error", "format": ".1%"})
    assert called is VALIDATION_ERROR
    other = Metric.from_dict({**METRICS["latency"].as_dict(), "maximize": True})
    assert other != METRICS["latency"]


def test_a_metric_says_how_it_is_written() -> None:
    assert VALIDATION_ERROR.shown(0.1234) == "12.34%"
    assert METRICS["peak_memory"].shown(3 * 2**20) == "3 MiB"
    assert METRICS["parameters"].shown(1234567) == "1,234,567"
    rate = METRICS["images_per_second"]
    assert [rate.shown(value) for value in (17.94, 2104.3, 51234.0, 2.5e6)] == ["17.9", "2,104", "51,234", "2.5e+06"]
    assert rate.shown_difference(-2104.3) == "-2,104"
    assert rate.labels == "images per second"
    assert Metric("loss_per_query").labels == "losses per query"
    assert [METRICS[name].axis for name in ("validation_error", "peak_memory", "training_seconds")] == [
        "validation error",
        "peak memory, bytes",
        "training seconds",
    ]
    assert VALIDATION_ERROR.guessing(10) == 1 - 1 / 10
    assert ACCURACY.guessing(10) == 1 / 10
    assert LOSS.guessing(10) is None
    assert VALIDATION_ERROR.guessing(None) is None


def test_metrics_are_found_by_their_names_those_of_packages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_metric("flops") is METRICS["flops"]
    assert get_metric("loss", [LOSS]) is LOSS
    with pytest.raises(UnknownNameError, match="validation_error"):
        get_metric("los")
    found = [EntryPoint("theirs", f"{__name__}:ACCURACY", "jointbench.metrics"), EntryPoint("none", "math:pi", "x")]
    monkeypatch.setattr(jointbench.data.metrics, "entry_points", lambda group: found)
    assert get_metric("theirs") == ACCURACY
    with pytest.raises(InputError, match="an entry point of a jointbench Metric"):
        get_metric("none")


def test_an_evaluation_holds_what_was_measured_and_nobody_changes_it() -> None:
    made = evaluation(validation_error=0.3, test_error=0.4, parameters=5)
    assert (made.validation_error, made.parameters, made.steps) == (0.3, 5, 0)
    with pytest.raises(TypeError, match="cannot be changed"):
        made.metrics["validation_error"] = 0.0  # type: ignore[index]
    assert made.measuring(parameters=6).metrics == {**made.metrics, "parameters": 6}
    crashed = made.failing(Status.CRASHED, "died")
    assert crashed.metrics == {"validation_error": 1.0, "test_error": 1.0, "parameters": 5}
    assert made.failing(Status.CRASHED, "died", [TEST_ERROR]).validation_error == 0.3


POINTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([1.0, 3.0]), st.booleans()), max_size=12
)


@given(POINTS)
def test_the_front_is_what_no_other_is_better_than(points: list[tuple[int, int, float, bool]]) -> None:
    told = [
        evaluation(budget, Status.OK if ok else Status.CRASHED, loss=loss, accuracy=accuracy / 3)
        for loss, accuracy, budget, ok in points
    ]
    heard = Incumbents((LOSS, ACCURACY))
    became = [heard.hear(one) for one in told]
    ended = [one for one in told if one.ok]

    def behind(one: Evaluation, other: Evaluation) -> bool:
        first, second = ((e.metrics["loss"], -e.metrics["accuracy"]) for e in (one, other))
        return first != second and all(b <= a for a, b in zip(first, second, strict=True))

    best = [one for one in ended if not any(behind(one, other) for other in ended)]
    values = [(one.metrics["loss"], one.metrics["accuracy"]) for one in heard.front]
    assert sorted(values) == sorted({(one.metrics["loss"], one.metrics["accuracy"]) for one in best})
    # Of equal ones the largest budget stands.
    for one in heard.front:
        same = [other.budget for other in ended if other.metrics == one.metrics]
        assert one.budget == max(same)
    assert became == [any(one is other for other in front) for one, front in zip(told, _fronts(told), strict=True)]


def _fronts(told: list[Evaluation]) -> list[tuple[Evaluation, ...]]:
    return list(incumbents(told, (LOSS, ACCURACY)))


@given(POINTS)
def test_by_hpbandsters_rule_a_front_is_that_of_the_largest_budget(
    points: list[tuple[int, int, float, bool]],
) -> None:
    told = [
        evaluation(budget, Status.OK if ok else Status.CRASHED, loss=loss, accuracy=accuracy / 3)
        for loss, accuracy, budget, ok in points
    ]
    largest = max((one.budget for one in told if one.ok), default=0.0)
    *_, front = [(), *incumbents(told, (LOSS, ACCURACY), "largest-budget")]
    *_, alone = [(), *incumbents([one for one in told if one.budget == largest], (LOSS, ACCURACY))]
    assert front == alone


def test_of_a_metric_to_be_maximised_the_largest_is_the_incumbent() -> None:
    told = [evaluation(accuracy=accuracy) for accuracy in (0.5, math.nan, 0.7, 0.6)]
    heard = Incumbents((ACCURACY,))
    assert [heard.hear(one) for one in told] == [True, False, True, False]
    assert heard.best is told[2]
    assert ranked(told, ACCURACY) == [told[2], told[3], told[0], told[1]]


def test_a_failures_place_in_a_table_is_what_the_metric_says() -> None:
    assert [metric.name for metric in TRAINED if metric.failure is not None] == ["validation_error", "test_error"]
    assert VALIDATION_ERROR.failure == 1.0
