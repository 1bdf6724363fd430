"""Lessons of chapter 6: the gradients of a dense layer and of a convolution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends import kernel
from minicnn.backends.numpy import conv2d, dense
from minicnn.shapes import conv_window

Arrays = tuple[np.ndarray, ...]


def _dense(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> Arrays:
    (dx,) = kernel("dense_backward_input")(dy, w)
    return dx, *kernel("dense_backward_weights")(dy, x)


DENSE_BACKWARD = Lesson(
    name="dense_backward",
    chapter=6,
    title="the gradients of a dense layer",
    task="Compute how the loss changes with the input, the weights and the bias of a dense layer.",
    stub='''
def dense_backward(
    dy: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dx, dw and db of the layer y[n, j] = b[j] + sum over i of x[n, i] w[i, j].

    dx[n, i] = sum over j of dy[n, j] w[i, j]
    dw[i, j] = sum over n of x[n, i] dy[n, j]
    db[j]    = sum over n of dy[n, j]

    dy : (N, OUT), the gradient of the loss with respect to y
    x : (N, IN), the input
    w : (IN, OUT), the weights
    """
''',
    cases=lambda rng: [
        Case("one image", dy=np.array([[1.0, -2]]), x=np.array([[1.0, 2, 3]]),
             w=np.array([[1.0, 0], [0, 1], [2, 2]])),
        _dense_case(rng, "a batch of three", 3, 4, 2),
        _dense_case(rng, "a batch of five, as many inputs as outputs", 5, 3, 3),
    ],
    reference=_dense,
    solution=(dense.dense_backward_input, dense.dense_backward_weights),
    results=("dx", "dw", "db"),
    mistakes=(
        Mistake("dx is dy times w; it must be dy times w transposed, dy @ w.T.",
                lambda dy, x, w: dy @ w),
        Mistake("The gradient dw is that of the first image alone; sum over the batch.",
                lambda dy, x, w: x[:1].T @ dy[:1], of="dw"),
        Mistake("The gradient dw is that of the last image alone; sum over the batch (+=).",
                lambda dy, x, w: x[-1:].T @ dy[-1:], of="dw"),
        Mistake("You have one dw for each image; sum over the batch.",
                lambda dy, x, w: x[:, :, None] * dy[:, None, :], of="dw"),
        Mistake("dw was divided by the number of images. The mean is already in dy, because the "
                "loss is a mean; here it is a sum.",
                lambda dy, x, w: x.T @ dy / len(x), of="dw"),
        Mistake("The gradient db is that of the first image alone; sum over the batch.",
                lambda dy, x, w: dy[0], of="db"),
        Mistake("The gradient db is that of the last image alone; sum over the batch (+=).",
                lambda dy, x, w: dy[-1], of="db"),
        Mistake("You have one db for each image; sum over the batch.",
                lambda dy, x, w: dy, of="db"),
        Mistake("db was divided by the number of images. The mean is already in dy, because the "
                "loss is a mean; here it is a sum.",
                lambda dy, x, w: dy.mean(0), of="db"),
        Mistake("db was summed over the outputs; sum over the images, the first axis.",
                lambda dy, x, w: dy.sum(1), of="db"),
        Mistake("db is one number; there is one bias for each of the outputs.",
                lambda dy, x, w: dy.sum(), of="db"),
    ),
    race=lambda rng: _dense_case(rng, "LeNet's first dense layer", 64, 800, 500, np.float32),
)  # fmt: skip


def _dense_case(
    rng: np.random.Generator, text: str, n: int, inputs: int, outputs: int, dtype: type = np.float64
) -> Case:
    shapes = {"dy": (n, outputs), "x": (n, inputs), "w": (inputs, outputs)}
    return Case(text, **_normal(rng, shapes, dtype))


def _normal(
    rng: np.random.Generator, shapes: Mapping[str, tuple[int, ...]], dtype: type
) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def _conv(dy: np.ndarray, x: np.ndarray) -> Arrays:
    (h, w), (oh, ow) = x.shape[1:3], dy.shape[1:3]
    window = conv_window((h - oh + 1, w - ow + 1), 1, "valid", 1, (h, w))
    return kernel("conv2d_backward_weights")(dy, x, window=window, groups=1, image=(h, w))


def _last_place(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return what the last place of the window gives, summed over the batch."""
    oh, ow = dy.shape[1:3]
    return _conv(dy[:, -1:, -1:].copy(), x[:, oh - 1 :, ow - 1 :].copy())[0]


CONV2D_BACKWARD = Lesson(
    name="conv2d_backward",
    chapter=6,
    title="the gradient of a convolution's weights",
    task="Compute how the loss changes with each weight and each bias of a convolution.",
    stub='''
