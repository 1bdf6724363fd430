"""Contrast, brightness and the colors of images, by a rule of its own for each image.

    y[n, i, j, c] = limited((v - m) * gain[n] + m + shift[n])    to low...high

m is the mean of image n's channel c with `about_mean`, else 0. v is x, or where gray[n] >= 0.5, in
images of three channels, the brightness of the pixel: 0.2989 red + 0.587 green + 0.114 blue.
"""

from __future__ import annotations

import numpy as np

BRIGHTNESS = (0.2989, 0.587, 0.114)


def adjust_colors_forward(
    x: np.ndarray, levels: np.ndarray, *, about_mean: bool, low: float, high: float
) -> tuple[np.ndarray]:
    dtype = levels.dtype
    gain, shift, gray = (levels[:, k, None, None, None] for k in range(3))
    v = x.astype(dtype)
    if x.shape[-1] == 3:
        red, green, blue = (dtype.type(share) * v[..., c] for c, share in enumerate(BRIGHTNESS))
        v = np.where(gray >= 0.5, (red + green + blue)[..., None], v)
    if about_mean:
        mean = v.mean((1, 2), keepdims=True, dtype=np.float64).astype(dtype)
        y = (v - mean) * gain + mean + shift
    else:
        y = v * gain + shift
    return (np.clip(y, dtype.type(low), dtype.type(high)),)
