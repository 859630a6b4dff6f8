"""Which model reads the outputs of a forest: that of trainings on images, or that of any task."""

from collections.abc import Mapping

from jointbench.data.evaluation import Status
from jointbench.surrogate.bounds import Bounds
from jointbench.surrogate.collapse_law import CollapseLaw
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.metric_outcome import MetricOutcomes
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.outcome import OutcomeModel
from jointbench.surrogate.scales import Measures


def outcome_model(
    features: FeatureMap,
    measures: Measures | None,
    members: int,
    noise: Noise,
    odds: Mapping[Status, tuple[float, float]],
    bounds: Bounds | None = None,
    collapse: CollapseLaw | None = None,
    *,
    distilled: bool,
) -> OutcomeModel:
    """That of a task of any metrics, or of trainings on images, whose device is known."""
    if measures is not None:
        return MetricOutcomes(features.ladder, measures, members, noise, odds, distilled)
    assert features.images is not None
    assert features.cost_model is not None
    return OutcomeModel(
        features.images, features.ladder, features.cost_model, members, noise, odds, distilled, bounds, collapse
    )
