"""Sums of products in Einstein's notation: `einsum("nhwc,cd->nhwd", x, w)`.

A letter names an axis. Letters of both operands and of the result are a batch; those of both
operands alone are summed over, as in a product of matrices; those of one operand and the result
stay; those of one operand alone are summed first.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.checks import quoted, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.functions import tensor_function
from minicnn.ops.linear_algebra import matmul
from minicnn.ops.operands import reshaped, tensor
from minicnn.ops.reductions import sum
from minicnn.ops.shapes import transpose

ROOM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # letters for the axes of "..."


@tensor_function
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Return the sum of products that the letters describe.

    Without "->" the result has the letters that occur once, in alphabetical order. A letter that
    occurs twice in one operand, a diagonal, is refused.

    >>> import minicnn as mc
    >>> mc.ops.einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    if kwargs:
        raise ArgumentError(f"einsum has no argument {next(iter(kwargs))!r} here")
    tensors = [tensor(x) for x in operands]
    parts, result = _parsed(subscripts, [len(x.shape) for x in tensors])
    x, letters = tensors[0], parts[0]
    for i, (other, part) in enumerate(zip(tensors[1:], parts[1:], strict=True), 1):
        later = set(result).union(*parts[i + 1 :])
        x, letters = _pair(x, letters, other, part, later)
    x, letters = _summed(x, letters, set(result))
    return transpose(x, [letters.index(one) for one in result])


def _parsed(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """Return the letters of each operand, and those of the result."""
    if not isinstance(subscripts, str):
        raise ArgumentError(f"subscripts must be a string; got {quoted(subscripts)}")
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    parts = given.split(",")
    if len(parts) != len(ranks):
        raise ArgumentError(f"{subscripts!r} describes {len(parts)} tensors; got {len(ranks)}")
    pairs = list(zip(parts, ranks, strict=True))
    room = max((rank - len(p) + 3 for p, rank in pairs if "..." in p), default=0)
    parts = [p.replace("...", ROOM[room - (rank - len(p) + 3) : room]) for p, rank in pairs]
    if not arrow:
        letters = "".join(parts)
        once = sorted(one for one in set(letters) if letters.count(one) == 1 and one not in ROOM)
        result = ("..." if room else "") + "".join(once)
    result = result.replace("...", ROOM[:room])
    for part, rank in zip(parts, ranks, strict=True):
        if len(part) != rank or len(set(part)) < rank or (not part.isalpha() and part):
            raise ArgumentError(
                f"{subscripts!r} must have one letter for each axis of a tensor, all different; "
                f"got a tensor of {rank} axes for {part!r}"
            )
    if len(set(result)) < len(result) or not set(result) <= set("".join(parts)):
        raise ArgumentError(f"the letters after '->' in {subscripts!r} must be among those before")
    return parts, result


def _pair(a: Any, first: str, b: Any, second: str, kept: set[str]) -> tuple[Any, str]:
    """Return the product of two operands, summed over their letters that nothing else needs."""
    a, first = _summed(a, first, kept | set(second))
    b, second = _summed(b, second, kept | set(first))
    lengths: dict[str, int] = {}
    for letter, length in (*zip(first, a.shape, strict=True), *zip(second, b.shape, strict=True)):
        if lengths.setdefault(letter, length) != length:
            raise ShapeError(
                f"axis {letter!r} of einsum has the lengths {lengths[letter]} and {length}, in "
                f"{shape_text(a.shape)} and {shape_text(b.shape)}"
            )
    batch = "".join(one for one in first if one in second and one in kept)
    inner = "".join(one for one in first if one in second and one not in kept)
    rows = "".join(one for one in first if one not in second)
    columns = "".join(one for one in second if one not in first)
    left = _grouped(a, first, [batch, rows, inner], lengths)
    right = _grouped(b, second, [batch, inner, columns], lengths)
    y = matmul(left, right)
    return reshaped(
        y, tuple(lengths[one] for one in batch + rows + columns)
    ), batch + rows + columns


def _summed(x: Any, letters: str, kept: set[str]) -> tuple[Any, str]:
    """Return the tensor summed over the letters that are not kept."""
    axes = [i for i, one in enumerate(letters) if one not in kept]
    if not axes:
        return x, letters
    return sum(x, axes), "".join(one for one in letters if one in kept)


def _grouped(x: Any, letters: str, groups: list[str], lengths: dict[str, int]) -> Any:
    """Return the tensor with one axis for each group of letters, without one for no batch."""
    ordered = transpose(x, [letters.index(one) for group in groups for one in group])
    shape = [math.prod(lengths[one] for one in group) for group in groups]
    return reshaped(ordered, tuple(shape if groups[0] else shape[1:]))
