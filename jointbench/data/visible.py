"""What stands in a folder, without what operating systems and programs leave there for themselves."""

from pathlib import Path
from urllib.parse import quote


def visible(folder: Path, pattern: str = "*") -> list[Path]:
    """The entries of `folder` that match, sorted; none whose name begins with a dot, such as macOS's `._name` beside a
    file called `name`. Empty where there is no such folder."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def visible_name(name: str, safe: str = "") -> str:
    """A name as that of one file, which `urllib.parse.unquote` gives back: what files cannot have in theirs, but for
    what is `safe`, and a dot at its beginning, as that of `../mine.py:Greedy`, stand as %XX."""
    quoted = quote(name, safe=safe)
    return f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted
