"""The accelerator: a whole answer as machine code, made by LLVM where the extra `fast` is installed.

The formulas are traced (see `tracing`), the walk through the trees is written here. Nothing is fused or reordered, so
that the answers are those of NumPy to the last bit.
"""

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from jointbench.data.tracing import Program, Traced
from jointbench.surrogate.compiled_network import network_function
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.frozen_models import FrozenModels
from jointbench.surrogate.luck import Luck
from jointbench.surrogate.model_file import Booster
from jointbench.surrogate.outcome import OutcomeModel
from jointbench.surrogate.student_network import StudentNetwork

#: A node in one place: its left child, its feature, its threshold.
_NODE = np.dtype([("left", np.int32), ("feature", np.int32), ("threshold", np.float32)])

#: A kind of LLVM's, and the letter that `struct` has for it.
_LETTERS = {"double": "d", "i64": "q"}


class CompiledAnswer:
    """Answers one configuration at a rung, in numbers."""

    def __init__(self, features: FeatureMap, models: FrozenModels, outcomes: OutcomeModel, luck: Luck) -> None:
        """Raises ImportError where llvmlite is not installed."""
        from llvmlite import binding

        self._arrays: list[np.ndarray[Any, Any]] = []
        text = [self._walk(models.forest.boosters), self._network(models.network)]
        for noisy in (False, True):
            body, output = _answer(features, sum(outcomes.outputs), outcomes, luck, noisy)
            text.append(body)
        self._input, self._output = struct.Struct(f"{len(features.space.names) + 1}dq"), struct.Struct(output)
        self._record = ctypes.c_char * self._output.size
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        machine = binding.Target.from_default_triple().create_target_machine(opt=2)
        # The functions live as long as the engine.
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly("\n".join(text)), machine)
        self._engine.finalize_object()
        signature = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self._expected = signature(self._engine.get_function_address("expected"))
        self._drawn = signature(self._engine.get_function_address("drawn"))

    def __call__(self, values: Sequence[float], budget: float, seed: int | None) -> tuple[Any, ...] | None:
        """What `OutcomeModel.answered` gives, and a student's uncertainty.

        None when a value is outside its range.
        """
        record = self._record()
        if seed is None:
            inside = self._expected(self._input.pack(*values, budget, 0), record)
        else:
            inside = self._drawn(self._input.pack(*values, budget, seed), record)
        return self._output.unpack_from(record) if inside else None

    def _network(self, network: StudentNetwork | None) -> str:
        """A function from features (float32) that adds to sums (float64) what a network says, nothing without one."""
        if network is None:
            return "define void @network(ptr %x, ptr %sums) {\nret void\n}"
        return network_function(network, self._keep)

    def _walk(self, boosters: Sequence[Booster]) -> str:
        """A function from features (float32) to sums of leaves (float64), added up in XGBoost's order."""
        lines, block, output = ["define void @walk(ptr %x, ptr %sums) {", "start:"], "start", 0
        for k, booster in enumerate(boosters):
            lines += self._walk_booster(f"b{k}", booster, block, output)
            block, output = f"b{k}.end", output + booster.outputs
        return "\n".join([*lines, "ret void", "}"])

    def _walk_booster(self, name: str, booster: Booster, before: str, output: int) -> list[str]:
        """A loop over the trees; all leaves are reached in as many steps as the deepest, without a branch."""
        nodes = np.empty(len(booster.left), dtype=_NODE)
        nodes["left"], nodes["feature"], nodes["threshold"] = booster.left, booster.feature, booster.threshold
        roots, leaves, count = booster.roots.astype(np.int32), np.ascontiguousarray(booster.value), booster.outputs
        at_nodes, at_roots, at_leaves = (self._keep(array) for array in (nodes, roots, leaves))
        loop, end, kind = f"{name}.loop", f"{name}.end", "{ i32, i32, float }"
        lines = [f"br label %{loop}", f"{loop}:", f"%{name}.tree = phi i64 [0, %{before}], [%{name}.next, %{loop}]"]
        for k in range(count):
            lines.append(f"%{name}.sum{k} = phi float [0.0, %{before}], [%{name}.added{k}, %{loop}]")
        lines += [
            f"%{name}.root = getelementptr i32, ptr {at_roots}, i64 %{name}.tree",
            f"%{name}.node0 = load i32, ptr %{name}.root",
        ]
        for depth in range(booster.depth):
            step = f"%{name}.d{depth}"
            for field, (part, of) in enumerate((("left", "i32"), ("feature", "i32"), ("threshold", "float"))):
                lines += [
                    f"{step}.{part}.at = getelementptr {kind}, ptr {at_nodes}, i32 %{name}.node{depth}, i32 {field}",
                    f"{step}.{part} = load {of}, ptr {step}.{part}.at",
                ]
            lines += [
                f"{step}.x.at = getelementptr float, ptr %x, i32 {step}.feature",
                f"{step}.x = load float, ptr {step}.x.at",
                f"{step}.passed = fcmp oge float {step}.x, {step}.threshold",
                f"{step}.step = zext i1 {step}.passed to i32",
                f"%{name}.node{depth + 1} = add i32 {step}.left, {step}.step",
            ]
        lines.append(f"%{name}.place = mul i32 %{name}.node{booster.depth}, {count}")
        for k in range(count):
            lines += [
                f"%{name}.place{k} = add i32 %{name}.place, {k}",
                f"%{name}.leaf{k}.at = getelementptr float, ptr {at_leaves}, i32 %{name}.place{k}",
                f"%{name}.leaf{k} = load float, ptr %{name}.leaf{k}.at",
                f"%{name}.added{k} = fadd float %{name}.sum{k}, %{name}.leaf{k}",
            ]
        lines += [
            f"%{name}.next = add i64 %{name}.tree, 1",
            f"%{name}.more = icmp slt i64 %{name}.next, {len(roots)}",
            f"br i1 %{name}.more, label %{loop}, label %{end}",
            f"{end}:",
        ]
        for k in range(count):
            lines += [
                f"%{name}.wide{k} = fpext float %{name}.added{k} to double",
                f"%{name}.out{k} = getelementptr double, ptr %sums, i64 {output + k}",
                f"store double %{name}.wide{k}, ptr %{name}.out{k}",
            ]
        return lines

    def _keep(self, array: np.ndarray[Any, Any]) -> str:
        """The array's address, which stays good as long as the compiled functions."""
        self._arrays.append(array)
        return f"inttoptr (i64 {array.ctypes.data} to ptr)"


