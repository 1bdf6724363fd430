"""Lessons of chapter 3: convolution in one and in two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import conv2d as in_numpy


def _convolve_1d(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return operations.conv2d(x.reshape(1, 1, -1, 1), w.reshape(1, -1, 1, 1))[0].ravel()


def _padded_1d(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return operations.conv2d(x.reshape(1, 1, -1, 1), w.reshape(1, -1, 1, 1), padding="same")[
        0
    ].ravel()


CONVOLVE_1D = Lesson(
    name="convolve_1d",
    chapter=3,
    title="a convolution of numbers in a row",
    task="Slide a kernel along a row of numbers, and return one weighted sum for each place.",
    stub='''
def convolve_1d(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return y[i] = x[i] w[0] + x[i + 1] w[1] + ... + x[i + K - 1] w[K - 1].

    x : (L,), the numbers
    w : (K,), the kernel
    y : (L - K + 1,): one sum for each place where the whole kernel lies on numbers
    """
''',
    cases=lambda rng: [
        Case("small whole numbers", x=np.array([1.0, 2, 3, 4, 5]), w=np.array([1.0, 0, -2])),
        Case("a kernel of one number", x=rng.normal(size=6), w=rng.normal(size=1)),
        Case("a kernel of four numbers", x=rng.normal(size=50), w=rng.normal(size=4)),
        Case("a kernel as long as the row", x=rng.normal(size=4), w=rng.normal(size=4)),
    ],
    reference=_convolve_1d,
    solution=(in_numpy.conv2d_forward,),
    mistakes=(
        Mistake(
            "The kernel is flipped: its last number meets the first one of the row. That is the "
            "convolution of mathematics; networks compute x[i] w[0] + x[i + 1] w[1] + ...",
            lambda x, w: _convolve_1d(x, w[::-1]),
        ),
        Mistake(
            "The last place is missing: the kernel fits at L - K + 1 places.",
            lambda x, w: _convolve_1d(x, w)[:-1],
        ),
        Mistake(
            "The row was padded with zeros, so that y is as long as x. Use complete windows only.",
            _padded_1d,
        ),
        Mistake(
            'The kernel hung over both ends of the row (NumPy\'s mode "full"), and it is flipped. '
            "Use complete windows only, and x[i] w[0] + x[i + 1] w[1] + ...",
            lambda x, w: np.convolve(x, w),
        ),
        Mistake(
            'The kernel hung over both ends of the row (NumPy\'s mode "full"). Use complete '
            "windows only.",
            lambda x, w: np.correlate(x, w, "full"),
        ),
    ),
    race=lambda rng: Case(
        "a hundred thousand numbers",
        x=rng.normal(size=100_000).astype(np.float32),
        w=rng.normal(size=9).astype(np.float32),
    ),
)


def _stride_1_in_place(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int) -> np.ndarray:
    """Return an output of the right size whose windows are 1 pixel apart."""
    oh, ow = operations.conv2d(x, w, b, stride)[0].shape[1:3]
    return operations.conv2d(x, w, b, 1)[0][:, :oh, :ow]


def _stride_of_one_axis(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, axis: int
) -> np.ndarray:
    """Return an output of the right size whose windows are 1 pixel apart along one axis."""
    oh, ow = operations.conv2d(x, w, b, stride)[0].shape[1:3]
    strides = (1, stride) if axis == 1 else (stride, 1)
    return operations.conv2d(x, w, b, strides)[0][:, :oh, :ow]


CONV2D = Lesson(
    name="conv2d",
    chapter=3,
    title="a convolution with stride and bias",
    task="Slide CO kernels over a batch of images, in steps of `stride` pixels.",
    stub='''
def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int) -> np.ndarray:
    """Return y[n, oy, ox, k] = b[k] + sum over ky, kx, c of
                                x[n, oy * stride + ky, ox * stride + kx, c] * w[ky, kx, c, k].

    x : (N, H, W, CI), the images
    w : (KH, KW, CI, CO), the kernels
    b : (CO,), one bias for each kernel
    stride : pixels from one window to the next
    y : (N, OH, OW, CO), where OH = (H - KH) // stride + 1, and OW likewise
    """
''',
    cases=lambda rng: [
        Case(
            "one image, one kernel",
            x=np.arange(1.0, 17).reshape(1, 4, 4, 1),
            w=np.array([[1.0, 0], [0, -2]]).reshape(2, 2, 1, 1),
            b=np.array([0.5]),
            stride=1,
        ),
        _random_case(rng, "a step of two pixels", (1, 7, 7, 1), (3, 3, 1, 2), 2),
        _random_case(rng, "three channels, and not square", (2, 6, 8, 3), (2, 3, 3, 4), 1),
        _random_case(rng, "a whole batch", (3, 10, 8, 2), (3, 2, 2, 5), 2),
    ],
    reference=lambda x, w, b, stride: operations.conv2d(x, w, b, stride)[0],
    solution=(in_numpy.conv2d_forward, in_numpy._windows_as_rows),
    mistakes=(
        Mistake("The bias is missing: add b[k] to every output of kernel k.",
                lambda x, w, b, stride: operations.conv2d(x, w, None, stride)[0]),
        Mistake("Your result is what comes out with stride 1; this case has stride {stride}.",
                lambda x, w, b, stride: operations.conv2d(x, w, b, 1)[0]),
        Mistake("Your result is what comes out with stride 1; this case has stride {stride}. Its "
                "size is right, but window [oy, ox] begins at row oy * stride, column ox * stride.",
                _stride_1_in_place),
        Mistake("Only the rows are right: the stride counts for columns, too. Window [oy, ox] "
                "begins at column ox * stride.",
                lambda x, w, b, stride: _stride_of_one_axis(x, w, b, stride, axis=2)),
        Mistake("Only the columns are right: the stride counts for rows, too. Window [oy, ox] "
                "begins at row oy * stride.",
                lambda x, w, b, stride: _stride_of_one_axis(x, w, b, stride, axis=1)),
        Mistake("The last row and column of windows are missing: OH = (H - KH) // stride + 1.",
                lambda x, w, b, stride: operations.conv2d(x, w, b, stride)[0][:, :-1, :-1]),
        Mistake("The kernel is flipped: w[0, 0] belongs to the upper left pixel of the window. "
                "Flipping it is the convolution of mathematics; networks do not flip.",
                lambda x, w, b, stride: operations.conv2d(x, w[::-1, ::-1], b, stride)[0]),
        Mistake("Only the first channel of the images is summed; the sum goes over all of them.",
                lambda x, w, b, stride: operations.conv2d(x[..., :1], w[:, :, :1], b, stride)[0]),
    ),
    race=lambda rng: _random_case(
        rng, "a batch of digits", (8, 28, 28, 1), (5, 5, 1, 20), 1, np.float32
    ),
)  # fmt: skip


def _random_case(
    rng: np.random.Generator,
    text: str,
    x: tuple[int, ...],
    w: tuple[int, ...],
    stride: int,
    dtype: type = np.float64,
) -> Case:
    arrays: dict[str, Any] = {
        name: rng.normal(size=shape).astype(dtype)
        for name, shape in {"x": x, "w": w, "b": w[3:]}.items()
    }
    return Case(text, **arrays, stride=stride)


LESSONS = (CONVOLVE_1D, CONV2D)
