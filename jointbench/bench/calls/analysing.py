"""`jointbench.analyse`: what the evidence says, as figures, tables and words; and what it gives."""

from collections.abc import Collection as Several
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from importlib import resources, util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jointbench
from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Table
from jointbench.bench.analysing.exhibits import claims_on_generators, exhibits_of_comparison, exhibits_of_evidence
from jointbench.bench.calls.collecting import Collection
from jointbench.bench.calls.comparing import Comparison
from jointbench.bench.calls.exporting import BenchmarkResult, result_of
from jointbench.bench.calls.figure_files import check_drawable
from jointbench.bench.calls.files import FIGURES, TABLES, checked_formats
from jointbench.bench.calls.given import the_log, the_path
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.comparing.comparison_folder import RETRAININGS
from jointbench.bench.comparing.judged import judged_verdict
from jointbench.bench.pages.analysis_page import MOST_FINDINGS, analysis_page
from jointbench.bench.pages.page import write_page
from jointbench.bench.pages.trust_words import judged_box
from jointbench.data.errors import InputError, JointBenchError, LogError, UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import check_writable
from jointbench.data.frames import frame
from jointbench.data.listed_names import listed_names
from jointbench.data.log import EvaluationLog
from jointbench.data.option_words import option
from jointbench.data.quantities import counted
from jointbench.data.spaces.space import Space
from jointbench.data.visible import visible
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.stored import load_benchmark

if TYPE_CHECKING:
    from pandas import DataFrame

#: The page, in the folder of an analysis.
PAGE = "analysis.html"

#: Papers whose claims are held against evidence: nago, Ru et al. 2020.
Claims = Literal["nago"]


class Analysis(Result):
    """What a log, a benchmark or a comparison says: exhibits with figures, tables and words.

    `table1`, `table2` and `table3` are the paper's as frames, `figure(name)` is a plotly figure, `findings` are the
    sentences that stand first on the page. `source`: how a person named it.
    """

    def __init__(
        self,
        source: str,
        title: str,
        about: str,
        exhibits: Sequence[Exhibit],
        numbers: "DataFrame",
        judged: Sequence[str] = (),
        most: int = MOST_FINDINGS,
    ) -> None:
        self.source, self.title, self.about, self._judged, self._most = source, title, about, judged, most
        self.exhibits, self._numbers = list(exhibits), numbers

    @property
    def findings(self) -> list[str]:
        return [one.finding for one in self.exhibits if one.finding]

    @property
    def missing(self) -> list[str]:
        """What the source cannot support, a sentence each."""
        return [sentence for one in self.exhibits for sentence in one.missing]

    def __getitem__(self, name: str) -> Exhibit:
        """The exhibit of this name. Raises UnknownNameError."""
        known = {one.name: one for one in self.exhibits}
        if name not in known:
            raise UnknownNameError.of("exhibit", name, known)
        return known[name]

    @property
    def table1(self) -> "DataFrame":
        """Spearman's rank correlation between budgets: a row a pair. Raises UnknownNameError where it is missing."""
        return self.table("table_1").to_pandas()

    @property
    def table2(self) -> "DataFrame":
        """Reference networks beside the incumbent: a row a network. Raises UnknownNameError where it is missing."""
        return self.table("table_2").to_pandas()

    @property
    def table3(self) -> "DataFrame":
        """The best configuration found beside the paper's: a row a hyperparameter. Raises UnknownNameError."""
        return self.table("table_3").to_pandas()

    @cached_property
    def _tables(self) -> dict[str, ResultTable]:
        return {table.name: _shown(table) for one in self.exhibits for table in one.tables}

    def tables(self) -> dict[str, ResultTable]:
        return self._tables

    def drawings(self) -> dict[str, Drawing]:
        figures = [figure for one in self.exhibits for figure in one.figures]
        return {figure.name: Drawing(figure.draw, figure.height) for figure in figures}

    def to_pandas(self) -> "DataFrame":
        """A row an evaluation that was analysed."""
        return self._numbers

    def page(self, file: str | Path) -> Path:
        """Write the page, and say where it is. Raises UnwritableError."""
        settings = [("source", self.source), ("JointBench", jointbench.__version__)]
        body = analysis_page(self.title, self.about, self.exhibits, settings, judged=self._judged, most=self._most)
        return write_page(Path(file), self.title, body)

    def write(self, out: str | Path, formats: Several[str] | None = None) -> list[Path]:
        """Write the page, every figure (svg, pdf, png) and every table (csv, latex) into a folder; returns the files.

        `formats`: by default all, or without figures where kaleido is not installed, which draws them. Raises as
        `jointbench.export` does.
        """
        files = self.export(out, default_formats() if formats is None else formats)
        return [self.page(Path(out) / PAGE), *files]

    def __repr__(self) -> str:
        return f"<analysis of {self.source}: {', '.join(one.name for one in self.exhibits)}>"

    def _repr_html_(self) -> str:
        return "".join([*self._judged, *(f"<p>{sentence}</p>" for sentence in self.findings), super()._repr_html_()])


