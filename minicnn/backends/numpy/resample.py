"""Images of another size: each row is a weighted sum of rows, each column one of columns.

    y[n, i, j, c] = sum over k, l of R[i, k] * C[j, l] * x[n, r[i, k], q[j, l], c]

r and R, (OH, K), have the indices and the weights of the K rows that row i is made of; q and C,
(OW, L), those of the columns. What the weights lack to a sum of 1 is the weight of `fill`, as if
pixels of that value surrounded the image. y is linear in x, so

    dx[n, a, b, c] = sum of R[i, k] * C[j, l] * dy[n, i, j, c]   over r[i, k] = a and q[j, l] = b.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.shapes import Pair


def resample_forward(
    x: np.ndarray,
    row_index: np.ndarray,
    row_weight: np.ndarray,
    column_index: np.ndarray,
    column_weight: np.ndarray,
    *,
    fill: float,
    **_: Any,
) -> tuple[np.ndarray]:
    dtype = row_weight.dtype
    _, h, w, _ = x.shape
    rows = _matrix(row_index, row_weight, h)
    columns = _matrix(column_index, column_weight, w)
    y = np.einsum("ih,nhwc,jw->nijc", rows, x.astype(dtype), columns, optimize=True)
    if fill:
        weight = row_weight.sum(1)[:, None] * column_weight.sum(1)
        y = y + dtype.type(fill) * (1 - weight)[:, :, None]
    return (np.ascontiguousarray(y, dtype),)


def resample_backward(
    dy: np.ndarray,
    row_index: np.ndarray,
    row_weight: np.ndarray,
    column_index: np.ndarray,
    column_weight: np.ndarray,
    *,
    image: Pair,
    **_: Any,
) -> tuple[np.ndarray]:
    rows = _matrix(row_index, row_weight.astype(dy.dtype), image[0])
    columns = _matrix(column_index, column_weight.astype(dy.dtype), image[1])
    dx = np.einsum("ih,nijc,jw->nhwc", rows, dy, columns, optimize=True)
    return (np.ascontiguousarray(dx),)


def _matrix(index: np.ndarray, weight: np.ndarray, length: int) -> np.ndarray:
    """Return the weights as a matrix (outputs, length)."""
    matrix = np.zeros((len(index), length), weight.dtype)
    outputs = np.arange(len(index))[:, None]
    np.add.at(matrix, (outputs, index.clip(0, length - 1)), weight)
    return matrix
