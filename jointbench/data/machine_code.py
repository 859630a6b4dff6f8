"""Plain functions as machine code, made by LLVM where the extra `fast` is installed; they stay what they are in Python.

What is compiled is a small part of Python: whole numbers (`int`, 64 bits), floats, and arrays of one dimension, as
annotated; assignments, `for … in range`, `while`, `if`, `return`; of arrays elements, and what lies behind one
(`array[n:]`). Arithmetic and the functions of `exact` and `splitmix` are traced (`tracing`), so that a compiled
function has the bits of the plain one. Whole numbers are taken to be positive where they are divided.
"""

import ast
import builtins
import ctypes
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from typing import Any

import numpy as np

from jointbench.data.exact import where
from jointbench.data.tracing import Program, Traced

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.BitAnd: "__and__",
    ast.BitOr: "__or__",
    ast.BitXor: "__xor__",
    ast.RShift: "__rshift__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
}
#: What LLVM calls a type; an array by the type of its elements.
_KINDS = {"int": "i64", "float": "double", "bool": "i1", "None": "void"}
_ELEMENTS = {"FloatArray": "double", "IntArray": "i64"}


def single(number: Any) -> Any:
    """The nearest number in single precision, as a float."""
    if not isinstance(number, Traced):
        return float(np.float32(number))
    return number.program.write("double", f"fpext float {_narrow(number)} to double")


def whole(number: Any) -> Any:
    """A float without what is behind its point."""
    return number.astype(np.int64) if isinstance(number, Traced) else int(number)


def _narrow(number: Traced) -> str:
    return number.program.write("float", f"fptrunc double {number.name} to float").name


@cache
def compiled(functions: "tuple[Callable[..., Any], ...]") -> "MachineCode | None":
    """The functions as machine code, once a process; None where LLVM is not installed, or not for this machine."""
    try:
        return MachineCode(functions)
    except Exception:
        # LLVM raises whatever it likes; what is compiled has a form without it.
        return None


class MachineCode:
    """Compiled functions, by the names of the plain ones; those that call others stand behind them.

    Raises ImportError where llvmlite is not installed.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]]) -> None:
        from llvmlite import binding

        signatures = {function: _Signature(function) for function in functions}
        text = "\n".join(_Function(signatures[function], signatures).text for function in functions)
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        machine = binding.Target.from_default_triple().create_target_machine(opt=2)
        module = binding.parse_assembly(text)
        tuning = binding.create_pipeline_tuning_options(speed_level=2)
        passes = binding.create_pass_builder(machine, tuning)
        passes.getModulePassManager().run(module, passes)
        # The functions live as long as the engine.
        self._engine = binding.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        self._compiled = {
            function.__name__: signature.callable(self._engine.get_function_address(function.__name__))
            for function, signature in signatures.items()
        }

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Of a compiled function; arrays must be contiguous, and of the types that the function says."""
        return self._compiled[function.__name__](*arguments)


