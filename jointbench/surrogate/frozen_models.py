"""All models of a benchmark as one: its forest, and the student's network where it has one."""

from collections.abc import Sequence

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.features import Features
from jointbench.surrogate.model_file import Booster
from jointbench.surrogate.student_network import StudentNetwork
from jointbench.surrogate.trees import Forest


class FrozenModels:
    """The outputs of all `boosters`, in order; to those of the first are added what the `network` says, which its
    trees correct."""

    def __init__(self, boosters: Sequence[Booster], network: StudentNetwork | None) -> None:
        """Raises BenchmarkError when there are too many trees."""
        self.forest, self.network = Forest(boosters), network

    def one(self, row: Features) -> list[float]:
        """Of one row (features,)."""
        outputs = self.forest.one(row)
        if self.network is not None:
            for part, said in enumerate(self.network(row).tolist()):
                outputs[part] += said
        return outputs

    def many(self, rows: Features) -> FloatArray:
        """(outputs, n) of rows (n, features); equal to `one` on each, bit for bit."""
        outputs = self.forest.many(rows)
        if self.network is not None:
            outputs[: self.network.outputs] += self.network(rows).T
        return outputs