def _shown(table: Table) -> ResultTable:
    return ResultTable(table.title, table.headings, table.rows, table.words, numbers=table.numbers)


def default_formats() -> list[str]:
    """All that can be written here."""
    return [*TABLES, *(FIGURES if util.find_spec("kaleido") is not None else ())]


def analyse(
    source: str | Path | Result | EvaluationLog | Benchmark,
    *,
    out: str | Path | None = None,
    formats: Several[str] | None = None,
    configuration: str | Configuration | None = None,
    retrainings: Sequence[str | Path | EvaluationLog] = (),
    claims: Claims | None = None,
    beside: str | Path | EvaluationLog | Benchmark | None = None,
    fronts: str | Path | Comparison | None = None,
) -> Analysis:
    """What `jointbench analyse` does: the paper's figures and tables, and more, of a log, a benchmark or a comparison.

    `source`: a folder, a released log, a benchmark that ships, or what the calls give. With `out`, the page and all
    figures and tables are written into that folder; `formats` as `Analysis.write` takes them. `configuration`: a named
    one, a JSON file or a mapping, whose difference from the average is shared out among its hyperparameters;
    `retrainings`: logs of trainings of the reference networks, for Table 2.

    `claims`: instead of all that, how the claims of a paper come out on this evidence, of generators; `beside`:
    evidence of another space, and `fronts`: a comparison for several objectives, for those claims that need them.

    Raises UnknownNameError for a source that is none, LogError where it cannot be read, InputError for a format, or
    for a source that has no such claims, ConfigurationError, UnwritableError.
    """
    listed_names("retrainings", retrainings)
    if out is not None:
        if set(checked_formats(default_formats() if formats is None else formats)) & set(FIGURES):
            check_drawable()
        check_writable(the_path("out", out), folder=True)
    if claims is not None:
        made = _claims(_result(source), source, beside, fronts)
    else:
        for field, value in (("beside", beside), ("fronts", fronts)):
            if value is not None:
                raise InputError(field, value, f"{option('claims')} beside it")
        made = _analysis(_result(source), source, configuration, [the_log(one) for one in retrainings])
    if out is not None:
        made.write(out, formats)
    return made


def default_folder(source: str | Path) -> Path:
    """Where an analysis goes that nobody gave a folder for: into the source's, or the working directory's for what
    ships with this package."""
    path = the_path("source", source)
    with resources.as_file(resources.files("jointbench")) as package:
        ships = package.resolve() in path.resolve().parents
    if path.is_dir() and not ships:
        return path / "analysis"
    return Path(f"{path.name.removesuffix('.parquet')}-analysis")


def _result(source: str | Path | Result | EvaluationLog | Benchmark) -> Result:
    if isinstance(source, Benchmark):
        return BenchmarkResult(source)
    if isinstance(source, EvaluationLog):
        return Collection(source)
    return source if isinstance(source, Result) else result_of(source)