class _Signature:
    """A function's parameters by name, and what it gives, as LLVM's types; arrays are `double*` and `i64*`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        (self.tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        assert isinstance(self.tree, ast.FunctionDef)
        self.name = function.__name__
        self.parameters = {one.arg: _type(one.annotation) for one in self.tree.args.args}
        self.result = _type(self.tree.returns)

    def callable(self, address: int) -> Callable[..., Any]:
        ctype: dict[str, Any] = {"double": ctypes.c_double, "i64": ctypes.c_int64, "i1": ctypes.c_bool, "void": None}
        kinds: list[Any] = [
            np.ctypeslib.ndpointer(np.float64 if kind == "double*" else np.int64, flags="C_CONTIGUOUS")
            if kind.endswith("*")
            else ctype[kind]
            for kind in self.parameters.values()
        ]
        made: Callable[..., Any] = ctypes.CFUNCTYPE(ctype[self.result], *kinds)(address)
        return made


def _type(annotation: ast.expr | None) -> str:
    assert annotation is not None
    said = ast.unparse(annotation)
    return _KINDS[said] if said in _KINDS else f"{_ELEMENTS[said]}*"


class _Array:
    """Numbers from an address on."""

    def __init__(self, kind: str, pointer: str) -> None:
        self.kind, self.pointer = kind, pointer


class _Function:
    """LLVM's text of one function. Variables lie in memory, from where LLVM takes them into registers."""

    def __init__(self, signature: _Signature, known: Mapping[Callable[..., Any], _Signature]) -> None:
        self._program, self._known, self._signature = Program(), known, signature
        self._globals = signature.function.__globals__
        self._arrays: dict[str, _Array] = {}
        #: Of each variable its type.
        self._variables: dict[str, str] = {}
        self._labels = 0
        for name, kind in signature.parameters.items():
            if kind.endswith("*"):
                self._arrays[name] = _Array(kind[:-1], f"%{name}")
            else:
                self._keep(name, Traced(self._program, kind, f"%{name}"))
        assert isinstance(signature.tree, ast.FunctionDef)
        self._block(signature.tree.body)
        written = ", ".join(
            f"{'ptr' if kind.endswith('*') else kind} %{name}" for name, kind in signature.parameters.items()
        )
        end = {"void": "ret void", "double": "ret double 0.0"}.get(signature.result, f"ret {signature.result} 0")
        places = [f"%v.{name} = alloca {kind}" for name, kind in self._variables.items()]
        self.text = "\n".join(
            [f"define {signature.result} @{signature.name}({written}) {{", *places, *self._program.lines, end, "}"]
        )

    def _block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            getattr(self, f"_{type(statement).__name__.lower()}")(statement)

    def _label(self) -> str:
        self._labels += 1
        return f"l{self._labels}"

    def _begin(self, label: str) -> None:
        """The block that a label names; what comes before goes on into it."""
        self._program.lines += [f"br label %{label}", f"{label}:"]

    def _go(self, label: str) -> None:
        # What follows in the text is reached by nobody, and must have a name.
        self._program.lines += [f"br label %{label}", f"{self._label()}:"]

    def _keep(self, name: str, value: Any) -> None:
        kind = self._variables.setdefault(name, self._program.lift(value).kind)
        self._program.lines.append(f"store {kind} {self._as(kind, value)}, ptr %v.{name}")

    def _as(self, kind: str, value: Any) -> str:
        number = self._program.lift(value)
        number = number.as_double() if kind == "double" else number.as_whole() if kind == "i64" else number
        if number.kind != kind:
            raise TypeError(f"{self._signature.name}: a {number.kind} where a {kind} is wanted")
        return number.name

    def _expr(self, statement: ast.Expr) -> None:
        if not isinstance(statement.value, ast.Constant):
            self._value(statement.value)

    def _assign(self, statement: ast.Assign) -> None:
        (target,) = statement.targets
        self._store(target, self._value(statement.value))

    def _annassign(self, statement: ast.AnnAssign) -> None:
        assert statement.value is not None
        self._store(statement.target, self._value(statement.value))

    def _augassign(self, statement: ast.AugAssign) -> None:
        now = self._value(statement.target)
        self._store(statement.target, self._operate(statement.op, now, self._value(statement.value)))

    def _store(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            if isinstance(value, _Array):
                self._arrays[target.id] = value
            else:
                self._keep(target.id, value)
            return
        assert isinstance(target, ast.Subscript)
        array, place = self._element(target)
        self._program.lines.append(f"store {array.kind} {self._as(array.kind, value)}, ptr {place}")

    def _if(self, statement: ast.If) -> None:
        yes, no, end = self._label(), self._label(), self._label()
        self._branch(statement.test, yes, no)
        self._program.lines.append(f"{yes}:")
        self._block(statement.body)
        self._program.lines += [f"br label %{end}", f"{no}:"]
        self._block(statement.orelse)
        self._begin(end)

    def _while(self, statement: ast.While) -> None:
        test, body, end = self._label(), self._label(), self._label()
        self._begin(test)
        self._branch(statement.test, body, end)
        self._program.lines.append(f"{body}:")
        self._block(statement.body)
        self._program.lines += [f"br label %{test}", f"{end}:"]

    def _for(self, statement: ast.For) -> None:
        assert isinstance(statement.target, ast.Name)
        assert isinstance(statement.iter, ast.Call)
        ends = [self._value(one) for one in statement.iter.args]
        first, last = ends if len(ends) == 2 else (0, ends[0])
        name = statement.target.id
        counter, until = f"{name}.{self._label()}", f"{name}.{self._label()}"
        self._keep(counter, first)
        self._keep(until, last)
        test, body, end = self._label(), self._label(), self._label()
        self._begin(test)
        more = self._variable(counter) < self._variable(until)
        self._program.lines += [f"br i1 {more.name}, label %{body}, label %{end}", f"{body}:"]
        self._keep(name, self._variable(counter))
        self._block(statement.body)
        self._keep(counter, self._variable(counter) + 1)
        self._program.lines += [f"br label %{test}", f"{end}:"]

    def _return(self, statement: ast.Return) -> None:
        result = self._signature.result
        if statement.value is None:
            self._program.lines.append("ret void")
        else:
            self._program.lines.append(f"ret {result} {self._as(result, self._value(statement.value))}")
        self._program.lines.append(f"{self._label()}:")

    def _branch(self, test: ast.expr, yes: str, no: str) -> None:
        """On a condition; of `and` and `or` what decides nothing more is not looked at."""
        if isinstance(test, ast.BoolOp):
            for one in test.values[:-1]:
                on = self._label()
                self._branch(one, *((on, no) if isinstance(test.op, ast.And) else (yes, on)))
                self._program.lines.append(f"{on}:")
            self._branch(test.values[-1], yes, no)
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self._branch(test.operand, no, yes)
        else:
            holds = self._as("i1", self._value(test))
            self._program.lines.append(f"br i1 {holds}, label %{yes}, label %{no}")

    def _variable(self, name: str) -> Traced:
        kind = self._variables[name]
        return self._program.write(kind, f"load {kind}, ptr %v.{name}")

    def _element(self, node: ast.Subscript) -> tuple[_Array, str]:
        """An array, and the address of its element."""
        array = self._value(node.value)
        assert isinstance(array, _Array)
        index = node.slice.lower if isinstance(node.slice, ast.Slice) else node.slice
        assert index is not None
        place = self._as("i64", self._value(index))
        return array, self._program.write(
            "ptr", f"getelementptr inbounds {array.kind}, ptr {array.pointer}, i64 {place}"
        ).name

    def _operate(self, operator: ast.AST, first: Any, second: Any) -> Any:
        if isinstance(operator, (ast.FloorDiv, ast.Mod)):
            word = "udiv" if isinstance(operator, ast.FloorDiv) else "urem"
            return self._program.write("i64", f"{word} i64 {self._as('i64', first)}, {self._as('i64', second)}")
        return getattr(self._program.lift(first), _OPERATORS[type(operator)])(second)

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                if node.id in self._variables:
                    return self._variable(node.id)
                if node.id in self._arrays:
                    return self._arrays[node.id]
                return self._globals[node.id] if node.id in self._globals else getattr(builtins, node.id)
            case ast.BoolOp():
                joined = "__and__" if isinstance(node.op, ast.And) else "__or__"
                return reduce(lambda one, other: getattr(one, joined)(other), map(self._value, node.values))
            case ast.UnaryOp(op=ast.Not()):
                return self._program.lift(self._value(node.operand)) ^ True
            case ast.BinOp():
                return self._operate(node.op, self._value(node.left), self._value(node.right))
            case ast.UnaryOp(op=ast.USub()):
                return -self._program.lift(self._value(node.operand))
            case ast.IfExp():
                # Both are looked at.
                return where(*map(self._value, (node.test, node.body, node.orelse)))
            case ast.Compare(ops=[operator], comparators=[other]):
                return self._operate(operator, self._value(node.left), self._value(other))
            case ast.Subscript():
                array, place = self._element(node)
                if isinstance(node.slice, ast.Slice):
                    return _Array(array.kind, place)
                return self._program.write(array.kind, f"load {array.kind}, ptr {place}")
            case ast.Call():
                return self._call(self._value(node.func), [self._value(one) for one in node.args])
        raise TypeError(f"{self._signature.name}: cannot be compiled: {ast.unparse(node)}")

    def _call(self, function: Any, arguments: Sequence[Any]) -> Any:
        if function not in self._known:
            # Of `exact` and the like: traced here.
            return function(*map(self._program.lift, arguments))
        called = self._known[function]
        given = [
            f"ptr {argument.pointer}" if isinstance(argument, _Array) else f"{kind} {self._as(kind, argument)}"
            for argument, kind in zip(arguments, called.parameters.values(), strict=True)
        ]
        call = f"call {called.result} @{called.name}({', '.join(given)})"
        if called.result == "void":
            self._program.lines.append(call)
            return None
        return self._program.write(called.result, call)
