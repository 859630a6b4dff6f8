"""A student's network as LLVM's assembly, for the accelerator.

Its sums are exact (see `student_network`), so that they are made here in the order that is quickest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import clip, log, rint, where
from jointbench.data.tracing import Program
from jointbench.surrogate.student_network import FARTHEST, LARGEST, SHIFT, WEIGHT_SHIFT, NetworkInputs, StudentNetwork

#: Units that are summed side by side, in as many registers as a processor needs for them.
_SIDE_BY_SIDE = 16
_VECTOR = f"<{_SIDE_BY_SIDE} x double>"

#: Where an array is in memory, as LLVM writes a pointer; the array must outlive what is compiled.
Keep = Callable[[npt.NDArray[Any]], str]


def network_function(network: StudentNetwork, keep: Keep) -> str:
    """`@network(ptr %x, ptr %sums)`: adds to sums (float64) what the network says of features (float32)."""
    program = Program()
    widths = [_padded(width) for width in (len(network.inputs.column), *(len(biases) for biases in network.biases))]
    program.lines += [f"%at{k} = alloca [{width} x double]" for k, width in enumerate(widths)]
    _inputs(program, network.inputs)
    before = "start"
    for k, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        hidden = k + 1 < len(network.weights)
        program.lines += _layer(k, weights, biases, before, hidden=hidden, keep=keep)
        before = f"n{k}.end"
    for part in range(network.outputs):
        said = program.load("double", f"%at{len(network.weights)}", part) * 2.0 ** -(SHIFT + WEIGHT_SHIFT)
        said = said * float(network.deviation[part]) + float(network.mean[part])
        said = clip(said, float(network.low[part]), float(network.high[part]))
        program.store(program.load("double", "%sums", part) + said, "%sums", part)
    return "\n".join(["define void @network(ptr %x, ptr %sums) {", "start:", *program.lines, "ret void", "}"])


def _inputs(program: Program, inputs: NetworkInputs) -> None:
    """What `NetworkInputs` makes of features, as `%at0`."""
    first, last = len(inputs.column) - inputs.logged - inputs.choices, len(inputs.column) - inputs.choices
    columns = zip(
        *(array.tolist() for array in (inputs.column, inputs.least, inputs.added, inputs.mean, inputs.scale)),
        strict=True,
    )
    for k, (column, least, added, mean, scale) in enumerate(columns):
        feature = program.load("float", "%x", column)
        taken = program.write("double", f"fpext float {feature.name} to double")
        if k < last:
            value = clip(taken, least, float("inf")) + added
            value = log(value) if k >= first else value
        else:
            value = where(taken == added, 1.0, 0.0)
        program.store(rint(clip((value - mean) * scale, -FARTHEST, FARTHEST) * 2.0**SHIFT), "%at0", k)


def _layer(k: int, weights: FloatArray, biases: FloatArray, before: str, *, hidden: bool, keep: Keep) -> list[str]:
    """From `%at{k}` to `%at{k + 1}`: loops over blocks of units, and in them over what comes in."""
    inputs, units = weights.shape
    blocks = _padded(units) // _SIDE_BY_SIDE
    wide = np.zeros((inputs, blocks * _SIDE_BY_SIDE))
    wide[:, :units] = weights
    added = np.zeros(blocks * _SIDE_BY_SIDE)
    added[:units] = biases
    # A block's weights stand one behind the other.
    at_weights = keep(np.ascontiguousarray(wide.reshape(inputs, blocks, _SIDE_BY_SIDE).transpose(1, 0, 2)))
    at_biases = keep(added)
    n = f"%n{k}"
    lines = [
        f"br label {n}.block.top",
        f"n{k}.block.top:",
        f"{n}.block = phi i64 [0, %{before}], [{n}.block.next, {n}.done]",
        f"{n}.bias.at = getelementptr {_VECTOR}, ptr {at_biases}, i64 {n}.block",
        f"{n}.bias = load {_VECTOR}, ptr {n}.bias.at, align 8",
        f"{n}.first = mul i64 {n}.block, {inputs}",
        f"br label {n}.top",
        f"n{k}.top:",
        f"{n}.i = phi i64 [0, {n}.block.top], [{n}.next, {n}.top]",
        f"{n}.sum = phi {_VECTOR} [{n}.bias, {n}.block.top], [{n}.more, {n}.top]",
        f"{n}.place = add i64 {n}.first, {n}.i",
        f"{n}.w.at = getelementptr {_VECTOR}, ptr {at_weights}, i64 {n}.place",
        f"{n}.w = load {_VECTOR}, ptr {n}.w.at, align 8",
        f"{n}.x.at = getelementptr double, ptr %at{k}, i64 {n}.i",
        f"{n}.x = load double, ptr {n}.x.at",
        f"{n}.one = insertelement {_VECTOR} poison, double {n}.x, i32 0",
        f"{n}.all = shufflevector {_VECTOR} {n}.one, {_VECTOR} poison, <{_SIDE_BY_SIDE} x i32> zeroinitializer",
        f"{n}.product = fmul {_VECTOR} {n}.w, {n}.all",
        f"{n}.more = fadd {_VECTOR} {n}.sum, {n}.product",
        f"{n}.next = add i64 {n}.i, 1",
        f"{n}.again = icmp slt i64 {n}.next, {inputs}",
        f"br i1 {n}.again, label {n}.top, label {n}.done",
        f"n{k}.done:",
    ]
    result = f"{n}.more"
    if hidden:
        # As `exact.rint` and `exact.clip` do with numbers.
        rounding, scale, most = 1.5 * 2.0**52, 2.0**-WEIGHT_SHIFT, LARGEST * 2.0**SHIFT
        lines += [
            f"{n}.scaled = fmul {_VECTOR} {n}.more, {_all(scale)}",
            f"{n}.up = fadd {_VECTOR} {n}.scaled, {_all(rounding)}",
            f"{n}.whole = fsub {_VECTOR} {n}.up, {_all(rounding)}",
            f"{n}.positive = fcmp ogt {_VECTOR} {n}.whole, zeroinitializer",
            f"{n}.cut = select <{_SIDE_BY_SIDE} x i1> {n}.positive, {_VECTOR} {n}.whole, {_VECTOR} zeroinitializer",
            f"{n}.within = fcmp olt {_VECTOR} {n}.cut, {_all(most)}",
            f"{n}.passed = select <{_SIDE_BY_SIDE} x i1> {n}.within, {_VECTOR} {n}.cut, {_VECTOR} {_all(most)}",
        ]
        result = f"{n}.passed"
    return [
        *lines,
        f"{n}.out = getelementptr {_VECTOR}, ptr %at{k + 1}, i64 {n}.block",
        f"store {_VECTOR} {result}, ptr {n}.out, align 8",
        f"{n}.block.next = add i64 {n}.block, 1",
        f"{n}.another = icmp slt i64 {n}.block.next, {blocks}",
        f"br i1 {n}.another, label {n}.block.top, label %n{k}.end",
        f"n{k}.end:",
    ]


def _padded(width: int) -> int:
    """The next multiple of what is summed side by side."""
    return -(-width // _SIDE_BY_SIDE) * _SIDE_BY_SIDE


def _all(number: float) -> str:
    """A vector of one number."""
    return "<" + ", ".join([f"double {Program().lift(number).name}"] * _SIDE_BY_SIDE) + ">"
