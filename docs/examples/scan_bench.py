"""Surrogates of tables that nobody here made: ScAn-Bench's CLIP models and language models, on its own five folds.

    pip install --no-deps scan-bench==0.2.3
    python docs/examples/scan_bench.py            # the models that `jointbench fit` makes: a minute of a core a fold
    python docs/examples/scan_bench.py --quick    # those of `jointbench fit --quick`: seconds a fold

Its CSV files are read where the package is installed (the CLIP models' are CC BY-SA 4.0). For each of its folds models
are fitted to its training rows and asked about its test rows, whose configurations they have not seen. What is printed
is about all checkpoints of the test rows, as the package's own figures are, and about those at the end of a training.
"""

import argparse
import time
from datetime import date
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score

import jointbench
from jointbench.data.evaluation import Status
from jointbench.surrogate.judging.held_out import Said
from jointbench.surrogate.models import DEFAULT, Models, error_models
from jointbench.surrogate.student import distillation
from jointbench.surrogate.table import TrainingTable, training_table

FOLDS = range(1, 6)
#: R2, RMSE and Spearman's correlation that the package reports of its surrogates (its README, version 0.2.3).
THEIRS = {
    "vlm": {
        "TabPFN": (0.96, 0.21, 0.98),
        "AutoGluon": (0.94, 0.26, 0.98),
        "XGBoost": (0.90, 0.35, 0.96),
        "mix": (0.88, 0.37, 0.95),
        "LightGBM": (0.86, 0.42, 0.95),
    },
    "llm": {
        "TabPFN": (0.77, 0.27, 0.95),
        "AutoGluon": (0.72, 0.30, 0.91),
        "XGBoost": (0.63, 0.35, 0.86),
        "mix": (0.66, 0.33, 0.86),
        "LightGBM": (0.66, 0.33, 0.87),
    },
}
#: The package's spaces as ConfigSpace writes them: name, lower, upper, whether on a logarithmic scale, whether whole.
RANGES = {
    "vlm": (
        ("lr", 1e-5, 5e-2, True, False),
        ("wd", 1e-6, 2e-1, True, False),
        ("beta1", 0.9, 0.99, False, False),
        ("beta2", 0.95, 0.999, False, False),
        ("eps", 1e-8, 1e-6, True, False),
        ("warmup_fraction", 0.0, 0.75, False, False),
        ("vision_width", 32, 1024, True, True),
        ("text_width", 32, 1024, True, True),
        ("total_samples_planned", 600_000, 200_000_000, True, True),
    ),
    "llm": (
        ("lr", 1e-5, 1e-2, True, False),
        ("weight_decay", 1e-3, 0.2, True, False),
        ("beta1", 0.8, 0.99, False, False),
        ("beta2", 0.9, 0.999, False, False),
        ("cooldown_steps", 0.0, 0.3, False, False),
        ("d_model", 256, 1600, True, True),
        ("n_layers", 4, 30, True, True),
        ("n_heads", 4, 40, True, True),
        ("n_data", 200_000_000, 40_000_000_000, True, True),
        ("global_batch_size", 32, 128, True, True),
    ),
}
LOSS = {"vlm": "val_loss", "llm": "test_loss"}


def space(name: str) -> dict[str, object]:
    hyperparameters = [
        {"name": one, "type": "uniform_int" if whole else "uniform_float", "lower": low, "upper": high, "log": log}
        for one, low, high, log, whole in RANGES[name]
    ]
    return {"name": f"scan-{name}", "hyperparameters": hyperparameters}


def checkpoints(package: Path, name: str) -> pd.DataFrame:
    """All rows of the test folds, which part the configurations, with the number of the fold and the share of the
    schedule that a checkpoint has come to."""
    files = {"vlm": "vlm/performance_surrogate/splits/test_split_{}.csv", "llm": "llm/splits/test_fold_{}.csv"}
    frames = [pd.read_csv(package / files[name].format(fold), low_memory=False).assign(fold=fold) for fold in FOLDS]
    found = pd.concat(frames, ignore_index=True)
    found["progress"] = found["training_progress"] if name == "vlm" else found["eval_step"] / found["final_step"]
    return found


def table_of(frame: pd.DataFrame, name: str, folder: Path, status: str | None = None) -> TrainingTable:
    """Through `jointbench import`, as arrays for fitting, in the order of the frame."""
    made = jointbench.import_table(
        frame,
        folder,
        budget="progress",
        unit="of the schedule",
        metrics={"loss": LOSS[name]},
        space=space(name),
        status_column=status,
        group="config_id",
    )
    return training_table(made.log)


