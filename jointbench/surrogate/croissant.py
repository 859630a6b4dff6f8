"""Croissant metadata (MLCommons, version 1.0): what is in a published folder, for data repositories and loaders."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.data.metrics import METRICS
from jointbench.surrogate.benchmark import Benchmark

CROISSANT = "croissant.json"

#: Data files are read by these names.
EVALUATIONS, SPACE = "evaluations.parquet", "space.json"

_LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
_CITATION = (
    "JointBench; and Zela, Klein, Falkner and Hutter: Towards Automated Deep Learning: Efficient Joint Neural "
    "Architecture and Hyperparameter Search, 2018"
)

#: Of Croissant's own words, those that every data set's context lists (specification 1.0, appendix 1).
_WORDS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{word: f"cr:{word}" for word in _WORDS},
}

_FORMATS = {
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/x-parquet",
    ".ubj": "application/octet-stream",
}

_MEANINGS = {
    "budget": "what the training was given, in the unit of the ladder",
    "seed": "of everything random in the training",
    "status": "how it ended: ok, diverged, out_of_memory, crashed or timeout",
    "validation_error": "fraction of the validation images after the last step; 1 after a failure",
    "test_error": "fraction of the test images after the last step; 1 after a failure",
    "parameters": "trainable numbers of the network",
    "flops": "floating-point operations of one image's forward pass",
    "training_seconds": "forward, backward and optimizer step",
    "wall_seconds": "everything from start to end",
    "peak_memory": "bytes",
    "images_per_second": "in training",
    "epochs": "passes through the training images",
    "curve_seconds": "training seconds at each validation pass",
    "curve_epochs": "epochs at each validation pass",
    "curve_training_loss": "mean since the validation pass before",
    "curve_validation_error": "fraction at each validation pass",
    "curve_metrics": "name and values at each validation pass of what else was reported",
    "finished_at": "seconds since 1970",
    "architecture_seed": "with which a network was drawn, where the space draws any",
    "extras": "numbers by name that are no metrics, such as the scores of proxies",
    "optimizer": "who proposed the configuration",
}


def croissant(benchmark: Benchmark, files: Mapping[str, bytes], published: str) -> str:
    """JSON-LD that describes `files` (by name) and every column of the evaluations among them.

    `published` is the day of publication, as in 2026-12-24. The folder is the data set's home until a repository
    gives it an address.
    """
    images, columns = benchmark.task.images, pq.read_schema(pa.BufferReader(files[EVALUATIONS]))
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": benchmark.name,
        "description": (
            f"Evaluations of the space '{benchmark.space.name}', and a surrogate fitted to them that stands in for an "
            "evaluation when optimizers are compared."
            if images is None
            else f"Real trainings of the space '{benchmark.space.name}' on {images.name}, and a surrogate "
            "fitted to them that stands in for a training when optimizers are compared."
        ),
        "version": f"{benchmark.manifest.version}.0.0",
        "datePublished": published,
        "license": _LICENCE,
        "citeAs": _CITATION,
        "creator": {"@type": "sc:Organization", "name": "The JointBench developers"},
        "url": "./",
        "distribution": [_file(name, content) for name, content in files.items()],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "evaluations",
                "name": "evaluations",
                "description": "One training a record, its configuration first.",
                "field": [field for column in columns for field in _fields(column)],
            }
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def _file(name: str, content: bytes) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": _FORMATS["." + name.rsplit(".", 1)[1]],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _fields(column: pa.Field) -> list[dict[str, Any]]:
    """A column as a field; a column of structs as one field for each of its parts."""
    if pa.types.is_struct(column.type):
        return [_field(part.name, part.type, column.name, {"jsonPath": part.name}) for part in column.type.fields]
    return [_field(column.name, column.type, column.name, None)]


def _field(name: str, kind: pa.DataType, column: str, transform: dict[str, str] | None) -> dict[str, Any]:
    source: dict[str, Any] = {"fileObject": {"@id": EVALUATIONS}, "extract": {"column": column}}
    if transform:
        source["transform"] = transform
    listed, mapped = pa.types.is_list(kind), pa.types.is_map(kind)
    inner = kind.value_type if listed else kind.item_type if mapped else kind
    number = "sc:Integer" if pa.types.is_integer(inner) else "sc:Float"
    usual = "provenance, as the log has it" if transform is None else "hyperparameter"
    return {
        "@type": "cr:Field",
        "@id": f"evaluations/{name}",
        "name": name,
        "description": _MEANINGS.get(name, METRICS[name].label if name in METRICS else usual),
        "dataType": "sc:Text" if pa.types.is_string(inner) else "sc:Boolean" if pa.types.is_boolean(inner) else number,
        **({"repeated": True} if listed or mapped else {}),
        "source": source,
    }