def _answer(features: FeatureMap, outputs: int, outcomes: OutcomeModel, luck: Luck, noisy: bool) -> tuple[str, str]:
    """A function from values, budget and seed to an answer, true if the values are inside; and the answer's layout."""
    space = features.space
    program = Program()
    words: list[Traced] = []
    at: dict[str, Any] = {}
    inside = program.lift(True)
    for k, h in enumerate(space.hyperparameters):
        value = program.load("double", "%input", k)
        inside = inside & (value >= h.low) & (value <= h.high)
        words.append((value + 0.0).view(np.uint64))
        at[h.name] = value.astype(np.int64) if h.integer else value
        if h.integer:
            inside = inside & (value == at[h.name])
    budget = program.load("double", "%input", len(space.names))
    seed = program.load("i64", "%input", len(space.names) + 1)
    program.lines += [f"br i1 {inside.name}, label %inside, label %outside", "outside:", "ret i32 0", "inside:"]
    facts = features.facts(at)
    for k, feature in enumerate(features.columns(at, facts, budget)):
        wide = program.lift(feature).as_double()
        program.store(program.write("float", f"fptrunc double {wide.name} to float"), "%x", k)
    program.lines += ["call void @walk(ptr %x, ptr %sums)", "call void @network(ptr %x, ptr %sums)"]
    sums = outcomes.completed([program.load("double", "%sums", k) for k in range(outputs)], budget)
    uniforms = luck.stream([*words, budget.view(np.uint64), seed], outcomes.draws) if noisy else None
    answer = list(outcomes.answered(outcomes.outcome(sums, at, facts, budget, uniforms), facts))
    if outcomes.distilled:
        answer.append(outcomes.uncertainty(sums))
    kinds = ""
    for k, field in enumerate(answer):
        stored = program.lift(field).as_whole()
        program.store(stored, "%output", k)
        kinds += _LETTERS[stored.kind]
    opening = [
        f"define i32 @{'drawn' if noisy else 'expected'}(ptr %input, ptr %output) {{",
        f"%x = alloca [{len(features.names)} x float]",
        f"%sums = alloca [{outputs} x double]",
    ]
    return "\n".join([*opening, *program.lines, "ret i32 1", "}"]), kinds
