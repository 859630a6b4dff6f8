"""`jointbench.fit`: fit a surrogate to a log, judge it, and freeze it where a folder is named."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointbench.bench.analysing.card_section import card_section
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.calls.given import the_log, the_path, whole
from jointbench.bench.calls.progress import Hear, Stage, heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.comparing.left_out_runs import LeftOut, left_out_runs
from jointbench.bench.pages.console import SPARE_JUDGED, verdict_table
from jointbench.bench.pages.fit_page import figures, fit_page
from jointbench.bench.pages.page import page_html
from jointbench.bench.pages.report import PAGE
from jointbench.bench.pages.trust_words import verdict_box
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.baselines import baselines as judged_baselines
from jointbench.surrogate.judging.held_out import PARTITIONS
from jointbench.surrogate.judging.ingredients import ingredients as judged_ingredients
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import JudgedTable, judged_tables
from jointbench.surrogate.judging.verdict import Verdict
from jointbench.surrogate.manifest import checked_name
from jointbench.surrogate.models import DEFAULT, ErrorSettings, Settings
from jointbench.surrogate.rungs import at_fitted_rungs
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import training_table
from jointbench.surrogate.tuning import tune
from jointbench.surrogate.whole_folder import check_replaceable

if TYPE_CHECKING:
    from pandas import DataFrame


class Fitted(Result):
    """A surrogate fitted to a log, and what was found about it on held-out configurations.

    `log` has the evaluations at the rungs that it was fitted to, and `notes` say why those; `benchmark` answers at
    once; `save` freezes it into a folder.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        log: EvaluationLog,
        judgement: Judgement,
        left_out: list[LeftOut],
        command: str,
        notes: Sequence[str],
    ) -> None:
        self.surrogate, self.log, self.judgement, self.left_out = surrogate, log, judgement, left_out
        self.command, self.notes = command, list(notes)

    @property
    def benchmark(self) -> Benchmark:
        return self.surrogate.benchmark

    @property
    def verdict(self) -> Verdict:
        """Whether optimizers may be compared on it, and the numbers that decide."""
        return self.benchmark.verdict

    @cached_property
    def judged(self) -> dict[str, JudgedTable]:
        """The judgement in words and tables, by the names of its parts."""
        return judged_tables(self.judgement, self.benchmark.ladder)

    def tables(self) -> dict[str, ResultTable]:
        words, shown = ("error", "left out", "model"), verdict_table(self.verdict)
        decides = ResultTable(shown.title, shown.headings, shown.rows, shown.words, shown.spare, shown.caption)
        return {"verdict": decides} | {
            name: ResultTable(one.title, one.headings, one.rows, words, SPARE_JUDGED, one.words, _numbers(self, name))
            for name, one in self.judged.items()
        }

    def drawings(self) -> dict[str, Drawing]:
        return {
            name: Drawing(draw, height)
            for name, (draw, height) in figures(self.surrogate.held_out, self.judgement, self.left_out).items()
        }

    def to_pandas(self) -> "DataFrame":
        """What was predicted of each evaluation by a surrogate that has not seen its configuration, beside the real
        errors: the log's rows that ended ok, `predicted_validation_error` and `predicted_test_error` (fractions), or
        each metric that is modelled and `predicted_` before its name.
        """
        from jointbench.data.frames import frame

        held_out, table = self.surrogate.held_out, self.surrogate.held_out.table
        ok = table.ok
        columns: dict[str, Any] = {"budget": table.budgets[ok]}
        if table.measures is None:
            signs = {f"{kind}_error": 1 for kind in table.error_names}
        else:
            signs = {metric.name: -1 if metric.maximize else 1 for metric in table.measures.metrics}
        for index, (name, sign) in enumerate(signs.items()):
            columns[name] = sign * table.errors[ok, index]
            columns[f"predicted_{name}"] = sign * held_out.errors[ok, index]
        return frame(columns | dict(zip(self.log.space.names, table.rows[ok].T, strict=True)))

    def save(self, out: str | Path, *, force: bool = False) -> Path:
        """Freeze the benchmark into a folder, with its card, its evaluations and its page, whole or not at all.

        Raises WouldOverwriteError when it exists and `force` is not set.
        """
        body = fit_page(self.benchmark, self.surrogate.held_out, self.judgement, self.left_out, self.command)
        page = page_html(f"{self.benchmark.name}: how far it can be trusted", body)
        # What is fitted in seconds is saved in seconds.
        evidence = Evidence(self.benchmark.name, self.log.task, self.log.to_pandas(), self.benchmark)
        analysed = card_section(evidence) if self.benchmark.manifest.distilled else ""
        extra = {PAGE: page.encode()}
        self.surrogate.save(out, judgement=self.judgement, analysed=analysed, extra=extra, force=force)
        return Path(out)

    def __repr__(self) -> str:
        return f"<fitted to {self.log.path}, {self.verdict.word}: {self.benchmark!r}>"

    def _repr_html_(self) -> str:
        box = verdict_box(self.benchmark.name, self.verdict)
        return f"{box}{self.benchmark._repr_html_()}{super()._repr_html_()}"


