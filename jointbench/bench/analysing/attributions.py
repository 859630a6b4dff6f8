"""Why one configuration is better or worse than the average: Shapley values of its hyperparameters.

Lundberg and Lee, *A Unified Approach to Interpreting Model Predictions*, 2017, with random configurations as the
background. Estimated by Štrumbelj and Kononenko's permutations (2014) on the surrogate itself, which answers a million
times in seconds: each takes a random configuration and replaces its hyperparameters, in a random order, by those of the
one that is explained. XGBoost's own attributions (`pred_contribs`) are of what the surrogate sees, where exact counts
such as parameters stand beside the hyperparameters that they follow from.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.expected import expected
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.features import Features
from jointbench.surrogate.model_file import Booster, read_models
from jointbench.surrogate.stored import MODELS

#: Random orders, each with a random configuration of its own.
ORDERS = 400

#: Half the width of a 95 % interval in standard errors.
_TWO_SIDED = 1.959964

#: Random configurations that XGBoost's attributions are against, and what stands for those of a leaf that none reaches.
BACKGROUND, _NOBODY = 1_000, 1e-3

#: Inputs of the surrogate that are shown of XGBoost's attributions.
_INPUTS = 20


@dataclass(frozen=True)
class Attributed:
    """Of a configuration at a budget: `value` is what the surrogate expects of it, `average` of random configurations;
    `shares` (hyperparameters,) add up to the difference, each with a standard error of its estimate."""

    rung: int
    value: float
    average: float
    shares: FloatArray
    errors: FloatArray


def attributed(benchmark: Benchmark, configuration: Configuration, metric: str, rung: int, orders: int) -> Attributed:
    """Deterministic. `rung`: the place of a budget on the benchmark's ladder."""
    rng, space = np.random.default_rng(0), benchmark.space
    count = len(space.names)
    background = space.rows_at(rng.random((orders, count)))
    own = space.rows([configuration])[0]
    order = rng.permuted(np.tile(np.arange(count), (orders, 1)), axis=1)
    # Step k of a walk has the first k hyperparameters of its order replaced.
    replaced = np.argsort(order, axis=1)[:, None, :] < np.arange(count + 1)[None, :, None]
    rows = np.where(replaced, own, background[:, None, :]).reshape(-1, count)
    values = expected(benchmark, rows, benchmark.ladder.rungs[rung], metric)[0].reshape(orders, count + 1)
    gains = np.empty((orders, count))
    np.put_along_axis(gains, order, np.diff(values, axis=1), axis=1)
    error = gains.std(axis=0, ddof=1) / np.sqrt(orders)
    return Attributed(rung, float(values[0, -1]), float(values[:, 0].mean()), gains.mean(axis=0), error)


