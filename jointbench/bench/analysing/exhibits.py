"""All exhibits of a source, in the order of the page: the paper's five, then what stands beside the paper."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from jointbench.bench.analysing.attributions import attributions
from jointbench.bench.analysing.best_found import best_found
from jointbench.bench.analysing.budget_correlations import budget_correlations, ranks_of_generators
from jointbench.bench.analysing.budgets_over_time import budgets_over_time
from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.costs import costs
from jointbench.bench.analysing.error_distribution import error_distribution
from jointbench.bench.analysing.every_evaluation import every_evaluation, every_evaluation_of_runs
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit
from jointbench.bench.analysing.failures import failures
from jointbench.bench.analysing.fronts_at_equal_budgets import fronts_at_equal_budgets
from jointbench.bench.analysing.importance import importance
from jointbench.bench.analysing.learning_curves import learning_curves
from jointbench.bench.analysing.luck_of_generators import luck_of_generators
from jointbench.bench.analysing.noise import noise
from jointbench.bench.analysing.noise_models import noise_models
from jointbench.bench.analysing.parallel_coordinates import parallel_coordinates
from jointbench.bench.analysing.proposals import proposals
from jointbench.bench.analysing.reference_networks import reference_networks, retrained_networks
from jointbench.bench.analysing.rewarded import rewarded
from jointbench.bench.analysing.sampled_regions import sampled_regions
from jointbench.bench.analysing.spaces_beside import spaces_beside
from jointbench.bench.analysing.throughput import throughput
from jointbench.data.evaluation import Configuration

PAPER: Sequence[Callable[[Evidence], Exhibit]] = (
    every_evaluation,
    budget_correlations,
    reference_networks,
    importance,
    best_found,
)

BESIDE: Sequence[Callable[[Evidence], Exhibit]] = (
    parallel_coordinates,
    learning_curves,
    costs,
    error_distribution,
    noise,
    failures,
    throughput,
)

OF_COMPARISON: Sequence[Callable[[Compared], Exhibit]] = (
    every_evaluation_of_runs,
    retrained_networks,
    proposals,
    rewarded,
    sampled_regions,
    budgets_over_time,
)


def exhibits_of_evidence(evidence: Evidence, explained: tuple[str, Configuration] | None = None) -> Iterator[Exhibit]:
    """One after the other. `explained`: the name of a configuration, and the configuration, that is held against the
    average."""
    for exhibit in PAPER:
        yield exhibit(evidence)
    if explained is not None:
        yield attributions(evidence, *explained)
    for exhibit in BESIDE:
        yield exhibit(evidence)
        if exhibit is noise and evidence.task.space.draws:
            yield luck_of_generators(evidence)


def claims_on_generators(evidence: Evidence, other: Evidence | None, fronts: Path | None) -> Iterator[Exhibit]:
    """What Ru et al. 2020 claim of generators, as it comes out. `other`: evidence of another space; `fronts`: the
    folder of a comparison for several objectives."""
    yield luck_of_generators(evidence)
    yield noise_models(evidence)
    yield spaces_beside(evidence, other)
    yield ranks_of_generators(evidence)
    yield fronts_at_equal_budgets(evidence, fronts)


def exhibits_of_comparison(compared: Compared) -> Iterator[Exhibit]:
    for exhibit in OF_COMPARISON:
        yield exhibit(compared)
