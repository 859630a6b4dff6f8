"""Complete training: on the training and the validation part of a data set joined, as one trains in the end what was
chosen by the validation part (Yang, Esperanca and Carlucci 2020, the group of Ru et al. 2020)."""

from dataclasses import replace

import numpy as np

from jointbench.data.errors import InputError
from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.image_data import ImageData, Part, Pixels

#: How it is named: `joined:` and the data set's name, or `joined:folder:PATH`.
JOINED = "joined:"


def name_inside(name: str) -> str:
    """Of what is joined. Raises InputError for what is joined already: its test images would be trained on; and where
    nothing is named."""
    inside = name.removeprefix(JOINED)
    if not inside:
        raise InputError("images", name, f"a data set's name behind {JOINED}")
    if inside.startswith(JOINED):
        raise InputError("images", name, f"{JOINED} once")
    return inside


def joined(data: ImageData) -> ImageData:
    """Its test part stands in for the validation part, of which nothing is left: both errors are of the same images,
    and nothing may be chosen by them."""
    labels = np.concatenate([data.training.labels, data.validation.labels])
    training = Part(_joined(data.training.images, data.validation.images), labels)
    return replace(data, name=JOINED + data.name, training=training, validation=data.test)


def joined_facts(facts: ImageFacts) -> ImageFacts:
    """Those of `joined`, for who plans before having the data."""
    training = facts.training + facts.validation
    return replace(facts, name=JOINED + facts.name, training=training, validation=facts.test)


def said_of_errors(facts: ImageFacts | None) -> str:
    """What whoever reads errors on such images must know, in a sentence; "" of all others."""
    if facts is None or not facts.name.startswith(JOINED):
        return ""
    return f"of {facts.name} the validation error is the test error, too: nothing may be chosen by it"


def _joined(first: Pixels, second: Pixels) -> Pixels:
    """Photographs that lie in a file one after the other stay there: all of them need not fit into memory."""
    of_one_file = first.base is not None and first.base is second.base and first.flags.c_contiguous
    if of_one_file and first.ctypes.data + first.nbytes == second.ctypes.data:
        return np.lib.stride_tricks.as_strided(first, (len(first) + len(second), *first.shape[1:]))
    return np.concatenate([first, second])
