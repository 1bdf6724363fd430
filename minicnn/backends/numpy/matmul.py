"""Products of the matrices in the last two axes: y = a b, so da = dy b' and db = a' dy."""

from __future__ import annotations

import numpy as np


def matmul_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (a @ b,)


def matmul_backward(dy: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return dy @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ dy
