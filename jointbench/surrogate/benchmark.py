"""A benchmark: a fitted surrogate frozen into a folder, which loads and answers with NumPy alone."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError, InputError, JointBenchError, UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.images import ImageFacts
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.space import FloatArray
from jointbench.data.spaces import get_space
from jointbench.surrogate.answer import STATUSES, Answer, Answers
from jointbench.surrogate.device import DeviceLaws
from jointbench.surrogate.exact import log
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.luck import Luck
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.outcome import DRAWS, OutcomeModel
from jointbench.surrogate.trees import Forest

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

__all__ = ["Answer", "Answers", "Benchmark", "load_benchmark", "released"]

FORMAT_VERSION = 2
MANIFEST = "benchmark.json"

#: A manifest or model file larger than this was not written by `jointbench fit`, bytes.
LARGEST_FILE = 64 * 2**20


def model_files(members: int, failures: Sequence[Status]) -> list[str]:
    """The names of a benchmark's model files, in the order of the forest's outputs."""
    errors = [f"errors-{member}" for member in range(members)]
    return [f"{name}.ubj" for name in (*errors, "costs", "costs-of-failures", *(kind.value for kind in failures))]


class Benchmark:
    """A frozen surrogate; get one with `load_benchmark`."""

    def __init__(self, manifest: Mapping[str, Any], files: Mapping[str, bytes], source: str) -> None:
        """Raises BenchmarkError when the parts do not fit together."""
        self.source = source
        try:
            if manifest["format_version"] != FORMAT_VERSION:
                raise BenchmarkError("benchmark format version", manifest["format_version"], str(FORMAT_VERSION))
            self.name: str = str(manifest["name"])
            self.search_space = get_space(manifest["space"])
            self.ladder = Ladder(**manifest["ladder"])
            self.images = ImageFacts.from_dict(manifest["images"])
            laws = DeviceLaws.from_dict(manifest["laws"])
            members, noise = int(manifest["members"]), Noise(**manifest["noise"])
            odds = {Status(kind): (float(slope), float(offset)) for kind, (slope, offset) in manifest["odds"].items()}
            self.checksums: dict[str, str] = dict(manifest["files"])
            names = list(manifest["features"])
            self.quality: list[dict[str, Any]] = list(manifest["quality"])
            self.provenance: dict[str, Any] = dict(manifest["provenance"])
        except BenchmarkError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, JointBenchError):
            raise BenchmarkError("benchmark", source, f"a whole {MANIFEST}") from None
        self.features = FeatureMap(self.search_space, self.images, self.ladder, laws)
        if names != list(self.features.names) or list(self.checksums) != model_files(members, tuple(odds)):
            raise BenchmarkError("benchmark", source, "features and model files as this version of JointBench has")
        self._forest = Forest([(files[name], name) for name in self.checksums], len(names))
        self._outcomes = OutcomeModel(self.images, self.ladder, laws, members, noise, odds)
        if [booster.outputs for booster in self._forest.boosters] != self._outcomes.outputs:
            raise BenchmarkError("benchmark", source, "models with as many outputs as there are targets")
        self._luck = Luck(len(self.search_space.names))
        #: All that the answers follow from, beside the code.
        self._content = {key: manifest[key] for key in ("format_version", "laws", "noise", "odds", "files", "images")}

    @cached_property
    def space(self) -> "ConfigurationSpace":
        """The space as a ConfigSpace object."""
        return self.search_space.configspace

    @property
    def checksum(self) -> str:
        """Changes whenever an answer could."""
        return hashlib.sha256(json.dumps(self._content, sort_keys=True).encode()).hexdigest()

    def query(self, configuration: Mapping[str, Any], budget: float, seed: int | None = None) -> Answer:
        """The expected outcome, or with a seed one noisy draw, the same for the same seed on every machine.

        Without a seed the status is the most probable one. Raises ConfigurationError for a configuration outside
        the space and BudgetError for a budget outside the ladder; one between two rungs is interpolated linearly
        in its logarithm.
        """
        at = self.search_space.check(configuration)
        budget, below, above, share = self._between(budget)
        facts = self.search_space.facts(at, self.images.shape, self.images.classes)
        outputs = self._forest.one(self.features.one(at, facts, below))
        if share:
            higher = self._forest.one(self.features.one(at, facts, above))
            outputs = [(1 - share) * low + share * high for low, high in zip(outputs, higher, strict=True)]
        uniforms = None
        if seed is not None:
            if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not -(2**63) <= seed < 2**63:
                raise InputError("seed", seed, "an integer of 64 bits")
            uniforms = self._luck.one(list(at.values()), budget, int(seed), DRAWS)
        *most, failing = self._outcomes.outcome(outputs, at, facts, budget, uniforms)
        most[4] = STATUSES[most[4]]
        return Answer(*(*most, facts.parameters, facts.flops, failing, share > 0))

    def query_batch(self, rows: npt.ArrayLike, budgets: npt.ArrayLike, seeds: npt.ArrayLike | None = None) -> Answers:
        """Answers for rows (n, hyperparameters) of raw values; budgets and seeds (n,) or one for all.

        Each equals that of `query` bit for bit. Raises as `query` does.
        """
        rows = self._checked(np.asarray(rows, dtype=np.float64))
        between = {b: self._between(b) for b in np.unique(np.asarray(budgets, dtype=np.float64)).tolist()}
        each = np.broadcast_to(np.asarray(budgets, dtype=np.float64), len(rows)).tolist()
        table = np.array([between[b] for b in each], dtype=np.float64).reshape(len(rows), 4)
        budget, below, above, share = np.ascontiguousarray(table.T)
        facts = self.search_space.facts(rows, self.images.shape, self.images.classes)
        outputs = self._forest.many(self.features.many(rows, facts, below))
        if share.any():
            higher = self._forest.many(self.features.many(rows, facts, above))
            outputs = (1 - share) * outputs + share * higher
        uniforms = None
        if seeds is not None:
            seed = np.asarray(seeds)
            if seed.dtype.kind not in "iu" or (seed.dtype.kind == "u" and (seed >= 2**63).any()):
                raise InputError("seeds", seeds, "integers of 64 bits")
            uniforms = self._luck.many(rows, budget, np.broadcast_to(seed, len(rows)).astype(np.int64), DRAWS)
        at = dict(zip(self.search_space.names, rows.T, strict=True))
        *most, failing = self._outcomes.outcome(outputs, at, facts, budget, uniforms)
        columns = (*most, facts.parameters, facts.flops, failing, share > 0)
        # Without any kind of failure, their columns are single numbers.
        return Answers(*(np.broadcast_to(column, len(rows)) for column in columns))

    def _checked(self, rows: FloatArray) -> FloatArray:
        space = self.search_space
        if rows.ndim != 2 or rows.shape[1] != len(space.names):
            raise InputError("rows", rows.shape, f"an array (n, {len(space.names)})")
        low, high = (np.array([getattr(h, end) for h in space.hyperparameters]) for end in ("low", "high"))
        integer = np.array([h.integer for h in space.hyperparameters])
        legal = (rows >= low) & (rows <= high) & (~integer | (rows == np.rint(rows)))
        for row, column in np.argwhere(~legal)[:1]:
            space.hyperparameters[column].check(rows[row, column])
        return rows

    def _between(self, budget: float) -> tuple[float, float, float, float]:
        """The budget, the rungs around it, and how far it is from the lower to the upper one, 0 at a rung."""
        budget = self.ladder.check_within(budget)
        rungs = self.ladder.rungs
        for rung in rungs:
            if abs(budget - rung) <= SAME_RUNG * rung:
                return rung, rung, rung, 0.0
        below, above = next(pair for pair in pairwise(rungs) if pair[0] < budget < pair[1])
        return budget, below, above, log(budget / below) / log(above / below)


def released() -> dict[str, Path]:
    """The benchmarks that ship, by name."""
    folder = Path(str(resources.files("jointbench.data") / "released"))
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{MANIFEST}"))}


def load_benchmark(name_or_folder: str | Path) -> Benchmark:
    """A benchmark that ships, by name, or one that `jointbench fit` wrote, by folder.

    Raises UnknownNameError when it is neither, BenchmarkError when it is damaged.
    """
    shipped = released()
    folder = shipped.get(str(name_or_folder), Path(name_or_folder))
    if not folder.is_dir():
        raise UnknownNameError.of("benchmark", str(name_or_folder), shipped, hint=", or a folder")
    manifest = _read_manifest(folder)
    files = {}
    for name, checksum in manifest["files"].items():
        # A name that is no plain file name would read outside the folder.
        if Path(name).name != name:
            raise BenchmarkError("model file", name, "a file in the benchmark's own folder")
        content = _read(folder / name)
        if hashlib.sha256(content).hexdigest() != checksum:
            raise BenchmarkError("model file", str(folder / name), "content that fits its checksum")
        files[name] = content
    return Benchmark(manifest, files, str(folder))


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(_read(path))
    except ValueError:
        raise BenchmarkError("benchmark", str(path), "JSON") from None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(isinstance(checksum, str) for checksum in files.values()):
        raise BenchmarkError("benchmark", str(path), "the model files with their checksums")
    return dict(manifest)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BenchmarkError("benchmark file", str(path), f"at most {LARGEST_FILE} bytes")
        return path.read_bytes()
    except OSError as error:
        raise BenchmarkError("benchmark file", str(path), f"a file that can be read ({error.strerror})") from None