def attributions(evidence: Evidence, name: str, configuration: Configuration) -> Exhibit:
    """`name`: what the configuration is called."""
    key, title = "attributions", f"Why {name} is better or worse than the average"
    benchmark = evidence.benchmark
    if benchmark is None:
        return Exhibit(key, title, missing=["Attributions need a surrogate: `jointbench fit` makes one of the log."])
    rungs = range(len(benchmark.ladder.rungs))
    found = [attributed(benchmark, configuration, evidence.objective.name, rung, ORDERS) for rung in rungs]
    last, names = found[-1], benchmark.space.names
    order = np.argsort(-np.abs(last.shares), kind="stable")
    shown, label = evidence.objective.shown, evidence.objective.label
    first = int(order[0])
    words = (
        f"The surrogate expects a {label} of {shown(last.value)} of {name} after "
        f"{benchmark.ladder.amount(benchmark.ladder.rungs[-1])}, and {shown(last.average)} of random configurations. "
        "The difference is shared out among the hyperparameters by their Shapley values: what each changes when it "
        f"is set to that of {name}, on average over {ORDERS} random configurations and orders; most is due to "
        f"{names[first]} = {configuration[names[first]]:.4g}, {_signed(evidence, last.shares[first])}. A "
        "configuration that is expected to fail counts as guessing."
    )
    rows, numbers = list[list[str]](), dict[str, list[Any]]()
    for place in order.tolist():
        row = [names[place], f"{configuration[names[place]]:.4g}"]
        for one in found:
            share, error = float(one.shares[place]), _TWO_SIDED * float(one.errors[place])
            row.append(f"{_signed(evidence, share)} (±{shown(error)})")
            budget = f"{benchmark.ladder.rungs[one.rung]:g}"
            numbers.setdefault(f"after_{budget}", []).append(share)
            numbers.setdefault(f"after_{budget}_half_interval", []).append(error)
        rows.append(row)
    columns = {"hyperparameter": [names[k] for k in order], "value": [configuration[names[k]] for k in order]}
    headings = ["hyperparameter", "value", *(f"after {benchmark.ladder.amount(r)}" for r in benchmark.ladder.rungs)]
    table = Table(
        key, f"Shares of {name}'s difference from the average", headings, rows, columns | numbers, (headings[0],)
    )
    figure = Figure(
        key,
        f"Shares in the {label} of {name}, at each budget, with 95 % intervals; to the "
        f"{'right' if evidence.objective.maximize else 'left'} of 0 it is the better for it.",
        lambda: _dots(evidence, found, [names[k] for k in order], names),
        90 + 27 * len(names),
    )
    tables, missing = [table], list[str]()
    if benchmark.has_network:
        missing.append("XGBoost's own attributions are of trees, and this surrogate is a network that trees correct.")
    elif benchmark.manifest.measures is None:
        tables.append(_inputs_table(benchmark, name, contributions(benchmark, configuration)))
    else:
        missing.append("XGBoost's own attributions are of validation errors, which this benchmark is not about.")
    return Exhibit(key, title, [words], [figure], tables, missing)


def contributions(benchmark: Benchmark, configuration: Configuration) -> Mapping[str, float]:
    """XGBoost's `pred_contribs` of the validation error's logit at the largest budget, the mean over the models, by the
    name of the surrogate's input; `average` is what they are added to. Of a benchmark of trainings on images, without
    a network; where collapses are told apart, of a training that works."""
    import xgboost

    features, largest = benchmark.features, benchmark.ladder.maximum
    checked = benchmark.space.check(configuration)
    row = features.one(features.at(checked), features.facts(checked), largest)
    rows = benchmark.space.rows_at(np.random.default_rng(0).random((BACKGROUND, len(benchmark.space.names))))
    background = features.many(rows, features.facts(rows), np.full(len(rows), largest))
    names, content = benchmark.manifest.models, (Path(benchmark.source) / MODELS).read_bytes()
    models, _ = read_models(content, benchmark.source, names, len(features.names))
    given = [
        single_output(model, 0, background).predict(xgboost.DMatrix(row[None, :], nthread=1), pred_contribs=True)[0]
        for name, model in zip(names, models, strict=True)
        if name.startswith("errors")
    ]
    mean = np.mean(np.asarray(given, dtype=np.float64), axis=0).tolist()
    return dict(zip((*features.names, "average"), mean, strict=True))


def single_output(model: Booster, output: int, background: Features) -> Any:
    """One output of a model as an XGBoost booster of its own, since XGBoost 3.2 explains no trees with vectors in their
    leaves. How many of the background (n, features) reach a node stands where training rows would, so that its
    attributions are against the average of the background."""
    import xgboost

    template = xgboost.train(
        {"base_score": 0.0, "max_depth": 1, "nthread": 1}, xgboost.DMatrix(background[:2], np.zeros(2), nthread=1), 1
    )
    made = json.loads(bytes(template.save_raw("json")))
    trees = made["learner"]["gradient_booster"]["model"]
    [plain] = trees["trees"]
    ends = [*model.roots[1:].tolist(), len(model.left)]
    trees["trees"] = [
        _tree(plain, model, output, background, number, first, last)
        for number, (first, last) in enumerate(zip(model.roots.tolist(), ends, strict=True))
    ]
    count = len(ends)
    trees["gbtree_model_param"]["num_trees"], trees["tree_info"] = str(count), [0] * count
    trees["iteration_indptr"] = list(range(count + 1))
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(json.dumps(made).encode()))
    return booster


