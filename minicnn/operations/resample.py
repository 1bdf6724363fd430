"""The operation that resizes, crops and pads images: weighted sums of rows and of columns."""

from __future__ import annotations

from typing import Any

from minicnn.checks import FLOATS, check_array, check_axes, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation


def _resolve(
    x: Any,
    row_index: Any,
    row_weight: Any,
    column_index: Any,
    column_weight: Any,
    *,
    fill: float = 0.0,
) -> dict[str, Any]:
    check_array(x, "x", (*FLOATS, "uint8"))
    check_axes(x.shape, "x", "NHWC")
    for name, index, weight in (
        ("row", row_index, row_weight),
        ("column", column_index, column_weight),
    ):
        check_array(index, f"{name}_index", ("int32",))
        check_array(weight, f"{name}_weight")
        if len(index.shape) != 2 or tuple(index.shape) != tuple(weight.shape):
            raise ShapeError(
                f"{name}_index and {name}_weight must have the same shape, (outputs, taps); got "
                f"{shape_text(index.shape)} and {shape_text(weight.shape)}"
            )
    return {"fill": check_number(fill, "fill"), "image": tuple(x.shape[1:3])}


# y[n, i, j] = sum over k, l of row_weight[i, k] column_weight[j, l]
#              x[n, row_index[i, k], column_index[j, l]]
#
# x is uint8 or float (N, H, W, C); indices outside of the image count as its border. `fill` is the
# value of what the weights lack to a sum of 1. `minicnn.layers.sampling` makes the tables.
RESAMPLE = Operation("resample", _resolve, ("resample_backward",))
