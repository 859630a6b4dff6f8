"""What a network's size costs on the device: images a second against FLOPs."""

from typing import Any

import numpy as np

from jointbench.bench.analysing.every_evaluation import thinned
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure
from jointbench.bench.analysing.resampling import bootstrap, spearman
from jointbench.bench.drawing.axes import number_axis
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

#: Evaluations below which no slope is fitted.
FEWEST = 20

#: A training's step is about three forward passes: one forward, two backward.
PASSES = 3


def slope(flops: FloatArray, speed: FloatArray) -> float:
    """Of log(images a second) over log(FLOPs), by least squares: -1 where a device does so many FLOPs a second whatever
    the network."""
    x, y = np.log(flops), np.log(speed)
    return float(np.cov(x, y)[0, 1] / np.var(x, ddof=1))


def throughput(evidence: Evidence) -> Exhibit:
    name, title = "throughput", "Throughput of the device against FLOPs"
    if not {"flops", "images_per_second"} <= set(evidence.ok.columns):
        return Exhibit(name, title, missing=["No evaluation has FLOPs and a speed."])
    own = evidence.ok[(evidence.ok["flops"] > 0) & (evidence.ok["images_per_second"] > 0)]
    if len(own) < FEWEST:
        there = counted(len(own), "evaluation has", "evaluations have")
        return Exhibit(name, title, missing=[f"{there} FLOPs and a speed; this needs {FEWEST}."])
    flops, speed = own["flops"].to_numpy(float), own["images_per_second"].to_numpy(float)
    rho, found = spearman(flops, speed), slope(flops, speed)
    low, high = bootstrap(slope, flops, speed)
    done = PASSES * flops * speed / 1e9
    quartiles = np.quantile(done, [0.25, 0.5, 0.75])
    devices = sorted(set(own["device"])) if "device" in own else []
    words = (
        f"Images a second in training against the FLOPs of one image's forward pass ({'; '.join(devices)}). With ten "
        f"times the FLOPs come {10**found:.2f} times the images (95 % interval {10**low:.2f} to {10**high:.2f}; 0.10 "
        f"if only FLOPs counted); Spearman {rho:.2f}. A step being about {PASSES} forward passes, the device does "
        f"{quartiles[1]:.3g} GFLOPs a second (quartiles {quartiles[0]:.3g} to {quartiles[2]:.3g})."
    )
    return Exhibit(name, title, [words], [Figure(name, "", lambda: _draw(evidence, own), 420)])


def _draw(evidence: Evidence, own: Any) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for index in range(len(evidence.rungs)):
        points = thinned(own[own["rung"] == index])
        if len(points):
            figure.add_scatter(
                x=points["flops"],
                y=points["images_per_second"],
                mode="markers",
                marker={"size": 5, "opacity": 0.5, "color": rung_colour(index)},
                name=evidence.amount(index),
                hovertemplate="%{x:.3~s}FLOPs: %{y:.3~s} images a second",
            )
    plain = {"dtick": 1, "tickformat": "~s", "ticktext": None, "tickvals": None}
    figure.update_xaxes(title_text="FLOPs of a forward pass", **number_axis(own["flops"]) | plain)
    figure.update_yaxes(title_text="images a second", **number_axis(own["images_per_second"]))
    return figure
