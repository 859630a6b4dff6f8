"""Modules as text: which others of a package they import, and what of them decides what they do."""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

#: A module named in a string, as registries name what they load when it is asked for: "package.module:Class".
_NAMED = re.compile(r"(\w+(?:\.\w+)+)(?::\w+)?")


def closure_of_imports(package: Path, starts: Iterable[str]) -> dict[str, str]:
    """The modules that some need, as text by their paths inside the package (posix), sorted; `starts` among them.

    Followed are imports wherever they stand, those of a registry (a string "package.module:Class") too, and each
    folder's `__init__`; the package's own `__init__`, which offers everything, is not.
    """
    found: dict[str, str] = {}
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path not in found and path != "__init__.py":
            found[path] = (package / path).read_text(encoding="utf-8")
            folders = [f"{folder.as_posix()}/__init__.py" for folder in [*Path(path).parents][:-1]]
            waiting += [init for init in folders if (package / init).exists()]
            waiting += _imported(found[path], package)
    return dict(sorted(found.items()))


def _imported(source: str, package: Path) -> Iterator[str]:
    """The paths of the package's modules that a source imports or names, each at most as deep as there is a file."""
    for name in _names(ast.parse(source)):
        top, *inner = name.split(".")
        while top == package.name and inner:
            stem = "/".join(inner)
            if there := [path for path in (f"{stem}.py", f"{stem}/__init__.py") if (package / path).exists()]:
                yield there[0]
                break
            # What is imported from a module is no module.
            inner.pop()


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (named := _NAMED.fullmatch(node.value)):
            yield named[1]


def digest(sources: Mapping[str, str]) -> str:
    """Changes with what sources by name do, and not with comments, docstrings and how lines are broken.

    Text that is no Python counts as it stands.
    """
    made = hashlib.sha256()
    for name, source in sources.items():
        try:
            meant = repr(_meaning(ast.parse(source)))
        except (SyntaxError, ValueError):
            meant = source
        made.update(f"{name} {len(meant)}\n{meant}".encode("utf-8", "surrogatepass"))
    return made.hexdigest()


def _meaning(part: object) -> object:
    """A syntax tree as tuples, without its docstrings, places and all that is empty: Python's versions differ in it."""
    if isinstance(part, list):
        return tuple(_meaning(one) for one in part)
    if not isinstance(part, ast.AST):
        return part
    fields = dict(ast.iter_fields(part))
    if isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _is_text(part.body[:1]):
        fields["body"] = part.body[1:]
    said = ((name, _meaning(value)) for name, value in fields.items() if value is not None and value != [])
    return (type(part).__name__, *said)


def _is_text(statements: list[ast.stmt]) -> bool:
    return any(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
        for one in statements
    )
