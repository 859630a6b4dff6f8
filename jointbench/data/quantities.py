"""Numbers with the units that a person would use, and names in a row."""

from collections.abc import Sequence

_BYTES = ("bytes", "KiB", "MiB", "GiB", "TiB")
_DURATIONS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_MILLIONS = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def size(count: float) -> str:
    """Bytes, such as 34.3 GiB, 812 KiB or 0 bytes."""
    power = 0
    while count >= 1000 and power < len(_BYTES) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.0f} {_BYTES[power]}" if power == 0 or count >= 100 else f"{count:.3g} {_BYTES[power]}"


def duration(seconds: float, of: str = "") -> str:
    """Such as 12.5 days, 1 hour, 3.25 minutes or 0.3 seconds; `of` stands before the unit, as in 12.5 GPU-days."""
    length, unit = next((one for one in _DURATIONS if seconds >= one[0]), _DURATIONS[-1])
    number = f"{seconds / length:,.0f}" if seconds / length >= 100 else f"{seconds / length:.3g}"
    return f"{number} {of}{unit.removesuffix('s') if number == '1' else unit}"


def short(count: int) -> str:
    """Such as 27.59M, but 3,890."""
    return next((f"{count / scale:.2f}{letter}" for scale, letter in _MILLIONS if count >= scale), f"{count:,}")


def large(count: int) -> str:
    """A whole number, and in short what would have to be counted: 27,590,854 (27.59M), but 3,890."""
    whole = f"{count:,}"
    return whole if whole == short(count) else f"{whole} ({short(count)})"


def counted(number: int, one: str, many: str = "") -> str:
    """Such as 1 training, 1,200 trainings."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Such as `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
