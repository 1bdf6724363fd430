"""Instructions that numba has no functions for: tensor cores and asynchronous copies.

    multiply(a0..a3, b0, b1, c0..c3)      c + a b on the tensor cores; fragments as in fragments.py
    rounded(x)                            x rounded to the nearest TF32
    copy(memory, to, a, index, inside)    copy 4 or 1 values to shared memory; zeros if not inside
    commit(), wait(n)                     end a group of copies; wait for all groups but the last n

With numba-cuda they are inline assembly in an `intrinsic`, a function whose code is written in
LLVM's language. Its successor numba_cuda_mlir has no llvmlite. Its `cuda.inline_ptx` could take the
same assembly, but that is not implemented: `missing()` says so, and the engine computes in float32.
In the simulator the functions are those of `emulation.py`.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.runtime.api import SIMULATED
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.tensor_cores import emulation

try:
    from llvmlite import ir
    from numba.cuda import types
    from numba.cuda.extending import intrinsic
except ImportError:  # the simulator has no intrinsics either
    intrinsic = None  # type: ignore[assignment]

MULTIPLY = (
    "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
    "{$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};"
)
ALIGNMENT = None if SIMULATED else 16  # of shared memory, which the widest copies need
WORDS = 16 // 4  # values per copy of this width


def missing() -> str:
    """Return why there are no such instructions here; "" if there are."""
    if SIMULATED or intrinsic is not None:
        return ""
    return "numba-cuda's intrinsics are needed for tensor cores; numba_cuda_mlir has none"


def _make_multiply() -> Any:
    @intrinsic
    def multiply(_, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
        real, word = ir.FloatType(), ir.IntType(32)
        four = types.UniTuple(types.float32, 4)

        def code(context, builder, signature, arguments):
            kind = ir.FunctionType(ir.LiteralStructType([real] * 4), [word] * 6 + [real] * 4)
            constraints = ",".join(["=f"] * 4 + ["r"] * 6 + ["f"] * 4)
            c = builder.call(ir.InlineAsm(kind, MULTIPLY, constraints), arguments)
            parts = [builder.extract_value(c, i) for i in range(4)]
            return context.make_tuple(builder, signature.return_type, parts)

        return four(*[types.uint32] * 6, *[types.float32] * 4), code

    return multiply


def _make_rounded() -> Any:
    @intrinsic
    def rounded(_, x):
        def code(context, builder, signature, arguments):
            kind = ir.FunctionType(ir.IntType(32), [ir.FloatType()])
            return builder.call(ir.InlineAsm(kind, "cvt.rna.tf32.f32 $0, $1;", "=r,f"), arguments)

        return types.uint32(types.float32), code

    return rounded


def _make_copy(words: int) -> Any:
    """Return an asynchronous copy; 16 bytes bypass the first-level cache, as they are read once."""
    way = "cg" if words == WORDS else "ca"
    text = f"cp.async.{way}.shared.global [$0], [$1], {4 * words}, $2;"

    @intrinsic
    def copy(_, memory, to, a, index, inside):
        def code(context, builder, signature, arguments):
            start = _address(context, builder, signature.args[0], arguments[0], 3)
            shared = builder.add(start, builder.shl(arguments[1], _word(2)))
            first = _address(context, builder, signature.args[2], arguments[2], 1)
            offset = builder.shl(builder.zext(arguments[3], first.type), first.type(2))
            source = builder.add(first, offset)
            size = builder.select(arguments[4], _word(4 * words), _word(0))
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32), ir.IntType(64), ir.IntType(32)])
            assembly = ir.InlineAsm(kind, text, "r,l,r,~{memory}", side_effect=True)
            builder.call(assembly, [shared, source, size])
            return context.get_dummy_value()

        return types.void(memory, types.uint32, a, types.uint32, types.boolean), code

    return copy


def _make_instruction(text: str) -> Any:
    @intrinsic
    def instruction(_):
        def code(context, builder, signature, arguments):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(ir.InlineAsm(kind, text, "~{memory}", side_effect=True), [])
            return context.get_dummy_value()

        return types.void(), code

    return instruction


def _word(value: int) -> Any:
    return ir.Constant(ir.IntType(32), value)


def _address(context: Any, builder: Any, kind: Any, array: Any, space: int) -> Any:
    """Return an array's address: 32 bits in shared memory (space 3), 64 in global memory (1)."""
    data = context.make_array(kind)(context, builder, array).data
    cast = builder.addrspacecast(data, ir.PointerType(ir.FloatType(), addrspace=space))
    return builder.ptrtoint(cast, ir.IntType(32 if space == 3 else 64))


if SIMULATED or intrinsic is None:
    multiply, rounded = emulation.multiply, emulation.rounded
    COPIES, commit = emulation.COPIES, emulation.nothing
else:
    multiply, rounded = _make_multiply(), _make_rounded()
    COPIES = {words: _make_copy(words) for words in (1, WORDS)}
    commit = _make_instruction("cp.async.commit_group;")


@cached
def wait(groups: int) -> Any:
    """Return a function that waits for this thread's copies, but for the last `groups` groups."""
    if SIMULATED or intrinsic is None:
        return emulation.nothing
    return _make_instruction(f"cp.async.wait_group {groups};")
