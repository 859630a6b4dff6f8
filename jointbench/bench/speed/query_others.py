"""What a query's speed is compared with: XGBoost's own calls on our trees, and pipelines as JAHS-Bench-201 has them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import corners_and_samples

#: What the pipelines predict, one each.
METRICS = ("validation_error", "test_error", "training_seconds", "wall_seconds", "peak_memory", "images_per_second")
#: Our answers that the pipelines are fitted to.
FITTED = 2_000


def as_boosters(models: Sequence[bytes]) -> list[xgboost.Booster]:
    return [xgboost.Booster({"nthread": 1}, model_file=bytearray(model)) for model in models]


def as_estimators(models: Sequence[bytes]) -> list[xgboost.XGBRegressor]:
    """XGBoost's scikit-learn objects of the same trees."""
    estimators = [xgboost.XGBRegressor(n_jobs=1) for _ in models]
    for estimator, model in zip(estimators, models, strict=True):
        estimator.load_model(bytearray(model))
        estimator.set_params(n_jobs=1)
    return estimators


class Pipelines:
    """One pipeline a metric: a frame's numbers scaled, its small integers one-hot, then a booster of `trees`."""

    def __init__(self, benchmark: Benchmark, trees: int, depth: int) -> None:
        space = benchmark.space
        rows = corners_and_samples(space, FITTED)
        budgets = np.resize(benchmark.ladder.rungs, len(rows))
        answers, frame = benchmark.query_batch(rows, budgets), self.frame(benchmark, rows, budgets)
        choices = [h.name for h in space.hyperparameters if h.integer and h.high - h.low < 8]
        others = [name for name in frame if name not in choices]
        self.pipelines = []
        for metric in METRICS:
            columns = ColumnTransformer([("scaled", MinMaxScaler(), others), ("one-hot", OneHotEncoder(), choices)])
            regressor = xgboost.XGBRegressor(n_estimators=trees, max_depth=depth, n_jobs=1)
            pipeline = Pipeline([("columns", columns), ("model", regressor)])
            self.pipelines.append(pipeline.fit(frame, getattr(answers, metric)))

    @staticmethod
    def frame(benchmark: Benchmark, rows: FloatArray, budgets: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=list(benchmark.space.names)).assign(budget=budgets)

    def query(self, configuration: Configuration, budget: float) -> dict[str, float]:
        frame = pd.DataFrame([{**configuration, "budget": budget}])
        return {metric: float(values[0]) for metric, values in self.predict(frame).items()}

    def predict(self, frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
        return {metric: pipeline.predict(frame) for metric, pipeline in zip(METRICS, self.pipelines, strict=True)}
