"""The product of images with factors per channel.

    y[n, p, c] = x[n, p, c] * s[n, c]        p counts the pixels of an image

    dx[n, p, c] = dy[n, p, c] * s[n, c]      ds[n, c] = sum over p of dy[n, p, c] * x[n, p, c]

If all images have the same factors s[c], the sum is over n and p.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy.arrange import broadcast_to_backward


def scale_channels_forward(x: np.ndarray, s: np.ndarray) -> tuple[np.ndarray]:
    return (x * s,)


def scale_channels_backward(
    dy: np.ndarray, x: np.ndarray, s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    (ds,) = broadcast_to_backward(dy * x, shape=x.shape, image=s.shape)
    return dy * s, ds
