"""Folders as an attacker would make them: a small true benchmark, and ways to damage it behind its checksum's back."""

import hashlib
import json
import math
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import xgboost

from jointbench.data.evaluation import Status
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.contract import corners_and_samples
from jointbench.surrogate.manifest import model_names
from jointbench.surrogate.stored import MANIFEST, MODELS, load_benchmark, released

#: What UBJSON calls NumPy's types.
_MARKERS = {"i1": "i", "u1": "U", "i2": "I", "i4": "l", "i8": "L", "f4": "d", "f8": "D"}

#: Numbers at which arithmetic, indices or memory break.
WHOLE = (0, -1, 1, 2, 7, 255, 2**15, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53, 2**63 - 1, -(2**63), 10**400)
FLOATS = (math.nan, math.inf, -math.inf, 0.5, -0.0, 5e-324, 1e-300, 1e300, 1.7976931348623157e308, -1e38)
VALUES = (*WHOLE, *FLOATS, None, True, False, "", "nonsense", "../../etc/passwd", "9" * 5000, [], {}, [[]], [None] * 3)


@cache
def small() -> tuple[dict[str, Any], dict[str, bytes]]:
    """A benchmark of one member with three small trees a model: manifest and models."""
    benchmark = load_benchmark("digits-cpu")
    manifest = json.loads((released()["digits-cpu"] / MANIFEST).read_text(encoding="utf-8"))
    manifest.update(members=1, odds={"out_of_memory": [1.0, 0.0]})
    rows = corners_and_samples(JOINT, 300)
    features = benchmark.features.many(rows, JOINT.facts(rows, benchmark.images.shape), np.full(len(rows), 9.0))
    targets = np.random.default_rng(0).normal(size=(len(rows), 4))
    models = {}
    for name, outputs in zip(model_names(1, [Status.OUT_OF_MEMORY], distilled=False), (2, 4, 4, 1), strict=True):
        settings: dict[str, object] = {"max_depth": 3, "base_score": 0.0, "nthread": 1}
        if outputs > 1:
            settings["multi_strategy"] = "multi_output_tree"
        data = xgboost.DMatrix(features, targets[:, :outputs])
        models[name] = bytes(xgboost.train(settings, data, 3).save_raw("ubj"))
    return manifest, models


def write(folder: Path, manifest: dict[str, Any] | bytes, models: bytes) -> Path:
    """The folder; the checksum of a manifest that is still an object is made to fit."""
    folder.mkdir(exist_ok=True)
    if isinstance(manifest, dict):
        manifest = json.dumps({**manifest, "models": hashlib.sha256(models).hexdigest()}).encode()
    (folder / MANIFEST).write_bytes(manifest)
    (folder / MODELS).write_bytes(models)
    return folder


def ubjson(value: Any) -> bytes:
    """Written as XGBoost writes it: numbers in eight bytes, arrays of one type as such."""
    if isinstance(value, dict):
        return b"{" + b"".join(ubjson(str(name))[1:] + ubjson(inner) for name, inner in value.items()) + b"}"
    if isinstance(value, np.ndarray):
        marker, stored = _MARKERS[value.dtype.str[1:]], value.astype(value.dtype.newbyteorder(">"))
        return b"[$" + marker.encode() + b"#" + _length(len(value)) + stored.tobytes()
    if isinstance(value, list):
        return b"[#" + _length(len(value)) + b"".join(map(ubjson, value))
    if isinstance(value, str):
        return b"S" + _length(len(value.encode())) + value.encode()
    if isinstance(value, bool) or value is None:
        return {True: b"T", False: b"F", None: b"Z"}[value]
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return b"L" + struct.pack(">q", value)
    return b"D" + struct.pack(">d", min(max(value, -1e308), 1e308) if isinstance(value, int) else value)


def _length(count: int) -> bytes:
    return b"L" + struct.pack(">q", count)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in inner for found in ((*path, key), *places(part, (*path, key)))]


def mutated(random: Random, whole: Any, paths: list[tuple[Any, ...]]) -> Any:
    """Another `whole` with something changed in one to three places; they share what is the same."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        whole = changed(whole, random.choice(paths), lambda holder, key: _mutate(random, holder, key))
    return whole


def changed(whole: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """Another `whole` in which `change(holder, key)` was done at the path; the same where there is no such path."""
    key, *further = path
    held = whole if isinstance(whole, dict) else range(len(whole)) if isinstance(whole, list) else ()
    if key not in held:
        return whole
    other = whole.copy()
    if further:
        other[key] = changed(whole[key], tuple(further), change)
    else:
        change(other, key)
    return other


def _mutate(random: Random, holder: Any, key: Any) -> None:
    value, kind = holder[key], random.random()
    if isinstance(value, np.ndarray) and kind < 0.9:
        holder[key] = _mutated_array(random, value)
    elif kind < 0.1:
        del holder[key]
    elif kind < 0.2 and isinstance(holder, dict):
        holder[random.choice(list(holder))] = value
    elif isinstance(value, (int, float)) and kind < 0.4:
        holder[key] = value * random.choice((-1, 1e-9, 1e-3, 10, 1000, 1e9))
    elif isinstance(value, str) and kind < 0.4:
        holder[key] = value.replace(random.choice(value or "x"), random.choice("09-[]e.Nx/\x00"), 1)
    else:
        holder[key] = random.choice(VALUES)


def _mutated_array(random: Random, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array, kind = array.copy(), random.random()
    if kind < 0.6 and len(array):
        array[random.randrange(len(array))] = _number(random, array.dtype)
    elif kind < 0.7:
        return array[: random.randrange(len(array) + 1)]
    elif kind < 0.8:
        return np.resize(array, len(array) + random.choice((1, 2, 1000)))
    elif kind < 0.9:
        return array.astype(random.choice(tuple(_MARKERS)))
    else:
        np.random.default_rng(random.randrange(2**32)).shuffle(array)
    return array


def _number(random: Random, kind: np.dtype[Any]) -> Any:
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(random.choice((*range(-3, 20), *FLOATS))).astype(kind)
    info = np.iinfo(kind)
    return random.choice([n for n in (*range(-3, 20), *WHOLE) if info.min <= n <= info.max])


def flipped(random: Random, content: bytes) -> bytes:
    """With up to five bytes changed, or cut, or a part of it twice or missing."""
    kind, (first, last) = random.random(), sorted(random.randrange(len(content)) for _ in range(2))
    if kind < 0.1:
        return content[:first]
    if kind < 0.2:
        return content[:first] + content[last:]
    if kind < 0.3:
        return content[:last] + content[first:]
    other = bytearray(content)
    for _ in range(random.randint(1, 5)):
        other[random.randrange(len(other))] = random.choice((random.randrange(256), *b"[]{}$#LlUSDd\xff\x00"))
    return bytes(other)
