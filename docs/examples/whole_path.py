"""The whole path from Python: plan, collect, fit, compare, retrain, publish.

Open it in an editor that knows cells (each begins at `# %%`) or convert it to a notebook; it also runs as it is, in
seconds, since its trainings are tiny. Needs torch, torchvision and hatchling: pip install '.[train,publish]'
"""

# %% What there is to search, and what a network costs
import numpy as np

import jointbench

space = jointbench.get_space("joint-small")
print(jointbench.describe(space))
[configuration] = space.sample(np.random.default_rng(0))
print(jointbench.describe(configuration, space=space, image_shape=(1, 8, 8)))

# %% What a collection will take
about = {"images": "digits", "space": space, "ladder": "0.2,0.6", "full_budgets": 16}
print(jointbench.plan(**about, optimizer="hyperband"))

# %% What shall be trained: random search, hyperband, or as here an optimizer of one's own, which keeps to tiny networks
SIZES = {f"res_{what}_{block}": 1 for what in ("blocks", "branches") for block in (1, 2, 3)}
WIDTHS = {"filters": 4, **{f"widen_factor_{block}": 0.5 for block in (1, 2, 3)}}


class Tiny(jointbench.Optimizer):
    """Random configurations of the smallest networks, at the one budget and the other by turns."""

    name, asked = "tiny", 0

    def ask(self) -> jointbench.Trial:
        self.asked += 1
        [drawn] = self.space.sample(self.rng)
        configuration = {**drawn, **SIZES, **WIDTHS, "batch_size": 32}
        return jointbench.Trial(configuration, self.ladder.rungs[self.asked % 2])

    def tell(self, trial: jointbench.Trial, evaluation: jointbench.Evaluation) -> None:
        """It does not learn."""


# %% Train for real. Budgets are counted in seconds of a named device, so any machine gives the same log
here = {"device": "cpu", "clock": "reference:epyc-thread-v1", "workers": 1}
collection = jointbench.collect("runs/log", **about, optimizer=Tiny, **here)
print(collection.table())
collection.figure("evaluations")

# %% A row an evaluation
frame = collection.to_pandas()
print(frame.groupby("budget")["validation_error"].describe())

# %% Is the log healthy, and enough to fit a surrogate to?
print(jointbench.doctor("runs/log"))

# %% Fit a surrogate, judge it on configurations that it has not seen, freeze it
fitted = jointbench.fit(collection.log, "runs/benchmark", quick=True)
print(fitted.table("scores"))
fitted.figure()

# %% Compare optimizers on it. Of a handful of trainings no good surrogate is made: it says so, and goes on if told to
print(fitted.verdict.sentence)
comparison = jointbench.compare(
    "runs/benchmark", ["random", "hyperband"], seeds=2, full_budgets=8, workers=4, out="runs/compare", anyway=True
)
print(comparison.table())
comparison.figure("error")

# %% Train the winners for real
retrained = jointbench.retrain(comparison, seeds=1, runs=1, references=[], **here)
print(retrained.table())
retrained.figure()

# %% One page with all of it
print(jointbench.report(comparison))

# %% One network by hand, and its log and the other as one
best = frame.sort_values("validation_error").iloc[0]
how = {name: here[name] for name in ("device", "clock")}
ladder = about["ladder"]
trained = jointbench.train(
    best[list(space.names)], space=space, images="digits", budget=0.6, ladder=ladder, log="runs/one", **how
)
print(trained)
print(jointbench.merge([collection, "runs/one"], "runs/merged"))

# %% A folder for a data repository, and a wheel that answers with NumPy alone
published = jointbench.publish("runs/benchmark", "runs/published", date="2026-12-24", anyway=True)
print(published.table())
print(f"lowest error seen: {frame['validation_error'].min():.1%}")
