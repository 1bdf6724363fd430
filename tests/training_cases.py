"""Small trainings for the tests of the explorer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn.apps.explorer.training.blocks import read_blocks
from minicnn.apps.explorer.training.datasets import DataChoice, TrainingData
from minicnn.apps.explorer.training.recipe import Recipe
from minicnn.apps.explorer.training.watched import WatchedTraining
from minicnn.data.preprocess import Preprocess

NAMES = ("left", "right", "top", "bottom")
SIDE = 12  # pixels
BATCH = 16
IMAGES = 150  # ten steps an epoch, the last one with 6 images
STEPS = 10
BLOCKS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 4, "kernel_size": 3, "activation": "linear"},
    {"kind": "batchnormalization"},
    {"kind": "activation", "activation": "relu"},
    {"kind": "maxpooling2d"},
    {"kind": "flatten"},
    {"kind": "dropout", "rate": 0.25},
    {"kind": "dense", "units": 12, "activation": "relu"},
]


def images(count: int = IMAGES, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images with one bright side, and which side it is."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 90, (count, SIDE, SIDE, 1)).astype(np.uint8)
    y = (np.arange(count) % len(NAMES)).astype(np.uint8)
    sides = (np.s_[:, :3], np.s_[:, -3:], np.s_[:3], np.s_[-3:])
    for image, label in zip(x, y, strict=True):
        image[sides[label]] += 120
    return x, y


def small_data() -> TrainingData:
    preprocess = Preprocess((SIDE, SIDE), "grayscale", scale=1.0)
    return TrainingData(*images(), *images(40, seed=1), NAMES, preprocess)


def recipe(optimizer: str = "momentum", learning_rate: float = 0.02, **changes: Any) -> Recipe:
    choice = DataChoice("sides", "Sides", (SIDE, SIDE, 1), NAMES)
    made = Recipe(read_blocks(BLOCKS), choice, optimizer, learning_rate, BATCH, 7)
    return made._replace(**changes)


@contextlib.contextmanager
def watched(made: Recipe | None = None) -> Iterator[WatchedTraining]:
    training = WatchedTraining(1, recipe() if made is None else made, small_data())
    try:
        yield training
    finally:
        training.stop()


def take(training: WatchedTraining, steps: int) -> str:
    """Take steps one by one; return the fingerprint of the weights."""
    for _ in range(steps):
        training.step()
        training.wait()
    return fingerprint(training)


def fingerprint(training: WatchedTraining) -> str:
    return training.ask(lambda one: one.timeline.stepper.fingerprint())


def full_state(training: WatchedTraining) -> list[bytes]:
    """Everything that a step depends on, as bytes."""
    state = training.ask(lambda one: one.timeline.stepper.state())
    arrays = [array.tobytes() for array in (*state.weights, *state.slots)]
    return [
        *arrays,
        str(state.step).encode(),
        str(training.timeline.stepper.learning_rate).encode(),
    ]
