"""A training function of a person's own: how it is named, how it travels to other processes, and which code it is."""

import hashlib
import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jointbench.data.errors import InputError
from jointbench.data.source_code import digest
from jointbench.optimizers.failure import happened
from jointbench.optimizers.own_file import module_of

#: `train(configuration, budget, seed, report)`, which returns numbers by name.
Function = Callable[[dict[str, Any], float, int, Callable[[Any], None]], Any]

_CALLED = "a function train(configuration, budget, seed, report)"
_EXPECTED = f"FILE.py:FUNCTION, or {_CALLED}"


@dataclass(frozen=True)
class OwnFunction:
    """`name` as people call it; `code`: changes whenever what it does may have.

    It is found in a `file` at `where`, or else is what cloudpickle made of it, `pickled`.
    """

    name: str
    code: str
    file: Path | None = None
    where: str = ""
    pickled: bytes = b""

    @classmethod
    def of(cls, given: Any) -> Self:
        """From words, `FILE.py:FUNCTION`, or the function itself, from wherever it is, a notebook too.

        Nothing of it is run. Raises InputError for a file that is not there, and for what cannot travel.
        """
        if isinstance(given, str):
            words, _, where = given.rpartition(":")
            file = Path(words)
            if file.suffix != ".py" or not where.isidentifier():
                raise InputError("objective", given, _EXPECTED)
            try:
                source = file.read_text(encoding="utf-8", errors="surrogateescape")
            except OSError as error:
                raise InputError("objective", given, f"a file that can be read ({error.strerror})") from None
            return cls(f"{file.name}:{where}", digest({file.name: source})[:12], file.absolute(), where)
        if not callable(given):
            raise InputError("objective", given, _EXPECTED)
        # distributed brings it.
        import cloudpickle

        name = getattr(given, "__name__", type(given).__name__)
        try:
            pickled = cloudpickle.dumps(given)
        except Exception as error:
            raise InputError("objective", name, f"a function that can go to other processes ({error})") from None
        return cls(name, _code(name, given, pickled), pickled=pickled)

    def load(self) -> Function:
        """The function itself; runs the file that it is in. Raises InputError for one that cannot be run, or that does
        not take what it will be given."""
        if self.file is None:
            import pickle

            try:
                found = pickle.loads(self.pickled)
            except (Exception, SystemExit) as error:
                raise InputError("objective", self.name, f"one that can be loaded ({happened(error)})") from error
        else:
            found = self._of_file(self.file)
        try:
            inspect.signature(found).bind({}, 1, 0, print)
        except TypeError as error:
            raise InputError("objective", self.name, f"{_CALLED} ({error})") from None
        except ValueError:
            # Of what is written in C Python may not know.
            pass
        return found  # type: ignore[no-any-return]

    def _of_file(self, file: Path) -> Any:
        # What lies beside it can be imported, as when it is run by itself.
        sys.path.insert(0, str(file.parent))
        module = module_of(file, "objective", self.name)
        found = getattr(module, self.where, None)
        if not callable(found):
            raise InputError("objective", self.name, f"a function that {file.name} defines")
        return found


def _code(name: str, given: Any, pickled: bytes) -> str:
    try:
        return digest({name: textwrap.dedent(inspect.getsource(given))})[:12]
    except (OSError, TypeError):
        return hashlib.sha256(pickled).hexdigest()[:12]
