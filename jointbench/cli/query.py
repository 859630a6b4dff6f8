"""`jointbench query`: ask a benchmark about a configuration."""

import argparse
import json
from dataclasses import asdict

from jointbench.cli.command import Commands, say
from jointbench.cli.values import positive, whole


def add_to(commands: Commands) -> None:
    summary = "Ask a benchmark for the outcome of a configuration, as JSON."
    example = "query digits-cpu zela-2018 --budget 27 --seed 3"
    add = commands.add("query", run, summary, example, answers=True).add_argument
    add("benchmark", metavar="BENCHMARK", help="a name that ships, or a folder")
    add("configuration", metavar="CONFIG.json", help="a JSON file or a named configuration")
    add("--budget", type=positive("budget"), help="default the largest")
    add("--seed", type=whole("seed", 0), help="one noisy draw; default the expected outcome")


def run(arguments: argparse.Namespace) -> None:
    from jointbench.surrogate.stored import load_benchmark

    benchmark = load_benchmark(arguments.benchmark)
    configuration = benchmark.space.load(arguments.configuration)
    budget = benchmark.ladder.maximum if arguments.budget is None else arguments.budget
    answer = benchmark.query(configuration, budget, arguments.seed)
    asked = {"benchmark": benchmark.name, "budget": budget, "seed": arguments.seed}
    say(json.dumps({**asked, **asdict(answer)}, indent=2))
