"""Golden answers: what a benchmark said when it was published, to the last bit, and whether it still says so."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.data.errors import BenchmarkError, JointBenchError
from jointbench.data.json_text import read_json
from jointbench.data.ladder import Ladder
from jointbench.surrogate.answer import Answer
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.metric_answer import MetricAnswer
from jointbench.surrogate.stored import read_file

GOLDEN = "golden.json"

#: Random configurations beside the named ones and the two corners of the space.
_RANDOM = 20
_SEEDS = (None, 0, 1, 2**40, -3)


def golden(benchmark: Benchmark) -> str:
    """JSON: configurations, budgets at and between the rungs, seeds, and the answers. JSON keeps every bit."""
    space, ladder = benchmark.space, benchmark.ladder
    ends = [space.configuration(row) for row in space.ends]
    configurations = [*ends, *space.named.values(), *space.sample(np.random.default_rng(0), _RANDOM)]
    budgets = at_and_between(ladder)
    cases: list[dict[str, Any]] = []
    for number, configuration in enumerate(configurations):
        budget, plain = budgets[number % len(budgets)], dict(space.check(configuration))
        for seed in _SEEDS:
            answer = _plain(benchmark.query(plain, budget, seed))
            cases.append({"configuration": plain, "budget": budget, "seed": seed, "answer": answer})
    return json.dumps({"benchmark": benchmark.name, "answers": cases}, indent=0) + "\n"


def at_and_between(ladder: Ladder) -> list[float]:
    """The rungs, and a budget between two of them where there are two."""
    between = [math.sqrt(ladder.minimum * ladder.maximum) * 1.01] if len(ladder.rungs) > 1 else []
    return [*ladder.rungs, *between]


def _plain(answer: Answer | MetricAnswer) -> dict[str, Any]:
    """Without what a benchmark of its format does not say."""
    return {name: value for name, value in asdict(answer).items() if value is not None}


def check_golden(benchmark: Benchmark, content: str) -> int:
    """The number of golden answers, all of which the benchmark gives, one by one and in a batch.

    Raises BenchmarkError with the first that it does not, or when the content is damaged.
    """
    try:
        given = read_json(content.encode(), GOLDEN)
        if given["benchmark"] != benchmark.name:
            raise BenchmarkError("golden answers", given["benchmark"], f"those of {benchmark.name}")
        return _check(benchmark, given["answers"])
    except BenchmarkError:
        raise
    except (JointBenchError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise BenchmarkError("golden answers", benchmark.source, "those that `jointbench fit` wrote") from None


def _check(benchmark: Benchmark, cases: list[dict[str, Any]]) -> int:
    if not cases:
        raise ValueError
    rows = benchmark.space.rows([case["configuration"] for case in cases])
    for seeded in (False, True):
        chosen = [k for k, case in enumerate(cases) if (case["seed"] is not None) == seeded]
        budgets = np.array([cases[k]["budget"] for k in chosen])
        seeds = np.array([cases[k]["seed"] for k in chosen], dtype=np.int64) if seeded else None
        for k, batched in zip(chosen, benchmark.query_batch(rows[chosen], budgets, seeds), strict=True):
            case = cases[k]
            single = benchmark.query(case["configuration"], case["budget"], case["seed"])
            for answer in (_plain(single), _plain(batched)):
                if case["answer"].keys() != answer.keys():
                    raise ValueError
                differing = {name: answer[name] for name, value in case["answer"].items() if answer[name] != value}
                if differing:
                    expected = {name: case["answer"][name] for name in differing}
                    raise BenchmarkError(f"golden answer {k} of {benchmark.name}", differing, f"{expected}")
    return len(cases)


def read_golden(folder: Path) -> str:
    """Raises BenchmarkError when it cannot be read."""
    return read_file(folder, GOLDEN).decode(errors="replace")
