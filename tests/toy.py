"""A space that is unlike the joint one in every way: choices, orders, constants, conditions; no facts, no network."""

from jointbench.data.ladder import Ladder
from jointbench.data.spaces.conditions import All, Either, above, below, differs, equals, one_of
from jointbench.data.spaces.hyperparameters import Choice, Number
from jointbench.data.spaces.space import Space

_KIND = Choice("kind", ("forest", "boosting", "line"), weights=(2.0, 1.0, 1.0))
_TREES = Number("trees", 1, 200, log=True, integer=True)
_SIZE = Choice("size", ("small", "medium", "large"), ordered=True, default="medium")
_SCALED = Choice("scaled", (True, False))


class ToySpace(Space):
    """`most`: of the learning rate, a parameter of the space."""

    name = "toy"
    architecture = ("kind", "trees", "size", "depth")
    expert = {"scaled": True}  # noqa: RUF012 - as a person would write it
    conditions = {  # noqa: RUF012
        "trees": one_of(_KIND, "forest", "boosting"),
        "rate": All((equals(_KIND, "boosting"), above(_TREES, 10))),
        "depth": Either((differs(_KIND, "line"), above(_SIZE, "small"))),
        "slope": below(_SIZE, "large"),
        "shift": equals(_SCALED, False),
    }

    def __init__(self, most: float = 1.0) -> None:
        self.hyperparameters = (
            # Before its parents.
            Number("rate", 1e-3, most, log=True),
            _KIND,
            _TREES,
            _SIZE,
            Choice("depth", (1, 2, 4.5, 8), ordered=True),
            Choice("version", ("v1",)),
            Number("slope", -5.0, 5.0, default=1.0),
            _SCALED,
            Number("shift", -2, 2, integer=True),
        )


TOY = ToySpace()
ONE_RUNG = Ladder(10, 10, unit="seconds")
