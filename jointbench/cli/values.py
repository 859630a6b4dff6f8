"""What the words of a command line may be: each parser names the field, the value and what was expected."""

import math
from collections.abc import Callable
from datetime import date

from jointbench.data.errors import InputError
from jointbench.data.images.joined import JOINED
from jointbench.data.images.registry import FOLDER, IMAGES

#: What `--images` takes.
IMAGE_NAMES = (
    f"{', '.join(IMAGES)}, or {FOLDER}PATH, a folder with one of images for each class; {JOINED} before one of them "
    "adds its validation images to those that are trained on, and errors are of the test images alone"
)


def whole(field: str, least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise InputError(field, text, f"a whole number of at least {least}")
        return value

    return parse


def positive(field: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not (value > 0 and math.isfinite(value)):
            raise InputError(field, text, "a finite number above 0")
        return value

    return parse


def day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError("date", text, "a day such as 2026-12-24") from None


def least_zero(field: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not (value >= 0 and math.isfinite(value)):
            raise InputError(field, text, "a finite number of at least 0")
        return value

    return parse


def overhead(text: str) -> float | str:
    return text if text == "measured" else least_zero("overhead")(text)


def worker_counts(text: str) -> list[int]:
    counts = [whole("workers", 1)(part) for part in text.split(",")]
    if len(set(counts)) != len(counts):
        raise InputError("workers", text, "different numbers separated by commas")
    return counts


def names(field: str) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        if not all(names) or len(set(names)) != len(names):
            raise InputError(field, text, "different names separated by commas")
        return names

    return parse


def image_shape(text: str) -> tuple[int, int, int]:
    try:
        channels, height, width = (int(part) for part in text.split("x"))
    except ValueError:
        channels = height = width = 0
    if min(channels, height, width) < 1:
        raise InputError("image shape", text, "channels x height x width such as 3x32x32")
    return channels, height, width


def memory(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (value > 0 and math.isfinite(value)):
        raise InputError("memory", text, "GiB as a finite number above 0")
    return value


def formats(text: str) -> list[str]:
    known, given = ("svg", "pdf", "png", "csv", "latex"), [part.strip() for part in text.split(",")]
    for one in given:
        if one not in known:
            raise InputError("format", one, f"some of {', '.join(known)}, separated by commas")
    return list(dict.fromkeys(given))
