"""How much of a generator's error is luck: of the network that is drawn, and of its training."""

from collections.abc import Mapping
from typing import Any

from jointbench.data.errors import InputError
from jointbench.data.log import EvaluationLog
from jointbench.data.seeds import architecture_seed, training_seed
from jointbench.data.spaces.sobol import sobol
from jointbench.optimizers.optimizer import Trial


def draws(log: EvaluationLog, options: Mapping[str, Any], seed: int, part: str) -> list[Trial]:
    """`configurations` of a scrambled Sobol sequence at one `rung`, each on `architectures` networks of its own; then
    the first `trained` of them again on their first network, until that has `trainings` trainings.

    Whatever is changed of the numbers, the networks are the same. Raises InputError for a space that draws none.
    """
    if not log.space.draws:
        raise InputError(f"kind of {part}", "draws", f"a space whose networks are drawn, which {log.space.name} is not")
    rung = log.ladder.rungs[log.ladder.rung_of(options["rung"])]
    configurations = sobol(log.space, options["configurations"], seed)

    def drawn(number: int, draw: int) -> Trial:
        # Far fewer networks than 2^10 a configuration.
        of = architecture_seed(training_seed(seed, (number << 10) + draw))
        return Trial(configurations[number], rung, architecture_seed=of)

    different = [drawn(n, k) for n in range(len(configurations)) for k in range(options["architectures"])]
    return different + [drawn(n, 0) for n in range(options["trained"]) for _ in range(options["trainings"] - 1)]
