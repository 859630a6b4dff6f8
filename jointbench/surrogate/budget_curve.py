"""What a benchmark says of a configuration from the smallest budget up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jointbench.data.frames import frame
from jointbench.data.metrics import Metric
from jointbench.data.notebook import html_table
from jointbench.surrogate.answer import Answers
from jointbench.surrogate.metric_answer import MetricAnswers

if TYPE_CHECKING:
    from pandas import DataFrame

#: What is worth a column where there is little room.
_SHOWN = ("validation_error", "test_error", "wall_seconds", "status")


@dataclass(frozen=True, eq=False, repr=False)
class BudgetCurve(Sequence[Any]):
    """`answers` at `budgets` (ascending, in the ladder's `unit`); its items are the answers. `metrics`: what those are
    that answers have by name."""

    budgets: tuple[float, ...]
    unit: str
    answers: Answers | MetricAnswers
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.budgets)

    def __getitem__(self, index: Any) -> Any:
        return self.answers[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.answers)

    def to_pandas(self) -> "DataFrame":
        """A row a budget: `budget` and the fields of `Answer`. Raises MissingExtraError where pandas is missing."""
        return frame({"budget": self.budgets, **self.answers.columns()})

    def __repr__(self) -> str:
        if isinstance(self.answers, MetricAnswers):
            name, values = next(iter(self.answers.metrics.items()))
            said = ", ".join(self._said(name, value) for value in values)
            return f"<{self._labels(name)} {said} at {', '.join(f'{budget:g}' for budget in self.budgets)} {self.unit}>"
        errors = ", ".join(f"{error:.2%}" for error in self.answers.validation_error)
        return f"<validation errors {errors} at {', '.join(f'{budget:g}' for budget in self.budgets)} {self.unit}>"

    def _said(self, name: str, value: float) -> str:
        return self.metrics[name].shown(value) if name in self.metrics else f"{value:.4g}"

    def _labels(self, name: str) -> str:
        return self.metrics[name].labels if name in self.metrics else name.replace("_", " ")

    def _repr_html_(self) -> str:
        if isinstance(self.answers, MetricAnswers):
            names = list(self.answers.metrics)
            each = zip(self.budgets, self.answers, strict=True)
            cells = [
                (f"{budget:g}", *(self._said(name, a.metrics[name]) for name in names), a.status) for budget, a in each
            ]
            words = (f"budget, {self.unit}", *(name.replace("_", " ") for name in names), "status")
            return html_table("learning curve", cells, words)
        rows = [
            (f"{budget:g}", f"{a.validation_error:.2%}", f"{a.test_error:.2%}", f"{a.wall_seconds:.3g}", a.status)
            for budget, a in zip(self.budgets, self.answers, strict=True)
        ]
        headings = (f"budget, {self.unit}", *(name.replace("_", " ") for name in _SHOWN))
        return html_table("learning curve", rows, headings)
