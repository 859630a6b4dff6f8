"""A benchmark: a fitted surrogate frozen into a folder, which loads and answers with NumPy alone."""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError, JointBenchError, UnknownNameError
from jointbench.data.evaluation import Configuration, Status
from jointbench.data.images import ImageFacts
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.space import FloatArray
from jointbench.data.spaces import get_space
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.transform import ErrorScale, normals
from jointbench.surrogate.trees import Forest

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

FORMAT_VERSION = 1
MANIFEST = "benchmark.json"

#: A manifest or model file larger than this was not written by `jointbench fit`, bytes.
LARGEST_FILE = 64 * 2**20

#: What the forest's outputs mean, in order, after the members' errors.
COSTS = ("training_seconds", "overhead_seconds", "peak_memory", "images_per_second")
FAILURES = (Status.DIVERGED, Status.OUT_OF_MEMORY, Status.CRASHED, Status.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a benchmark says of a configuration at a budget.

    Errors are fractions, seconds are seconds, `peak_memory` is in bytes, `flops` are those of one image's forward
    pass. `parameters` and `flops` are exact. `failure_probability` is that of ending in any other way than `ok`.
    `interpolated` marks a budget between two rungs. A failed answer carries the error of guessing.
    """

    validation_error: float
    test_error: float
    training_seconds: float
    wall_seconds: float
    status: Status
    epochs: float
    images_per_second: float
    peak_memory: float
    parameters: int
    flops: int
    failure_probability: float
    interpolated: bool


class Benchmark:
    """A frozen surrogate; get one with `load_benchmark`.

    The forest's outputs are, in order: each member's validation and test error (on the line of `ErrorScale`), the
    costs (logarithms), and the log odds of each kind of failure that the log has seen.
    """

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
            self.members = int(manifest["members"])
            self.failures = tuple(Status(kind) for kind in manifest["failures"])
            noise = manifest["noise"]
            self.noise_floor, self.noise_slope = float(noise["floor"]), float(noise["slope"])
            self.checksums: dict[str, str] = dict(manifest["files"])
            expected = list(manifest["features"])
            self.quality: list[dict[str, Any]] = list(manifest["quality"])
            self.provenance: dict[str, Any] = dict(manifest["provenance"])
        except BenchmarkError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, JointBenchError):
            raise BenchmarkError("benchmark", source, f"a whole {MANIFEST}") from None
        self.features = FeatureMap(self.search_space, self.images)
        outputs = 2 * self.members + len(COSTS) + len(self.failures)
        if expected != list(self.features.names) or len(self.checksums) != outputs or self.members < 1:
            raise BenchmarkError("benchmark", source, "features and model files as this version of JointBench has")
        if not (0 <= self.noise_floor < math.inf and 0 <= self.noise_slope < math.inf):
            raise BenchmarkError("noise of the benchmark", noise, "finite numbers of at least 0")
        self._forest = Forest([(files[name], name) for name in self.checksums], len(self.features.names))
        self._scales = ErrorScale(self.images.validation), ErrorScale(self.images.test)
        self._guessing = 1 - 1 / self.images.classes

    @cached_property
    def space(self) -> "ConfigurationSpace":
        """The space as a ConfigSpace object."""
        return self.search_space.configspace

    @property
    def checksum(self) -> str:
        """Changes whenever an answer could."""
        content = {"files": self.checksums, "noise": [self.noise_floor, self.noise_slope], "format": FORMAT_VERSION}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def query(self, configuration: Mapping[str, Any], budget: float, seed: int | None = None) -> Answer:
        """The expected outcome, or with a seed one noisy draw, the same for the same seed on every machine.

        Without a seed the status is the most probable one. Raises ConfigurationError for a configuration outside
        the space and BudgetError for a budget outside the ladder; one between two rungs is interpolated linearly
        in its logarithm.
        """
        checked = self.search_space.check(configuration)
        budget = self.ladder.check_within(budget)
        raw, interpolated = self._predict(checked, budget)
        facts = self.search_space.facts(checked, self.images.shape, self.images.classes)
        draw = None if seed is None else _draw(checked, budget, seed)
        return self._answer(raw, budget, draw, interpolated, facts.parameters, facts.flops)

    def query_batch(self, rows: FloatArray, budgets: npt.ArrayLike, seeds: npt.ArrayLike | None = None) -> list[Answer]:
        """Answers for rows (n, hyperparameters) of raw values; budgets and seeds (n,) or one for all.

        Each equals that of `query`; rungs only. Raises as `query` does.
        """
        budget = np.broadcast_to(np.asarray(budgets, dtype=np.float64), len(rows))
        for value in np.unique(budget):
            self.ladder.rung_of(float(value))
        space = self.search_space
        checked = [space.check(space.configuration(row)) for row in rows]
        raw = self._forest.many(self.features.many(rows, budget)).tolist()
        facts = space.facts(rows, self.images.shape, self.images.classes)
        draws: list[list[float] | None] = [None] * len(rows)
        if seeds is not None:
            each = np.broadcast_to(np.asarray(seeds), len(rows)).tolist()
            draws = [_draw(c, float(b), s) for c, b, s in zip(checked, budget, each, strict=True)]
        return [
            self._answer(
                raw[i],
                float(budget[i]),
                draws[i],
                False,
                int(facts.parameters[i]),
                int(facts.flops[i]),
            )
            for i in range(len(rows))
        ]

    def _predict(self, configuration: Configuration, budget: float) -> tuple[list[float], bool]:
        below = above = self.ladder.minimum
        for rung in self.ladder.rungs:
            if abs(budget - rung) <= SAME_RUNG * rung:
                return self._forest.one(self.features.one(configuration, rung)).tolist(), False
            if rung < budget:
                below = rung
            elif above <= budget:
                above = rung
        share = math.log(budget / below) / math.log(above / below)
        low, high = (self._forest.one(self.features.one(configuration, rung)) for rung in (below, above))
        return ((1 - share) * low + share * high).tolist(), True

    def _answer(
        self,
        raw: list[float],
        budget: float,
        draw: list[float] | None,
        interpolated: bool,
        parameters: int,
        flops: int,
    ) -> Answer:
        members = self.members
        validation, test = raw[0 : 2 * members : 2], raw[1 : 2 * members : 2]
        costs = [math.exp(cost) for cost in raw[2 * members : 2 * members + len(COSTS)]]
        chances = [1 / (1 + math.exp(-min(max(odds, -50.0), 50.0))) for odds in raw[2 * members + len(COSTS) :]]
        failing = min(1.0, sum(chances))
        status = self._status(chances, failing, None if draw is None else draw[3])
        if status is not Status.OK:
            errors = [self._guessing, self._guessing]
        else:
            errors = self._errors(validation, test, draw)
            if self.ladder.unit == "seconds":
                # A training that ended ok has spent its budget; the trees know it but for their rounding.
                costs[0] = max(costs[0], budget)
        return Answer(
            errors[0],
            errors[1],
            costs[0],
            costs[0] + costs[1],
            status,
            costs[0] * costs[3] / self.images.training,
            costs[3],
            costs[2],
            parameters,
            flops,
            failing,
            interpolated,
        )

    def _errors(self, validation: list[float], test: list[float], draw: list[float] | None) -> list[float]:
        mean = sum(validation) / self.members, sum(test) / self.members
        if draw is None:
            return [scale.from_line(z) for scale, z in zip(self._scales, mean, strict=True)]
        # The luck of the training moves both errors together, the luck of counting each on its own.
        spread = sum((z - mean[0]) ** 2 for z in validation) / self.members
        luck = math.sqrt(self.noise_floor + self.noise_slope * spread) * draw[0]
        return [
            scale.counted(scale.from_line(z + luck), counting)
            for scale, z, counting in zip(self._scales, mean, draw[1:3], strict=True)
        ]

    def _status(self, chances: list[float], failing: float, draw: float | None) -> Status:
        if draw is None:
            if failing < 0.5:
                return Status.OK
            return max(zip(chances, self.failures, strict=True))[1]
        # One normal number decides, as a uniform one.
        left = 0.5 * math.erfc(-draw / math.sqrt(2))
        for chance, kind in zip(chances, self.failures, strict=True):
            left -= chance
            if left < 0:
                return kind
        return Status.OK


def _draw(configuration: Configuration, budget: float, seed: int) -> list[float]:
    """Four standard normal numbers: luck of the training, of counting twice, and of failing."""
    content = struct.pack(f"<{len(configuration) + 1}dq", *configuration.values(), budget, seed)
    return normals(hashlib.blake2b(content, digest_size=32).digest())


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
