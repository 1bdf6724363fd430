"""Operations that copy values to other places, in arrays of any shape, the batch axis included.

`minicnn.ops` has the functions that users call, which check their arguments.
"""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_same_shape
from minicnn.operations.operation import Operation

Shape = tuple[int, ...]


def _resolve_shape(x: Any, *, shape: Shape) -> dict[str, Any]:
    return {"shape": shape, "image": tuple(x.shape)}


def _resolve_transpose(x: Any, *, axes: Shape) -> dict[str, Any]:
    return {"axes": axes}


def _resolve_slice(x: Any, *, starts: Shape, steps: Shape, shape: Shape) -> dict[str, Any]:
    return {"starts": starts, "steps": steps, "shape": shape, "image": tuple(x.shape)}


def _resolve_pad(
    x: Any, *, pads: tuple[tuple[int, int], ...], value: float = 0.0
) -> dict[str, Any]:
    before, after = zip(*pads, strict=True) if pads else ((), ())
    return {"before": before, "after": after, "value": float(value)}


def _resolve_concatenate(a: Any, b: Any, *, axis: int) -> dict[str, Any]:
    return {"axis": axis, "sizes": (int(a.shape[axis]), int(b.shape[axis]))}


def _resolve_where(condition: Any, a: Any, b: Any) -> dict[str, Any]:
    check_same_shape(a, b, "x1 and x2")
    check_same_shape(condition, a, "condition and x1")
    return {}


def _resolve_take(x: Any, indices: Any, *, axis: int) -> dict[str, Any]:
    return {"axis": axis, "image": tuple(x.shape)}


def _resolve_one_hot(x: Any, *, classes: int) -> dict[str, Any]:
    return {"classes": classes}


def _resolve_cast(x: Any, *, dtype: str) -> dict[str, Any]:
    return {"dtype": dtype}


def _resolve_nothing(x: Any) -> dict[str, Any]:
    return {}


BROADCAST_TO = Operation("broadcast_to", _resolve_shape, ("broadcast_to_backward",))
RESHAPE_WHOLE = Operation("reshape_whole", _resolve_shape, ("reshape_whole_backward",))
TRANSPOSE = Operation("transpose", _resolve_transpose, ("transpose_backward",))
SLICE = Operation("slice", _resolve_slice, ("slice_backward",))
PAD = Operation("pad", _resolve_pad, ("pad_backward",))
# The kernels of the layer Concatenate, along any axis.
CONCATENATE_ANY = Operation("concatenate", _resolve_concatenate, ("concatenate_backward",))
WHERE = Operation("where", _resolve_where, ("where_backward",))
TAKE = Operation("take", _resolve_take, ("take_backward",))
ONE_HOT = Operation("one_hot", _resolve_one_hot, None, constant=True)
CAST = Operation("cast", _resolve_cast, None, constant=True)
STOP_GRADIENT = Operation("stop_gradient", _resolve_nothing, None, constant=True)
