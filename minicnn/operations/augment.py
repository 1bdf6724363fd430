"""The operation that rotates, shifts and zooms images, as layers use it."""

from __future__ import annotations

from typing import Any

from minicnn.checks import FLOATS, check_array, check_axes, check_choice, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("nearest", "bilinear")


def _resolve(
    x: Any,
    matrix: Any,
    *,
    fill_mode: str = "nearest",
    interpolation: str = "bilinear",
    cval: float = 0.0,
    scale: float = 1.0,
) -> dict[str, Any]:
    check_array(x, "x", (*FLOATS, "uint8"))
    check_axes(x.shape, "x", "NHWC")
    check_array(matrix, "matrix")
    if tuple(matrix.shape) not in ((x.shape[0], 6), (x.shape[0], 9)):
        raise ShapeError(
            f"matrix must have 6 or 9 values per image, ({x.shape[0]}, 6) or ({x.shape[0]}, 9); "
            f"got {shape_text(matrix.shape)}"
        )
    return {
        "fill_mode": check_choice(fill_mode, "fill_mode", FILL_MODES),
        "interpolation": check_choice(interpolation, "interpolation", INTERPOLATIONS),
        "cval": check_number(cval, "cval"),
        "scale": check_number(scale, "scale"),
    }


# y[n, i, j, c] = scale * x[n, u, v, c]    u = m0 i + m1 j + m2,  v = m3 i + m4 j + m5
#
# x is uint8 or float (N, H, W, C), matrix (N, 6) has m0 ... m5 of each image, y is float32. With
# m6 ... m8 too, (N, 9), u and v are divided by w = m6 i + m7 j + m8, a homography. The public
# function is `minicnn.data.affine_images`, and the reference has the details.
AUGMENT = Operation("augment", _resolve, None)