def _analysis(
    result: Result, source: object, configuration: str | Configuration | None, retrainings: Sequence[EvaluationLog]
) -> Analysis:
    named = source if isinstance(source, str | Path) else repr(source).strip("<>")
    if isinstance(result, Comparison):
        if configuration is not None or retrainings:
            given = configuration if configuration is not None else retrainings[0].path
            raise InputError("source", str(named), f"a log or a benchmark, to go with {given}")
        compared = _compared(result)
        runs = counted(len(compared.frame.groupby(["optimizer", "run_seed"])), "run")
        title = f"What the comparison says: {compared.name}"
        about = f"{counted(len(compared.frame), 'evaluation')} in {runs} of {', '.join(compared.optimizers)}."
        box = judged_box(result.settings.name, judged_verdict(result.folder))
        return Analysis(str(named), title, about, list(exhibits_of_comparison(compared)), compared.frame, box)
    evidence = replace(_evidence(result), retrainings=[(log.task, log.to_pandas()) for log in retrainings])
    exhibits = list(exhibits_of_evidence(evidence, _explained(evidence.task.space, configuration)))
    numbers = frame({}) if evidence.frame is None else evidence.frame
    judged = [] if evidence.benchmark is None else judged_box(evidence.name, evidence.benchmark.verdict)
    return Analysis(str(named), f"What the evidence says: {evidence.name}", _about(evidence), exhibits, numbers, judged)


def _claims(
    result: Result,
    source: object,
    beside: str | Path | EvaluationLog | Benchmark | None,
    fronts: str | Path | Comparison | None,
) -> Analysis:
    named = source if isinstance(source, str | Path) else repr(source).strip("<>")
    if isinstance(result, Comparison) or not (evidence := _evidence(result)).task.space.draws:
        raise InputError("source", str(named), "evidence of generators, whose networks are drawn, for their claims")
    if evidence.frame is None:
        raise InputError("source", str(named), "a benchmark that came with its trainings, or their log")
    other = None if beside is None else _evidence(_result(beside))
    folder = None if fronts is None else fronts.folder if isinstance(fronts, Comparison) else Path(fronts)
    exhibits = list(claims_on_generators(evidence, other, folder))
    judged = [] if evidence.benchmark is None else judged_box(evidence.name, evidence.benchmark.verdict)
    title = f"What a paper claims of generators, on {evidence.name}"
    return Analysis(str(named), title, _about(evidence), exhibits, evidence.frame, judged, len(exhibits))


def _explained(space: Space, given: str | Configuration | None) -> tuple[str, Configuration] | None:
    """The name of a configuration, and the configuration. Raises UnknownNameError and ConfigurationError."""
    if given is None:
        return None
    if isinstance(given, str):
        return Path(given).stem, space.load(given)
    return "the configuration", space.check(given)


def _compared(result: Comparison) -> Compared:
    settings = result.settings
    benchmark, trainings = None, None
    if settings.objective == "surrogate":
        with suppress(JointBenchError):
            found = load_benchmark(settings.source)
            # Another version answers otherwise.
            benchmark = found if found.checksum == settings.checksum else None
            if benchmark is not None:
                trainings = EvaluationLog.open(Path(benchmark.source) / EVALUATIONS).to_pandas()
    name = f"{result.folder.resolve().name}, on {settings.name}"
    logs = [EvaluationLog.open(path) for path in visible(result.folder / RETRAININGS, "*/") if visible(path)]
    retrainings = [(log.task, log.to_pandas()) for log in logs]
    found_by = result.to_pandas()
    return Compared(name, settings.task, found_by, benchmark, trainings, retrainings, str(result.folder))


def _evidence(result: Result) -> Evidence:
    if isinstance(result, BenchmarkResult):
        benchmark = result.benchmark
        try:
            log = result.collection.log
        except LogError:
            # What is there and cannot be read is not the same as a benchmark that came alone.
            if (Path(benchmark.source) / EVALUATIONS).exists():
                raise
            return Evidence(benchmark.name, benchmark.task, None, benchmark)
        return Evidence(benchmark.name, log.task, log.to_pandas(), benchmark)
    if isinstance(result, Collection):
        log = result.log
        return Evidence(Path(log.path).resolve().stem, log.task, log.to_pandas())
    raise UnknownNameError.of("source", repr(result), ["a log", "a benchmark", "a comparison"])


def _about(evidence: Evidence) -> str:
    task = evidence.task
    on = "" if task.images is None else f" on {task.images.name}"
    count = 0 if evidence.frame is None else len(evidence.frame)
    where = f"{counted(count, 'evaluation')}" if evidence.frame is not None else "no evaluations"
    fitted = "" if evidence.benchmark is None else f", and the surrogate {evidence.benchmark.name} fitted to them"
    return f"{where} of the space {task.space.name}{on}, with {task.ladder.in_words()}{fitted}."
