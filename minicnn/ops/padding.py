"""Borders around tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import PAD
from minicnn.operations.shape import ZERO_PAD2D
from minicnn.ops.indexing import take
from minicnn.ops.operands import is_float, tensor
from minicnn.shapes import is_int


@tensor_function
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Return the tensor with a border: of a constant, by default 0, or of its own values.

    Parameters
    ----------
    x : tensor
    pad_width : (before, after) per axis, or one such pair or integer for all axes
    mode : "constant", "reflect" (without the edge), "symmetric" (with it), or "edge"
    constant_values : of mode "constant"; default 0
    """
    x = tensor(x)
    pads = _pads(pad_width, len(x.shape))
    if check_choice(mode, "mode", ("constant", "reflect", "symmetric", "edge")) == "constant":
        value = 0.0 if constant_values is None else float(constant_values)
        return _padded(x, pads, value)
    if constant_values is not None:
        raise ArgumentError(f"constant_values are for mode 'constant'; mode is {mode!r}")
    for axis, (before, after) in enumerate(pads):
        if before or after:
            places = np.pad(np.arange(x.shape[axis], dtype=np.int32), (before, after), mode)  # type: ignore[call-overload]
            x = take(x, places, axis)
    return x


def _pads(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    try:
        pairs = np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()
    except ValueError:
        pairs = [[None, None]]
    if not all(is_int(n) and n >= 0 for pair in pairs for n in pair):
        raise ArgumentError(
            f"pad_width must be (before, after) for each of {rank} axes; got {quoted(pad_width)}"
        )
    return tuple((int(before), int(after)) for before, after in pairs)


def _padded(x: Any, pads: tuple[tuple[int, int], ...], value: float) -> Any:
    if not any(map(any, pads)):
        return x
    images = len(pads) == 4 and not any((*pads[0], *pads[3])) and 0 not in x.shape[1:]
    if images and value == 0 and is_float(x):
        return apply_operation(ZERO_PAD2D, x, padding=pads[1:3])
    return apply_operation(PAD, x, pads=pads, value=value)
