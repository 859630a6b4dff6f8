"""The package fanova itself, where it is installed (`pip install 'jointbench[fanova]'`)."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import util
from typing import Any

import numpy as np

from jointbench.bench.analysing.evidence import Evidence
from jointbench.data.arrays import FloatArray

#: Trees of its forest, its own default.
TREES = 16


def by_package(evidence: Evidence, rung: int) -> Mapping[str, float] | None:
    """What fanova says that each hyperparameter explains by itself, of the trainings at a rung; None where it is not
    installed. Its forest is its own."""
    if util.find_spec("fanova") is None:
        return None
    frame = evidence.ok[evidence.ok["rung"] == rung]
    names = evidence.task.space.names
    made = package_forest(dict(zip(names, evidence.unit_rows(frame).T, strict=True)), frame["value"].to_numpy(float))
    return {name: float(made.quantify_importance((name,))[(name,)]["individual importance"]) for name in names}


def package_forest(columns: Mapping[str, FloatArray], values: FloatArray, trees: int = TREES) -> Any:
    """A `fanova.fANOVA` of columns (n,) in the unit cube and values (n,).

    Three traps of fanova 2.0.19: it weights a parameter on a logarithmic scale as if it were linear, unless it is given
    the unit cube; it takes columns in ConfigSpace's order, which is not that of their insertion, unless they have
    names; and it needs NumPy's old `float`.
    """
    import pandas as pd
    from ConfigSpace import ConfigurationSpace, UniformFloatHyperparameter

    with _old_numpy():
        from fanova import fANOVA

        space = ConfigurationSpace()
        for name in columns:
            space.add(UniformFloatHyperparameter(name, 0.0, 1.0))
        return fANOVA(pd.DataFrame(dict(columns)), np.asarray(values), space, n_trees=trees, seed=0)


@contextmanager
def _old_numpy() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # By its name, which our own linter would rewrite.
        vars(np).setdefault("float", float)
        yield
