"""Probabilities on pages."""

import pytest

from jointbench.bench.pages.probability import probability


@pytest.mark.parametrize(
    ("p", "places", "said"),
    [(1.0, 3, "1.000"), (0.0414, 3, "0.041"), (0.001, 3, "0.001"), (6e-8, 3, "< 0.001"), (6e-8, 4, "< 0.0001")],
)
def test_none_is_written_as_nought(p: float, places: int, said: str) -> None:
    assert probability(p, places) == said
