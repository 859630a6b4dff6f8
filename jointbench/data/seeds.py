"""Seeds: which streams may meet, and which never do.

A comparison must not be judged on the trainings that its surrogate was fitted to. Its runs take their seeds from 0 on,
a collection's are 2^31 further on: neither the proposals of a run nor its trainings' seeds are ever those of the other.

Within a comparison one seed means common random numbers. Random search, Hyperband, BOHB, ASHA and regularized evolution
begin with the same configurations, since all draw them uniformly from a generator of the seed: the first one, and the
next ones until an optimizer draws anything else. And a run's n-th training has the same seed (`training_seed`) whoever
proposes it. So runs of one seed are not independent, differences between them are less noisy than those between runs
of different seeds, and tests of them are paired.
"""

from hashlib import blake2b

import numpy as np

from jointbench.data.errors import InputError

#: Where the seeds of collections begin; there are as many as fit into 32 bits, which is what smac takes.
_COLLECTIONS = 2**31


def collection_seed(seed: int) -> int:
    """The seed of a collection's optimizer and trainings, from the number that a person gives. Raises InputError."""
    return _COLLECTIONS + _within(seed)


def comparison_seed(seed: int) -> int:
    """The seed of a comparison's run, from the number that a person gives. Raises InputError."""
    return _within(seed)


def given_seed(seed: int) -> int:
    """The number that a person gave, from the seed of a collection or of a comparison's run."""
    return seed % _COLLECTIONS


def _within(seed: int) -> int:
    if not 0 <= seed < _COLLECTIONS:
        raise InputError("seed", seed, f"a whole number from 0 to {_COLLECTIONS - 1}")
    return seed


def training_seed(run_seed: int, number: int) -> int:
    """The seed of a run's n-th training: different for every trial, and for every run of fewer than 2^20 trials."""
    return (run_seed << 20) + number


def architecture_seed(seed: int) -> int:
    """The seed with which the network of a training with this seed is drawn, where nobody gives one: so many trainings
    of a generator are of as many networks. Above 0, of 62 bits; BLAKE2b, so the same everywhere."""
    digest = blake2b(f"architecture of {seed}".encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest, "big") % (2**62 - 1)


def function_seed(seed: int) -> int:
    """The seed that a training function of a person's own is given, from that of its evaluation: 32 bits, which is what
    NumPy and scikit-learn take."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0])
