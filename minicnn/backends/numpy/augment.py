"""Augmentation of images: each pixel of the new image is looked up in the old one.

    y[n, i, j, c] = scale * x[n, u, v, c]        u = m0 i + m1 j + m2,  v = m3 i + m4 j + m5

The loop is over the pixels of the new image, so each of them gets exactly one value. With nine
values per image, the change is a homography, the change of a plane that is photographed from
another place. Positions are then homogeneous, (u, v, w) = M (i, j, 1), which means u / w and v / w:

    y[n, i, j, c] = scale * x[n, u / w, v / w, c]        w = m6 i + m7 j + m8

With (m6, m7, m8) = (0, 0, 1), w is 1 and the change is affine. Where w is not positive, the plane
is behind the camera, and there is no position: u and v become NaN, which is outside. The position
(u, v) is rarely a pixel. "bilinear" is a weighted mean of the four pixels around it:

    (1 - fu)(1 - fv) x[r, c] + (1 - fu) fv x[r, c + 1] + fu (1 - fv) x[r + 1, c] + ...

with r = floor(u), fu = u - r, c = floor(v), fv = v - c. "nearest" is the same at the rounded
position.
"""

from __future__ import annotations

import numpy as np

# float32 represents integers up to here exactly; positions further away are moved here.
FAR = 2**24

# Which row or column k means, also outside of 0...n - 1. A row a b c d is continued as shown.
FOLDS = {
    "constant": lambda k, n: k.clip(0, n - 1),  # replaced by cval in `augment`
    "nearest": lambda k, n: k.clip(0, n - 1),  # aaaa|abcd|dddd
    "reflect": lambda k, n: np.minimum(k % (2 * n), 2 * n - 1 - k % (2 * n)),  # dcba|abcd|dcba
    "wrap": lambda k, n: k % n,  # abcd|abcd|abcd
}


def augment_forward(
    x: np.ndarray,
    matrix: np.ndarray,
    *,
    fill_mode: str,
    interpolation: str,
    cval: float,
    scale: float,
) -> tuple[np.ndarray]:
    _, h, w, _ = x.shape
    real = matrix.dtype.type
    rows, columns = np.arange(h, dtype=real)[:, None], np.arange(w, dtype=real)
    m = matrix.T[:, :, None, None]  # (6 or 9, N, 1, 1)
    u = m[0] * rows + m[2] + m[1] * columns  # (N, H, W)
    v = m[3] * rows + m[5] + m[4] * columns
    if len(m) == 9:
        divisor = m[6] * rows + m[8] + m[7] * columns
        divisor = np.where(divisor > 0, divisor, real(np.nan))
        u, v = u / divisor, v / divisor
    outside = ~((u >= 0) & (u <= h - 1) & (v >= 0) & (v <= w - 1))
    if interpolation == "nearest":
        u, v = np.floor(u + real(0.5)), np.floor(v + real(0.5))
    y = _between_pixels(x, _bounded(u), _bounded(v), fill_mode)
    if fill_mode == "constant":
        y[outside] = cval
    return (y * real(scale),)


def _between_pixels(x: np.ndarray, u: np.ndarray, v: np.ndarray, fill_mode: str) -> np.ndarray:
    _, h, w, _ = x.shape
    fold = FOLDS[fill_mode]
    n = np.arange(len(x))[:, None, None]
    r, c = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    r0, r1, c0, c1 = fold(r, h), fold(r + 1, h), fold(c, w), fold(c + 1, w)
    here, right, below, diagonal = (
        x[n, row, column].astype(u.dtype) for row in (r0, r1) for column in (c0, c1)
    )
    down, across = (u - r)[..., None].astype(u.dtype), (v - c)[..., None].astype(u.dtype)
    upper = here + (right - here) * across
    lower = below + (diagonal - below) * across
    return upper + (lower - upper) * down


def _bounded(u: np.ndarray) -> np.ndarray:
    return np.fmin(np.fmax(u, -FAR), FAR).astype(u.dtype)  # NaN becomes -FAR