def _tree(
    plain: Mapping[str, Any], model: Booster, output: int, background: Features, number: int, first: int, last: int
) -> dict[str, Any]:
    """The nodes from `first` to before `last` as XGBoost's JSON has a tree; `plain` has what is the same in all."""
    nodes = np.arange(first, last)
    leaf = model.left[nodes] == nodes
    left = np.where(leaf, -1, model.left[nodes] - first)
    node = np.full(len(background), first)
    for _ in range(model.depth):
        node = model.left[node] + (background[np.arange(len(node)), model.feature[node]] >= model.threshold[node])
    reached = np.bincount(node - first, minlength=len(nodes)) + _NOBODY * leaf
    parents = np.full(len(nodes), 2**31 - 1)
    # Children stand behind their parents.
    for one in np.flatnonzero(~leaf)[::-1].tolist():
        reached[one] = reached[left[one]] + reached[left[one] + 1]
        parents[left[one]] = parents[left[one] + 1] = one
    value = np.where(leaf, model.value[nodes, output], model.threshold[nodes])
    size = len(nodes)
    return {
        **plain,
        "id": number,
        "left_children": left.tolist(),
        "right_children": np.where(leaf, -1, left + 1).tolist(),
        "parents": parents.tolist(),
        "split_indices": np.where(leaf, 0, model.feature[nodes]).tolist(),
        "split_conditions": [float(one) for one in value],
        "split_type": [0] * size,
        "default_left": [0] * size,
        "base_weights": [0.0] * size,
        "loss_changes": [0.0] * size,
        "sum_hessian": [float(one) for one in reached],
        "tree_param": {**plain["tree_param"], "num_nodes": str(size)},
    }


def _inputs_table(benchmark: Benchmark, name: str, inputs: Mapping[str, float]) -> Table:
    order = sorted((one for one in inputs if one != "average"), key=lambda one: -abs(inputs[one]))
    rows = [[one, f"{inputs[one]:+.3f}"] for one in ("average", *order[:_INPUTS])]
    title = (
        f"XGBoost's attributions (pred_contribs) of {name} after "
        f"{benchmark.ladder.amount(benchmark.ladder.maximum)}, in "
        "units of the error's logit, by what the surrogate sees"
        + ", as if it worked: that it may collapse is said apart"
        * benchmark.tells_collapses
    )
    numbers: dict[str, list[Any]] = {
        "input": ["average", *order],
        "contribution": [inputs[one] for one in ("average", *order)],
    }
    return Table("attributions_by_xgboost", title, ["input", "contribution"], rows, numbers, ("input",), folded=True)


def _signed(evidence: Evidence, share: float) -> str:
    return f"{'+' if share >= 0 else '-'}{evidence.objective.shown(abs(share))}"


def _dots(evidence: Evidence, found: Sequence[Attributed], order: Sequence[str], names: Sequence[str]) -> Any:
    import plotly.graph_objects as go

    figure, benchmark = go.Figure(), evidence.benchmark
    assert benchmark is not None
    places = [names.index(name) for name in order]
    for shift, one in enumerate(found):
        rung = evidence.task.ladder.rung_of(benchmark.ladder.rungs[one.rung])
        figure.add_scatter(
            x=one.shares[places],
            y=[row + 0.17 * (shift - (len(found) - 1) / 2) for row in range(len(order))],
            mode="markers",
            marker={"size": 7, "color": rung_colour(rung)},
            error_x={
                "array": _TWO_SIDED * one.errors[places],
                "width": 0,
                "thickness": 1.2,
                "color": rung_colour(rung),
            },
            name=evidence.amount(rung),
            text=list(order),
            hovertemplate="%{text}: %{x:.2%}" if evidence.objective.fraction else "%{text}: %{x:.4~s}",
        )
    axis = share_axis() if evidence.objective.fraction else {}
    figure.update_xaxes(title_text=f"share in the {evidence.objective.label}", **axis)
    figure.add_vline(x=0, line={"width": 1, "color": "#8a8a86"})
    figure.update_yaxes(tickvals=list(range(len(order))), ticktext=list(order), range=[len(order) - 0.4, -0.6])
    return figure
