"""What an analysis adds to a benchmark's card: the paper's Table 1, and what matters at which budget."""

from jointbench.bench.analysing.budget_correlations import budget_correlations
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Table
from jointbench.bench.analysing.importance import shares_by_surrogate


def card_section(evidence: Evidence) -> str:
    """Markdown, a heading and two tables; empty where the evidence supports neither."""
    parts, correlated = list[str](), budget_correlations(evidence)
    if correlated.tables:
        parts += [_markdown(correlated.tables[0], " ".join(correlated.words))]
    shares = shares_by_surrogate(evidence)
    if shares is not None:
        parts += [
            _markdown(shares, "By an exact fANOVA of forests fitted to what it expects of random configurations.")
        ]
    if not parts:
        return ""
    return "\n\n".join(["## What the evidence says", "`jointbench analyse` draws this, and more.", *parts])


def _markdown(table: Table, words: str) -> str:
    rows = [table.headings, ["---"] * len(table.headings), *table.rows]
    return "\n".join([f"### {table.title}", "", words, "", *(f"| {' | '.join(row)} |" for row in rows)])
