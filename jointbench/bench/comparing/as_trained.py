"""How a benchmark's trainings were timed and computed: others are comparable only if they are made in the same way."""

from collections.abc import Iterable

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.its_benchmark import its_benchmark

#: The options of `jointbench train`, `collect` and `retrain`, and what they are where nobody says otherwise.
_USUAL = {"clock": "measured", "precision": "fp32"}


def as_trained(clocks: Iterable[str], precisions: Iterable[str]) -> str:
    """The options by which a training is made as those were, such as `--clock reference:h200-v1 --precision bf16`;
    empty where the usual ones do so. Of what differs among them, or is not known, nothing is said.
    """
    found = {"clock": {*clocks} - {""}, "precision": {*precisions} - {""}}
    only = {name: next(iter(values)) for name, values in found.items() if len(values) == 1}
    return " ".join(f"--{name} {value}" for name, value in only.items() if value != _USUAL[name])


def made_otherwise(settings: Settings, options: str) -> str:
    """A sentence, where those of a comparison's surrogate are known to have been made with other options; else empty.
    `options`: of the trainings at hand, as `as_trained` has them.
    """
    benchmark = its_benchmark(settings)
    made = {} if benchmark is None else benchmark.provenance
    clocks, precisions = made.get("clocks", ()), made.get("precisions", ())
    if len(clocks) != 1 or len(precisions) != 1 or (theirs := as_trained(clocks, precisions)) == options:
        return ""
    return (
        f"the surrogate's trainings were made with {theirs or 'the usual clock and precision'}, these are made with "
        f"{options or 'the usual ones'}: their errors differ for that, too"
    )
