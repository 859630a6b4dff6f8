"""`jointbench.doctor`: examine a log, a benchmark or a comparison, and what it gives."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointbench.bench.calls.given import the_evidence
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.collecting.benchmark_doctor import examine_benchmark
from jointbench.bench.collecting.doctor import Findings, examine
from jointbench.bench.comparing.comparison_doctor import examine_comparison
from jointbench.bench.comparing.comparison_folder import SETTINGS
from jointbench.data.errors import BenchmarkError
from jointbench.data.frames import frame
from jointbench.data.quantities import counted
from jointbench.surrogate.checksums import CHECKSUMS, differing_files, listed_checksums
from jointbench.surrogate.stored import MANIFEST

if TYPE_CHECKING:
    from pandas import DataFrame


class Examined(Result):
    """What was found in a log, a benchmark or a comparison; `findings` in its parts."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings.problems

    def _rows(self) -> list[tuple[str, str]]:
        found = self.findings
        kinds = {"fact": found.facts, "note": found.notes, "to fit": found.fit, "problem": found.problems}
        return [(kind, words) for kind, sentences in kinds.items() for words in sentences]

    def tables(self) -> dict[str, ResultTable]:
        statuses = list(dict.fromkeys(status for counts in self.findings.evaluations.values() for status in counts))
        rows = [
            (rung, *(f"{counts.get(status, 0):,}" for status in statuses))
            for rung, counts in self.findings.evaluations.items()
        ]
        numbers: dict[str, list[Any]] = {
            "budget": [float(rung) for rung in self.findings.evaluations],
            **{name: [of.get(name, 0) for of in self.findings.evaluations.values()] for name in statuses},
        }
        headings = ("kind", "finding")
        return {
            "findings": ResultTable("findings", headings, self._rows(), headings),
            "evaluations": ResultTable("evaluations by budget", ("budget", *statuses), rows, numbers=numbers),
        }

    def drawings(self) -> dict[str, Drawing]:
        return {}

    def to_pandas(self) -> "DataFrame":
        """A row a finding: its `kind` (fact, note, to fit or problem) and the `finding` in words."""
        rows = self._rows()
        return frame({"kind": [kind for kind, _ in rows], "finding": [words for _, words in rows]})

    def __str__(self) -> str:
        found = self.findings
        lines = [f"  {fact}" for fact in found.facts]
        for rung, by_status in found.evaluations.items():
            shown = ", ".join(f"{number:,} {status}" for status, number in by_status.items() if number)
            lines.append(f"  budget {rung}: {shown or 'none'}")
        lines += [f"note: {note}" for note in found.notes]
        lines += [f"to fit: {sentence}" for sentence in found.fit]
        lines += [f"PROBLEM: {problem}" for problem in found.problems]
        return "\n".join([*lines, "healthy" if self.healthy else counted(len(found.problems), "problem")])

    __repr__ = __str__


def doctor(folder: str | Path) -> Examined:
    """What `jointbench doctor` does: check a log (a folder, or a released file), a benchmark (a folder, or one that
    ships, by name) or a comparison; changes nothing.

    Raises UnknownNameError where nothing is called so, LogError where there is something else.
    """
    path = the_evidence("folder", folder)
    if (path / SETTINGS).exists():
        return Examined(examine_comparison(path))
    if not any((path / name).exists() for name in (MANIFEST, CHECKSUMS)):
        return Examined(examine(path))
    found = examine_benchmark(path)
    if (path / CHECKSUMS).exists():
        _published(path, found)
    return Examined(found)


def _published(folder: Path, found: Findings) -> None:
    """Whether what was published is what is there."""
    try:
        listed = listed_checksums(folder)
    except BenchmarkError as error:
        found.problems.append(str(error))
        return
    differing = list(differing_files(folder, listed))
    found.problems += differing
    if not differing:
        found.facts.append(f"published, with {counted(len(listed), 'file')} as {CHECKSUMS} has them")
