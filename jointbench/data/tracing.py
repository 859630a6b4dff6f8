"""Numbers that are not known yet: arithmetic on them writes LLVM's assembly instead of computing.

The formulas of a query run on floats and on arrays; run on these, they write down what they would have computed, in
their own order of operations. What an accelerator compiles is therefore the formulas themselves, and gives their bits.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Adding and subtracting this rounds to a whole number, halves to the even one; as in `exact.rint`.
_ROUNDING = 1.5 * 2.0**52

#: Where a float64 keeps its exponent: shift, mask, and what is added to it.
_SHIFT, _EXPONENT, _BIAS = 52, 0x7FF, 1023

_FLOAT = {"add": "fadd", "sub": "fsub", "mul": "fmul", "truediv": "fdiv"}
_WHOLE = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor", "rshift": "lshr"}


class Program:
    """The instructions of one function, in order; each writes a register that is never written again."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, kind: str, instruction: str) -> "Traced":
        register = f"%r{len(self.lines)}"
        self.lines.append(f"{register} = {instruction}")
        return Traced(self, kind, register)

    def lift(self, value: Any) -> "Traced":
        """A number that is known, as if it were traced."""
        if isinstance(value, Traced):
            return value
        if isinstance(value, (bool, np.bool_)):
            return Traced(self, "i1", str(bool(value)).lower())
        if isinstance(value, (int, np.integer)):
            return Traced(self, "i64", str(int(value)))
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        return Traced(self, "double", f"0x{bits:016X}")

    def load(self, kind: str, pointer: str, index: int) -> "Traced":
        return self.write(kind, f"load {kind}, ptr {self.place(kind, pointer, index)}")

    def store(self, value: "Traced", pointer: str, index: int) -> None:
        self.lines.append(f"store {value.kind} {value.name}, ptr {self.place(value.kind, pointer, index)}")

    def place(self, kind: str, pointer: str, index: int) -> str:
        return self.write("ptr", f"getelementptr {kind}, ptr {pointer}, i64 {index}").name


@dataclass(frozen=True, eq=False)
class Traced:
    """A `double`, a whole number (`i64`; a shift to the right takes it for unsigned) or a truth (`i1`)."""

    program: Program
    kind: str
    name: str

    def as_double(self) -> "Traced":
        if self.kind == "double":
            return self
        conversion = "uitofp" if self.kind == "i1" else "sitofp"
        return self.program.write("double", f"{conversion} {self.kind} {self.name} to double")

    def as_whole(self) -> "Traced":
        return self.program.write("i64", f"zext i1 {self.name} to i64") if self.kind == "i1" else self

    def _combine(self, operation: str, first: Any, second: Any) -> "Traced":
        first, second = self.program.lift(first), self.program.lift(second)
        if operation == "truediv" or "double" in (first.kind, second.kind):
            first, second = first.as_double(), second.as_double()
            instruction = _FLOAT[operation]
        elif first.kind == second.kind == "i1" and operation in ("and", "or", "xor"):
            instruction = operation
        else:
            first, second = first.as_whole(), second.as_whole()
            instruction = _WHOLE[operation]
        return self.program.write(first.kind, f"{instruction} {first.kind} {first.name}, {second.name}")

    def _compare(self, whole: str, double: str, other: Any) -> "Traced":
        first, second = self.as_whole(), self.program.lift(other).as_whole()
        if "double" in (first.kind, second.kind):
            first, second = first.as_double(), second.as_double()
            return self.program.write("i1", f"fcmp {double} double {first.name}, {second.name}")
        return self.program.write("i1", f"icmp {whole} i64 {first.name}, {second.name}")

    def __add__(self, other: Any) -> "Traced":
        return self._combine("add", self, other)

    def __radd__(self, other: Any) -> "Traced":
        return self._combine("add", other, self)

    def __sub__(self, other: Any) -> "Traced":
        return self._combine("sub", self, other)

    def __rsub__(self, other: Any) -> "Traced":
        return self._combine("sub", other, self)

    def __mul__(self, other: Any) -> "Traced":
        return self._combine("mul", self, other)

    def __rmul__(self, other: Any) -> "Traced":
        return self._combine("mul", other, self)

    def __truediv__(self, other: Any) -> "Traced":
        return self._combine("truediv", self, other)

    def __rtruediv__(self, other: Any) -> "Traced":
        return self._combine("truediv", other, self)

    def __neg__(self) -> "Traced":
        if self.kind == "double":
            return self.program.write("double", f"fneg double {self.name}")
        return self._combine("sub", 0, self)

    def __abs__(self) -> "Traced":
        return self.program.write("double", f"call double @llvm.fabs.f64(double {self.name})")

    def __and__(self, other: Any) -> "Traced":
        return self._combine("and", self, other)

    def __rand__(self, other: Any) -> "Traced":
        return self._combine("and", other, self)

    def __or__(self, other: Any) -> "Traced":
        return self._combine("or", self, other)

    def __xor__(self, other: Any) -> "Traced":
        return self._combine("xor", self, other)

    def __rshift__(self, other: Any) -> "Traced":
        return self._combine("rshift", self, other)

    def __lt__(self, other: Any) -> "Traced":
        return self._compare("slt", "olt", other)

    def __le__(self, other: Any) -> "Traced":
        return self._compare("sle", "ole", other)

    def __gt__(self, other: Any) -> "Traced":
        return self._compare("sgt", "ogt", other)

    def __ge__(self, other: Any) -> "Traced":
        return self._compare("sge", "oge", other)

    def __eq__(self, other: object) -> "Traced":  # type: ignore[override]
        return self._compare("eq", "oeq", other)

    def __ne__(self, other: object) -> "Traced":  # type: ignore[override]
        return self._compare("ne", "une", other)

    def __bool__(self) -> bool:
        raise TypeError("a formula that branches on a number cannot be traced; exact.where chooses between two")

    def __round__(self) -> "Traced":
        return ((self + _ROUNDING) - _ROUNDING).astype(np.int64)

    def astype(self, _: type[np.int64]) -> "Traced":
        """As NumPy's, from a whole double to an integer."""
        return self.program.write("i64", f"fptosi double {self.name} to i64")

    def view(self, _: type[np.uint64]) -> "Traced":
        """As NumPy's, from a double to its bits."""
        return self.program.write("i64", f"bitcast double {self.name} to i64")

    def _of_bits(self) -> "Traced":
        return self.program.write("double", f"bitcast i64 {self.name} to double")

    def __array_function__(self, function: Any, types: Any, arguments: Sequence[Any], named: Any) -> Any:
        return _FUNCTIONS[function](self.program.lift, *arguments)

    def __array_ufunc__(self, function: Any, method: str, *arguments: Any) -> Any:
        return _FUNCTIONS[function](self.program.lift, *arguments)


