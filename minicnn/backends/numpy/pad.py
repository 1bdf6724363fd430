"""Zero padding, and cropping: rows and columns around every image come or go.

y is x surrounded by zeros, so dx is the part of dy that x is copied to. Cropping is the reverse.
"""

from __future__ import annotations

import numpy as np

from minicnn.shapes import Pair


def zero_pad2d_forward(x: np.ndarray, *, pad_h: Pair, pad_w: Pair) -> tuple[np.ndarray]:
    return (np.pad(x, ((0, 0), pad_h, pad_w, (0, 0))),)


def zero_pad2d_backward(dy: np.ndarray, *, pad_h: Pair, pad_w: Pair) -> tuple[np.ndarray]:
    (top, bottom), (left, right) = pad_h, pad_w
    _, h, w, _ = dy.shape
    return (dy[:, top : h - bottom, left : w - right].copy(),)


def crop2d_forward(x: np.ndarray, *, pad_h: Pair, pad_w: Pair) -> tuple[np.ndarray]:
    return zero_pad2d_backward(x, pad_h=pad_h, pad_w=pad_w)


def crop2d_backward(dy: np.ndarray, *, pad_h: Pair, pad_w: Pair) -> tuple[np.ndarray]:
    return zero_pad2d_forward(dy, pad_h=pad_h, pad_w=pad_w)
