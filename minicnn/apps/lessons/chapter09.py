"""Lessons of chapter 9: finding dead units, and clipping a gradient that is too long."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends import kernel
from minicnn.backends.numpy import clipping


def _dead_units(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which channels are 0 everywhere, and their share."""
    largest = operations.global_max_pool2d(y)[0].max(0)
    dead = largest == 0
    return dead, dead.mean()


def _relu_case(rng: np.random.Generator, text: str, shape: tuple[int, ...], dead: int) -> Case:
    """Outputs of a ReLU; `dead` channels are 0, another one is 0 for all images but the last."""
    y = np.maximum(rng.normal(size=shape), 0)
    y[..., rng.permutation(shape[-1])[:dead]] = 0
    alive = np.flatnonzero(y.any((0, 1, 2)))
    y[:-1, ..., alive[0]] = 0
    return Case(text, y=y)


DEAD_UNITS = Lesson(
    name="dead_units",
    chapter=9,
    title="which units of a layer are dead?",
    task="Find the units (channels) that are silent for every image, as the training doctor does.",
    stub='''
def dead_units(y: np.ndarray) -> tuple[np.ndarray, float]:
    """Return which channels are dead, and their share of all channels.

    A channel c is dead if y[n, i, j, c] is 0 for every image n and at every place i, j.

    y : (N, H, W, C), the output of a layer with ReLU, so no number is negative
    dead : (C,), True where a channel is dead
    share : a number from 0 to 1: dead channels divided by all channels
    """
''',
    cases=lambda rng: [
        Case("two images of 1 x 2 pixels, four channels",
             y=np.array([[[[0.0, 1, 0, 2], [0, 0, 0, 1]]], [[[0, 0, 3, 0], [0, 4, 0, 5]]]])),
        _relu_case(rng, "four images, six channels", (4, 3, 3, 6), 2),
        _relu_case(rng, "no channel is dead", (3, 2, 4, 5), 0),
    ],
    reference=_dead_units,
    solution=(_dead_units,),
    results=("dead", "share"),
    engines=("numpy",),
    mistakes=(
        Mistake("You marked the channels that are 0 somewhere. Dead is what is 0 everywhere: "
                "all(), not any().", lambda y: (y == 0).any((0, 1, 2))),
        Mistake("You marked the channels that are alive; dead are the others.",
                lambda y: ~_dead_units(y)[0]),
        Mistake("Only the first image was looked at. A unit is dead if it is silent for all.",
                lambda y: _dead_units(y[:1])[0]),
        Mistake("There is one answer for each image; a unit is dead if it is silent for all of "
                "them.", lambda y: (y == 0).all((1, 2))),
        Mistake("There is one answer for each place; look at all places together.",
                lambda y: (y == 0).all(0)),
        Mistake("The share is that of the zeros among all numbers; count channels.",
                lambda y: (y == 0).mean(), of="share"),
        Mistake("That is the number of dead channels; divide it by the number of all channels.",
                lambda y: _dead_units(y)[0].sum(), of="share"),
        Mistake("That is the share of the channels that are alive.",
                lambda y: 1 - _dead_units(y)[1], of="share"),
        Mistake("The share is in percent; it must run from 0 to 1.",
                lambda y: 100 * _dead_units(y)[1], of="share"),
    ),
)  # fmt: skip


def _clipped(dw: np.ndarray, limit: float) -> np.ndarray:
    return kernel("clip_by_norm")(dw, limit=limit)[0]


def _scaled_by(dw: np.ndarray, norm: float, limit: float) -> np.ndarray:
    return dw * (limit / max(norm, limit))


CLIP_BY_NORM = Lesson(
    name="clip_by_norm",
    chapter=9,
    title="scale a gradient that is too long",
    task="Shorten a gradient to a largest length, and keep its direction.",
    stub='''
def clip_by_norm(dw: np.ndarray, limit: float) -> np.ndarray:
    """Return dw, or dw * limit / norm if its norm is above the limit.

    The norm is the length of the whole array: the square root of the sum of all squares.

    dw : any shape, a gradient
    limit : a number above 0, the largest length
    """
''',
    cases=lambda rng: [
        Case("a gradient of length 5, which is too long", dw=np.array([3.0, -4]), limit=2.0),
        Case("a gradient that is short enough", dw=np.array([[0.3, -0.4], [0, 0.1]]), limit=2.0),
        Case("a matrix", dw=rng.normal(size=(3, 5)), limit=1.5),
        Case("a matrix that is short enough", dw=rng.normal(size=(3, 5)), limit=15.0),
    ],
    reference=_clipped,
    solution=(clipping.clip_by_norm, clipping.clip_by_global_norm, clipping.squared_norm_start),
    mistakes=(
        Mistake("Each number was clipped to -limit...limit. That changes the direction of the "
                "gradient; scale all numbers by the same factor.",
                lambda dw, limit: np.clip(dw, -limit, limit)),
        Mistake("The square root is missing: you divided by the sum of the squares.",
                lambda dw, limit: _scaled_by(dw, float((dw**2).sum()), limit)),
        Mistake("The norm is not the sum of the magnitudes. Add up the squares and take the root.",
                lambda dw, limit: _scaled_by(dw, float(np.abs(dw).sum()), limit)),
        Mistake("You divided by the largest magnitude. The norm is the length: the root of the sum "
                "of all squares.",
                lambda dw, limit: _scaled_by(dw, float(np.abs(dw).max()), limit)),
        Mistake("You took the mean of the squares; it is their sum.",
                lambda dw, limit: _scaled_by(dw, float(np.sqrt((dw**2).mean())), limit)),
        Mistake("Each row was scaled by its own norm; the norm is that of the whole array.",
                lambda dw, limit: None if dw.ndim == 1 else
                np.stack([_clipped(row, limit) for row in dw])),
        Mistake("A gradient that is short enough was made longer. It stays as it is; scale only "
                "what is above the limit.",
                lambda dw, limit: dw * (limit / np.linalg.norm(dw))),
        Mistake("The result has length 1; it must have the length limit, {limit}.",
                lambda dw, limit: _clipped(dw, 1.0) if np.linalg.norm(dw) > limit else dw),
        Mistake("A gradient that is too long became 0; it is shortened, not thrown away.",
                lambda dw, limit: dw * (np.linalg.norm(dw) <= limit)),
        Mistake("Nothing was clipped.", lambda dw, limit: dw),
    ),
    race=lambda rng: Case(
        "the gradient of LeNet's first dense layer",
        dw=rng.normal(size=(800, 500)).astype(np.float32),
        limit=1.0,
    ),
)  # fmt: skip

LESSONS = (DEAD_UNITS, CLIP_BY_NORM)
