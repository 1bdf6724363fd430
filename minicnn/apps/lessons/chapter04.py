"""Lessons of chapter 4: pooling and dropout."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import dropout as in_numpy
from minicnn.backends.numpy import pool


def _pooled(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    return operations.max_pool2d(x, size, stride)[0]


def _stride_in_place(x: np.ndarray, size: int, stride: int, wrong: int) -> np.ndarray:
    """Return an output of the right size whose windows are `wrong` pixels apart."""
    oh, ow = _pooled(x, size, stride).shape[1:3]
    return _pooled(x, size, wrong)[:, :oh, :ow]


def _windows_that_do_not_fit(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return the result for H // stride rows; windows at the border may be incomplete."""
    padding = ((0, 0), (0, size), (0, size), (0, 0))
    y = _pooled(np.pad(x, padding, constant_values=-np.inf), size, stride)
    return y[:, : x.shape[1] // stride, : x.shape[2] // stride]


def _without_the_last(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return the right result but for its last row and column, which are 0."""
    y = _pooled(x, size, stride)
    y[:, -1], y[:, :, -1] = 0, 0
    return y


MAX_POOL = Lesson(
    name="max_pool",
    chapter=4,
    title="the largest of each window",
    task="Keep the largest number of each window, for each channel.",
    stub='''
def max_pool(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Return y[n, oy, ox, c] = the largest of x[n, oy * stride + ky, ox * stride + kx, c],
                                where ky and kx go from 0 to size - 1.

    x : (N, H, W, C), the images
    size : rows and columns of a window
    stride : pixels from one window to the next; it may be smaller or larger than the size
    y : (N, OH, OW, C), where OH = (H - size) // stride + 1, and OW likewise
    """
''',
    cases=lambda rng: [
        Case("four windows", x=np.arange(16.0).reshape(1, 4, 4, 1), size=2, stride=2),
        Case("negative numbers", x=-1 - rng.random((1, 4, 6, 1)), size=2, stride=2),
        Case("windows that overlap", x=rng.normal(size=(1, 7, 8, 2)), size=3, stride=2),
        Case("a batch, three channels, a row left over", x=rng.normal(size=(2, 7, 8, 3)), size=2,
             stride=3),
    ],
    reference=_pooled,
    solution=(pool.max_pool2d_forward,),
    mistakes=(
        Mistake("That is the mean of each window: average pooling.",
                lambda x, size, stride: operations.average_pool2d(x, size, stride)[0]),
        Mistake("That is the smallest number of each window.",
                lambda x, size, stride: -_pooled(-x, size, stride)),
        Mistake("The channels are mixed: each has a maximum of its own.",
                lambda x, size, stride: np.broadcast_to(
                    _pooled(x, size, stride).max(-1, keepdims=True),
                    _pooled(x, size, stride).shape)),
        Mistake("Your windows are {size} pixels apart, their size; the stride is {stride}.",
                lambda x, size, stride: _pooled(x, size, size)),
        Mistake("Your windows are {size} pixels apart, their size; the stride is {stride}.",
                lambda x, size, stride: _stride_in_place(x, size, stride, size)),
        Mistake("Your windows are 1 pixel apart; the stride is {stride}.",
                lambda x, size, stride: _pooled(x, size, 1)),
        Mistake("Your windows are 1 pixel apart; the stride is {stride}.",
                lambda x, size, stride: _stride_in_place(x, size, stride, 1)),
        Mistake("The images are mixed: each has maxima of its own.",
                lambda x, size, stride: np.broadcast_to(
                    _pooled(x, size, stride).max(0), _pooled(x, size, stride).shape)),
        Mistake("You counted H // stride rows of windows and W // stride columns. Each window must "
                "lie in the image: OH = (H - size) // stride + 1.", _windows_that_do_not_fit),
        Mistake("The last row and column of the result are 0: does a loop end one too early?",
                _without_the_last),
        Mistake("The last row and column of windows are missing: OH = (H - size) // stride + 1.",
                lambda x, size, stride: _pooled(x, size, stride)[:, :-1, :-1]),
        Mistake("No result is below 0: the search for the largest began with 0. In a window of "
                "negative numbers 0 is not there. Begin with the first number, or with -np.inf.",
                lambda x, size, stride: np.maximum(_pooled(x, size, stride), 0)),
    ),
    race=lambda rng: Case("a batch of maps", x=rng.normal(size=(8, 24, 24, 20)).astype(np.float32),
                          size=2, stride=2),
)  # fmt: skip


def _dropout(x: np.ndarray, kept: np.ndarray, rate: float) -> np.ndarray:
    return operations.rescale(_masked(x, kept), 1 / (1 - rate))[0]


def _masked(x: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return operations.multiply(x, kept.astype(x.dtype))[0]


DROPOUT = Lesson(
    name="dropout",
    chapter=4,
    title="a mask that drops numbers",
    task="Set the numbers that are not kept to 0, and make up for what is lost.",
    stub='''
def dropout(x: np.ndarray, kept: np.ndarray, rate: float) -> np.ndarray:
    """Return x / (1 - rate) where a number is kept, and 0 where it is dropped.

    x : (N, F), the numbers
    kept : (N, F) of True and False, the mask
    rate : the fraction of the numbers that is dropped on average, at least 0 and below 1
    y : (N, F)
    """
''',
    cases=lambda rng: [
        Case("four numbers", x=np.array([[1.0, 2, 3, 4]]),
             kept=np.array([[True, False, True, True]]), rate=0.25),
        Case("half of them", x=rng.normal(size=(3, 8)), kept=rng.random((3, 8)) >= 0.5, rate=0.5),
        Case("most of them", x=rng.normal(size=(4, 30)), kept=rng.random((4, 30)) >= 0.8, rate=0.8),
    ],
    reference=_dropout,
    solution=(in_numpy.dropout_forward, in_numpy._kept),
    mistakes=(
        Mistake("What is kept must be divided by 1 - rate (the rate is {rate}). Otherwise the "
                "sums of the next layer would be smaller in training than later.",
                lambda x, kept, rate: _masked(x, kept)),
        Mistake("What is kept was multiplied by 1 - rate; divide by it.",
                lambda x, kept, rate: _masked(x, kept) * (1 - rate)),
        Mistake("What is kept was divided by the rate; divide by 1 - rate, the part that stays.",
                lambda x, kept, rate: _masked(x, kept) / rate),
        Mistake("The mask is the wrong way round: where kept is True, the number stays.",
                lambda x, kept, rate: _dropout(x, ~kept, rate)),
        Mistake("Nothing was dropped: where kept is False, the number becomes 0.",
                lambda x, kept, rate: x / (1 - rate)),
        Mistake("Numbers that are dropped become 0; yours are left out of the array.",
                lambda x, kept, rate: x[kept] / (1 - rate)),
    ),
    race=lambda rng: Case("a batch of features", x=rng.normal(size=(64, 5000)).astype(np.float32),
                          kept=rng.random((64, 5000)) >= 0.3, rate=0.3),
)  # fmt: skip

LESSONS = (MAX_POOL, DROPOUT)
