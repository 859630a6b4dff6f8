"""What stands in a folder, without what operating systems and programs leave there for themselves."""

from pathlib import Path


def visible(folder: Path, pattern: str = "*") -> list[Path]:
    """The entries of `folder` that match, sorted; none whose name begins with a dot, such as macOS's `._name` beside a
    file called `name`. Empty where there is no such folder."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
