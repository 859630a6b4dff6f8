"""Part of a log: the evaluations at some neighbouring rungs of its ladder."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.schema import schema


class LogAtRungs(EvaluationLog):
    """What `whole` holds at the rungs of `ladder`, a part of its own ladder, as a log of that ladder; read-only."""

    def __init__(self, whole: EvaluationLog, ladder: Ladder) -> None:
        super().__init__(whole.path, replace(whole.task, ladder=ladder))
        self._whole = whole

    def table(self, columns: Sequence[str] | None = None, run: str | None = None) -> pa.Table:
        wanted = schema(self.task).names if columns is None else list(columns)
        table = self._whole.table(list(dict.fromkeys([*wanted, "budget"])), run)
        kept = self.ladder.has(table["budget"].to_numpy())
        return table.filter(pa.array(kept)).select(wanted).replace_schema_metadata(schema(self.task).metadata)

    def append(self, evaluations: Sequence[Evaluation]) -> None:
        """Raises LogError: what is appended belongs into the whole log."""
        raise LogError("log", f"the budgets {self.ladder} of {self.path}", "the whole log, to be written to")

    def compact(self) -> None:
        """Raises LogError as `append` does."""
        self.append([])

    def tidy(self) -> None:
        """Raises LogError as `append` does."""
        self.append([])
