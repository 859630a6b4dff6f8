"""Processes that do not run the script again which starts them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_main() -> Iterator[None]:
    """Processes that are spawned inside need nothing of the main script, and do not import it.

    Python would run it again in each of them, and a person's would have to guard itself by
    `if __name__ == "__main__":`.
    """
    main = sys.modules["__main__"]
    kept: dict[str, object] = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)