def scores(real: np.ndarray, said: np.ndarray) -> tuple[float, float, float]:
    """R2, RMSE and Kendall's correlation."""
    squares = (real - said) ** 2
    r2 = 1 - squares.sum() / ((real - real.mean()) ** 2).sum()
    return float(r2), float(np.sqrt(squares.mean())), float(kendalltau(real, said)[0])


def performance(package: Path, name: str, folds: list[int], *, quick: bool) -> None:
    frame = checkpoints(package, name)
    with TemporaryDirectory() as folder:
        table = table_of(frame, name, Path(folder) / "log")
    fold, final = frame["fold"].to_numpy(), (frame["progress"] >= 0.999).to_numpy()
    found: dict[str, list[tuple[float, float, float]]] = {"all checkpoints": [], "final checkpoints": []}
    for number in folds:
        begun = time.process_time()
        asked = fold == number
        seen = table.take(~asked)
        models = error_models(seen, 0, DEFAULT if quick else distillation(seen))
        said = table.scales[0].from_logit(models.logits(table.take(asked))[:, 0])
        real, last = table.errors[asked, 0], final[asked]
        found["all checkpoints"].append(scores(real, said))
        found["final checkpoints"].append(scores(real[last], said[last]))
        r2, rmse, kendall = found["all checkpoints"][-1]
        print(
            f"{name} fold {number}: fitted to {(~asked).sum():,} checkpoints, asked about {asked.sum():,}: "
            f"R2 {r2:.3f}, RMSE {rmse:.3f}, Kendall {kendall:.3f} ({time.process_time() - begun:.0f} s of a core)",
            flush=True,
        )
    print(f"\n{name}: {LOSS[name]}, means over folds {', '.join(map(str, folds))}")
    for what, each in found.items():
        r2, rmse, kendall = np.mean(each, axis=0)
        print(f"  JointBench, {what:<18} R2 {r2:.3f}   RMSE {rmse:.3f}   Kendall {kendall:.3f}")
    for model, (r2, rmse, spearman) in THEIRS[name].items():
        print(f"  {model + ', as the package says':<30} R2 {r2:.2f}    RMSE {rmse:.2f}    Spearman {spearman:.2f}")
    print()


def divergence(package: Path, folds: list[int]) -> None:
    """Whether a CLIP model diverges anywhere in its training: one row a configuration. Those that ended are parted as
    above; those that diverged, of which the package's folds have none, are dealt to the folds in their order."""
    every = pd.read_csv(package / "vlm/data.csv", low_memory=False).sort_values(["config_id", "epoch"])
    fold_of = checkpoints(package, "vlm").groupby("config_id")["fold"].first()
    last = every.groupby("config_id").tail(1).assign(progress=1.0).reset_index(drop=True)
    diverged = last["config_id"].map(every.groupby("config_id")["epoch_diverged"].any())
    last["status"] = np.where(diverged, "diverged", "ok")
    dealt = pd.Series(np.arange(diverged.sum()) % len(FOLDS) + 1, index=last.index[diverged])
    fold = last["config_id"].map(fold_of).fillna(dealt).astype(int).to_numpy()
    with TemporaryDirectory() as folder:
        table = table_of(last, "vlm", Path(folder) / "log", "status")
    found = []
    for number in folds:
        asked = fold == number
        said = Said.by(Models.fit(table.take(~asked), 0, DEFAULT), table.take(asked))
        found.append(roc_auc_score(diverged[asked], said.logits[Status.DIVERGED]))
    each = ", ".join(f"{one:.3f}" for one in found)
    print(f"vlm: {int(diverged.sum())} of {len(last):,} configurations diverge; AUC {np.mean(found):.3f} ({each})\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the models of `jointbench fit --quick`")
    parser.add_argument("--folds", default="1,2,3,4,5", help="some of the folds; default all")
    parser.add_argument("--tables", default="vlm,llm", help="some of the tables; default both")
    arguments = parser.parse_args()
    folds = [int(one) for one in arguments.folds.split(",")]
    try:
        # Found by its metadata, since this file has the package's name.
        installed = metadata.distribution("scan-bench")
    except metadata.PackageNotFoundError:
        raise SystemExit("needs ScAn-Bench: pip install --no-deps scan-bench==0.2.3") from None
    package = Path(str(installed.locate_file("scan_bench")))
    print(f"scan-bench {installed.version}, jointbench {jointbench.__version__}, {date.today()}")
    for name in arguments.tables.split(","):
        performance(package, name, folds, quick=arguments.quick)
    if "vlm" in arguments.tables:
        divergence(package, folds)


if __name__ == "__main__":
    main()