def _numbers(fitted: Fitted, name: str) -> Mapping[str, list[Any]] | None:
    # Tables that are made of others have words alone.
    rows = getattr(fitted.judgement, name, None)
    if rows is None:
        return None
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [row.get(key) for row in rows] for key in keys}


def fit(
    log: str | Path | EvaluationLog,
    out: str | Path | None = None,
    *,
    name: str | None = None,
    version: int = 1,
    seed: int = 0,
    baselines: bool = False,
    ingredients: bool = False,
    partitions: int | None = None,
    quick: bool = False,
    tune: int = 0,
    force: bool = False,
    command: str | None = None,
    quiet: bool = False,
    progress: Hear | None = None,
) -> Fitted:
    """What `jointbench fit` does: fit a surrogate to a log, judge it on held-out configurations, freeze it into `out`.

    `log`: a log, its folder, or a released file; without `out` nothing is written. `name`: the benchmark's, by default
    that of the folder, else of the log. `baselines`: judge other models beside it, `ingredients`: what each part of the
    models gains, both in minutes; `partitions` into folds that it is judged on, 10 where nobody says otherwise, or 1
    with `quick`, which fits XGBoost to the trainings themselves in seconds; `tune`: trials in which XGBoost's
    parameters are chosen first. `command`: how a person called it, for the page; by default this call. `progress`
    hears of each stage; without one there is a bar in a notebook, unless `quiet`. Raises LogError for a log that
    holds too little, WouldOverwriteError, InputError for a name.
    """
    opened = the_log(log)
    how = f"version={version}, seed={seed}, baselines={baselines}, quick={quick}, tune={tune}"
    called = f"jointbench.fit({str(opened.path)!r}, {None if out is None else str(out)!r}, {how})"
    first, trials = whole("seed", seed, 0), whole("tune", tune, 0)
    folds = (1 if quick else PARTITIONS) if partitions is None else whole("partitions", partitions, 1)
    numbered = whole("version", version, 1)
    if out is not None:
        check_replaceable(the_path("out", out), force=force)
    name = name or (Path(opened.path).resolve().stem if out is None else Path(out).resolve().name)
    checked_name(name)
    at_rungs, rungs = at_fitted_rungs(opened)
    notes = rungs.words(at_rungs.table(["optimizer"])["optimizer"].unique().to_pylist())
    with heard(progress, quiet) as hear:
        settings: Settings | None = DEFAULT if quick else None
        tuning: list[dict[str, object]] = []
        if trials:
            found = _tuned(at_rungs, trials, first, hear)
            settings, tuning = found.settings, found.rows
        surrogate = Surrogate.fit(
            opened,
            name,
            version=numbered,
            seed=first,
            settings=settings,
            partitions=folds,
            told=lambda done, fits: hear(Stage("fitting, and predicting what was held out", done, fits)),
        )
        held_out = surrogate.held_out
        if baselines:
            hear(Stage("judging other models"))
        others = judged_baselines(held_out, first) if baselines else []
        if ingredients:
            hear(Stage("judging the ingredients"))
        parts = judged_ingredients(held_out.table, first) if ingredients else []
        hear(Stage("judging"))
        judged = surrogate.judged(first)
        judgement = replace(judged, baselines=others, tuning=tuning, ingredients=parts)
        hear(Stage("searching without each optimizer's data"))
        left_out = list(left_out_runs(surrogate, at_rungs))
        made = Fitted(surrogate, at_rungs, judgement, left_out, command or called, notes)
        if out is not None:
            hear(Stage("writing"))
            made.save(out, force=force)
    return made


def _tuned(log: EvaluationLog, trials: int, seed: int, hear: Hear) -> Any:
    def told(trial: int, lowest: float, best: ErrorSettings) -> None:
        hear(Stage("tuning", trial + 1, trials))

    hear(Stage("tuning", 0, trials))
    return tune(training_table(log), trials, seed, told)
