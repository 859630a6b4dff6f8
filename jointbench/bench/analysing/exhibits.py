"""All exhibits of a source, in the order of the page."""

from collections.abc import Callable, Iterator, Sequence

from jointbench.bench.analysing.budget_correlations import budget_correlations
from jointbench.bench.analysing.every_evaluation import every_evaluation
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit

#: Of a log or a benchmark: the paper's, then what stands beside the paper.
OF_EVIDENCE: Sequence[Callable[[Evidence], Exhibit]] = (every_evaluation, budget_correlations)


def exhibits_of_evidence(evidence: Evidence) -> Iterator[Exhibit]:
    """One after the other."""
    for exhibit in OF_EVIDENCE:
        yield exhibit(evidence)