Lift = Callable[[Any], Traced]


def _select(lift: Lift, condition: Any, yes: Any, no: Any) -> Traced:
    first, second = lift(yes).as_whole(), lift(no).as_whole()
    if "double" in (first.kind, second.kind):
        first, second = first.as_double(), second.as_double()
    chosen = f"select i1 {lift(condition).name}, {first.kind} {first.name}, {second.kind} {second.name}"
    return first.program.write(first.kind, chosen)


def _larger(lift: Lift, first: Any, second: Any) -> Traced:
    return _select(lift, lift(second) > first, second, first)


def _smaller(lift: Lift, first: Any, second: Any) -> Traced:
    return _select(lift, lift(second) < first, second, first)


def _sqrt(lift: Lift, x: Traced) -> Traced:
    return x.program.write("double", f"call double @llvm.sqrt.f64(double {x.name})")


def _absolute(lift: Lift, x: Traced) -> Traced:
    return abs(x)


def _ceil(lift: Lift, x: Traced) -> Traced:
    nearest = (x + _ROUNDING) - _ROUNDING
    return _select(lift, nearest < x, nearest + 1.0, nearest)


def _frexp(lift: Lift, x: Traced) -> tuple[Traced, Traced]:
    """For positive numbers that are not subnormal."""
    bits = x.view(np.uint64)
    exponent = ((bits >> _SHIFT) & _EXPONENT) - (_BIAS - 1)
    half = (_BIAS - 1) << _SHIFT
    return ((bits & ((1 << _SHIFT) - 1)) | half)._of_bits(), exponent


def _ldexp(lift: Lift, x: Traced, power: Traced) -> Traced:
    """For results that are not subnormal."""
    return x * ((power + _BIAS) * (1 << _SHIFT))._of_bits()


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: _select,
    np.maximum: _larger,
    np.minimum: _smaller,
    np.sqrt: _sqrt,
    np.absolute: _absolute,
    np.ceil: _ceil,
    np.frexp: _frexp,
    np.ldexp: _ldexp,
}
