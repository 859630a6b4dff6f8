"""Things by name: those that ship, those that are added, those of installed packages."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from jointbench.data.errors import InputError, UnknownNameError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from name to thing, in the order in which they were added.

    A package brings one by an entry point of the registry's group, as in
    `[project.entry-points."jointbench.spaces"]`; it is loaded when it is asked for, and counted among the names.
    """

    def __init__(self, what: str, group: str, ships: Mapping[str, T]) -> None:
        """`what` it is that error messages say is unknown."""
        self._what, self._group, self._known = what, group, dict(ships)

    def add(self, name: str, thing: T) -> T:
        """For this process and those that it starts with its modules. Raises InputError where the name is taken."""
        if self._known.setdefault(name, thing) != thing:
            raise InputError(self._what, name, "a name that no other has")
        return thing

    def remove(self, name: str) -> None:
        """Undo `add`. Raises UnknownNameError."""
        if name not in self._known:
            raise UnknownNameError.of(self._what, name, self)
        del self._known[name]

    def __getitem__(self, name: str) -> T:
        """Raises UnknownNameError; InputError for an entry point that cannot be loaded."""
        if name in self._known:
            return self._known[name]
        for entry in entry_points(group=self._group, name=name):
            try:
                loaded: T = entry.load()
            except Exception as error:
                said = f"an entry point of {self._group} that can be loaded ({type(error).__name__}: {error})"
                raise InputError(self._what, name, said) from error
            return self._known.setdefault(name, loaded)
        raise UnknownNameError.of(self._what, name, self)

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._installed()

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        yield from sorted(self._installed())

    def __len__(self) -> int:
        return len(self._known) + len(self._installed())

    def _installed(self) -> set[str]:
        return {entry.name for entry in entry_points(group=self._group)} - self._known.keys()
