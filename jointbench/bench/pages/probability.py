"""How a page writes a probability."""


def probability(p: float, places: int = 3) -> str:
    """To so many places; what would be nought there is below the last of them, since it is not nought."""
    least = 10.0**-places
    return f"{p:.{places}f}" if p >= least else f"< {least:.{places}f}"
