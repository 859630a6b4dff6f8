"""A benchmark of a training function of your own: gradient boosting on digits, where a budget is a number of trees.

It goes the whole way: trainings, a surrogate, a comparison, a wheel that answers with NumPy
alone. From a shell the first step is, with the space in a file of ConfigSpace's JSON,

    jointbench collect runs/log --objective own_training.py:train --space space.json --ladder 2,6,18trees \
        --metrics validation_error,log_loss:0.. --optimizer hyperband --full-budgets 64 --workers 2

Needs scikit-learn, which JointBench brings, and hatchling for the wheel: pip install '.[publish]'
"""

from ConfigSpace import ConfigurationSpace, Float
from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

import jointbench

SPACE = ConfigurationSpace(
    name="boosting",
    space=[
        Float("learning_rate", (0.01, 0.5), log=True),
        Float("subsample", (0.3, 1.0)),
        Float("max_features", (0.02, 0.5), log=True),
    ],
)
SPACE.add(ConfigurationSpace({"max_depth": (1, 5), "min_samples_leaf": (1, 20)}).values())

images, labels = load_digits(return_X_y=True)
SEEN, UNSEEN, SEEN_LABELS, UNSEEN_LABELS = train_test_split(images, labels, train_size=400, random_state=0)


def train(configuration, budget, seed, report):
    """Trains from scratch, tells how good the model is after every other tree, and returns how good it is."""
    model = GradientBoostingClassifier(**configuration, n_estimators=budget, random_state=seed).fit(SEEN, SEEN_LABELS)
    for trees, likelihoods in enumerate(model.staged_predict_proba(UNSEEN), start=1):
        if trees % 2 == 0:
            report({"trees": trees, **metrics(likelihoods)})
    return metrics(model.predict_proba(UNSEEN))


def metrics(likelihoods):
    wrong = likelihoods.argmax(axis=1) != UNSEEN_LABELS
    return {"validation_error": wrong.mean(), "log_loss": log_loss(UNSEEN_LABELS, likelihoods)}


if __name__ == "__main__":
    collection = jointbench.collect(
        "runs/log",
        objective=train,
        space=SPACE,
        ladder="2,6,18trees",
        metrics="validation_error,log_loss:0..",
        optimizer="hyperband",
        full_budgets=64,
        workers=2,
    )
    print(collection.table())
    fitted = jointbench.fit(collection.log, "runs/boosting", quick=True)
    print(fitted.verdict.sentence)
    # Optimizers are compared on the surrogate, where a training takes no time.
    comparison = jointbench.compare(
        "runs/boosting", ["random", "hyperband"], seeds=3, full_budgets=16, workers=2, out="runs/compare", anyway=True
    )
    print(comparison.table())
    published = jointbench.publish("runs/boosting", "runs/published", date="2026-12-24", anyway=True)
    print(published.table())