def conv2d_backward(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return dw and db of a convolution with stride 1.

    A weight is used at every place of every image, so its gradient is a sum over all of them:
        dw[ky, kx, c, k] = sum over n, oy, ox of dy[n, oy, ox, k] x[n, oy + ky, ox + kx, c]
        db[k]            = sum over n, oy, ox of dy[n, oy, ox, k]

    dy : (N, OH, OW, CO), the gradient of the loss with respect to the output
    x : (N, H, W, CI), the input; the kernel has KH = H - OH + 1 rows, KW = W - OW + 1 columns
    dw : (KH, KW, CI, CO)
    db : (CO,)
    """
''',
    cases=lambda rng: [
        Case("one image of 3 x 3, one kernel of 2 x 2", x=np.arange(1.0, 10).reshape(1, 3, 3, 1),
             dy=np.array([[1.0, 0], [0, -2]]).reshape(1, 2, 2, 1)),
        _conv_case(rng, "a batch of three", (3, 5, 6, 1), (3, 2), 1),
        _conv_case(rng, "two channels, four kernels", (2, 6, 5, 2), (2, 3), 4),
    ],
    reference=_conv,
    solution=(conv2d.conv2d_backward_weights, conv2d._windows_as_rows),
    results=("dw", "db"),
    mistakes=(
        Mistake("The gradient dw is that of the first image alone; sum over the batch.",
                lambda dy, x: _conv(dy[:1], x[:1])[0]),
        Mistake("The gradient dw is that of the last image alone; sum over the batch (+=).",
                lambda dy, x: _conv(dy[-1:], x[-1:])[0]),
        Mistake("You have one dw for each image; sum over the batch.",
                lambda dy, x: np.stack([_conv(dy[n : n + 1], x[n : n + 1])[0]
                                        for n in range(len(x))])),
        Mistake("dw was divided by the number of images. The mean is already in dy, because the "
                "loss is a mean; here it is a sum.",
                lambda dy, x: _conv(dy, x)[0] / len(x)),
        Mistake("dw is a mean; it is the sum over all images and places.",
                lambda dy, x: _conv(dy, x)[0] / np.prod(dy.shape[:3])),
        Mistake("Each place replaces what the places before it gave, so that only the last one is "
                "left: write dw[...] += instead of dw[...] =.", _last_place),
        Mistake("dw is turned around: dw[0, 0] belongs to the upper left pixel of a window.",
                lambda dy, x: _conv(dy, x)[0][::-1, ::-1]),
        Mistake("The gradient db is that of the first image alone; sum over the batch.",
                lambda dy, x: dy[0].sum((0, 1)), of="db"),
        Mistake("You have one db for each image; sum over the batch.",
                lambda dy, x: dy.sum((1, 2)), of="db"),
        Mistake("You have one db for each place; sum over the rows and columns, too.",
                lambda dy, x: dy.sum(0), of="db"),
        Mistake("db is a mean; it is the sum over all images and places.",
                lambda dy, x: dy.mean((0, 1, 2)), of="db"),
        Mistake("db is one number; there is one bias for each of the kernels.",
                lambda dy, x: dy.sum(), of="db"),
    ),
    race=lambda rng: _conv_case(rng, "LeNet's first layer, eight digits", (8, 28, 28, 1), (5, 5),
                                20, np.float32),
)  # fmt: skip


def _conv_case(
    rng: np.random.Generator,
    text: str,
    x: tuple[int, int, int, int],
    size: tuple[int, int],
    filters: int,
    dtype: type = np.float64,
) -> Case:
    n, h, w, _ = x
    shapes = {"x": x, "dy": (n, h - size[0] + 1, w - size[1] + 1, filters)}
    return Case(text, **_normal(rng, shapes, dtype))


LESSONS = (DENSE_BACKWARD, CONV2D_BACKWARD)
