"""All that is said of a surrogate's trustworthiness, in tables of plain numbers."""

from dataclasses import dataclass, field

from jointbench.data.metrics import fractions_among
from jointbench.surrogate.judging.best import best
from jointbench.surrogate.judging.doubt_check import doubt_check
from jointbench.surrogate.judging.failure_check import cost_check, failure_check
from jointbench.surrogate.judging.held_out import PARTITIONS, HeldOut
from jointbench.surrogate.judging.learning_curve import learning_curve
from jointbench.surrogate.judging.leave_out import leave_one_out
from jointbench.surrogate.judging.luck_check import luck_check
from jointbench.surrogate.judging.noise_floor import noise_floor
from jointbench.surrogate.judging.rung_correlations import rung_correlations
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.judging.verdict import shown


@dataclass(frozen=True)
class Judgement:
    """Rows as the functions of the same names explain them; `fractions`: as `verdict.is_share` has them;
    `maximized`: the names of metrics of which more is better, whose rows are of the values with the other sign;
    `partitions`: of the configurations into folds, which the scores are means over."""

    scores: list[Row]
    noise_floor: list[Row]
    leave_one_out: list[Row]
    luck: list[Row]
    failures: list[Row]
    costs: list[Row]
    rung_correlations: list[Row]
    learning_curve: list[Row]
    # Empty unless asked for: they take minutes.
    baselines: list[Row] = field(default_factory=list)
    tuning: list[Row] = field(default_factory=list)
    best: list[Row] = field(default_factory=list)
    ingredients: list[Row] = field(default_factory=list)
    doubts: list[Row] = field(default_factory=list)
    # Of the benchmark itself, not of its like (`Surrogate.judged`).
    promises: list[Row] = field(default_factory=list)
    fractions: frozenset[str] = frozenset()
    maximized: frozenset[str] = frozenset()
    partitions: int = PARTITIONS

    @classmethod
    def of(cls, held_out: HeldOut, seed: int) -> "Judgement":
        """Deterministic given the table and the seed; takes some 20 more fits."""
        metrics = held_out.table.measures.metrics if held_out.table.measures else ()
        return cls(
            held_out.scores(),
            noise_floor(held_out, seed),
            leave_one_out(held_out.table, seed, held_out.settings),
            luck_check(held_out, seed),
            failure_check(held_out),
            cost_check(held_out),
            rung_correlations(held_out),
            learning_curve(held_out, seed),
            best=best(held_out, seed),
            doubts=doubt_check(held_out),
            fractions=fractions_among(metrics),
            maximized=frozenset(metric.name for metric in metrics if metric.maximize),
            partitions=len(held_out.partitions),
        )

    def shown(self, value: float, error: object, places: int = 2) -> str:
        """A value of what rows call so."""
        return shown(value, error, places, self.fractions)
