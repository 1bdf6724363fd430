"""Lessons of chapter 1: images as arrays."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import adjust_colors, elementwise
from minicnn.operations.adjust_colors import ADJUST_COLORS


def _pixels(rng: np.random.Generator, *shape: int, below: int = 256) -> np.ndarray:
    return rng.integers(0, below, shape, dtype=np.uint8)


def _to_input(images: np.ndarray) -> np.ndarray:
    return operations.rescale(images[..., None], 1 / 255)[0]


TO_INPUT = Lesson(
    name="to_input",
    chapter=1,
    title="from pixels to what a network reads",
    task="Turn a batch of gray images into the array that a network reads.",
    stub='''
def to_input(images: np.ndarray) -> np.ndarray:
    """Return the images as numbers from 0 to 1, with an axis for the one channel at the end.

    images : (N, H, W) of uint8, the pixels: 0 is black and 255 is white
    y : (N, H, W, 1) of fractions: 0 is black and 1 is white
    """
''',
    cases=lambda rng: [
        Case("one image of two pixels", images=np.array([[[0, 51]]], np.uint8)),
        Case("a dark image", images=_pixels(rng, 1, 4, 5, below=100)),
        Case("three images", images=_pixels(rng, 3, 6, 7)),
    ],
    reference=_to_input,
    solution=(elementwise.rescale_forward,),
    mistakes=(
        Mistake(
            "You divided by the largest pixel of these images. A dark image would become as bright "
            "as any other. Divide by 255, always.",
            lambda images: images[..., None] / images.max(),
        ),
        Mistake("You divided by 256. The brightest pixel is 255, and must become 1.",
                lambda images: images[..., None] / 256),
        Mistake("The fractions are cut off: // divides without them, and whole numbers cannot hold "
                "them. Divide by /.", lambda images: images[..., None] // 255),
        Mistake("The channel is the second axis, as in PyTorch. Here it is the last one.",
                lambda images: _to_input(images).transpose(0, 3, 1, 2)),
        Mistake("Black and white are exchanged: 0 must stay 0.",
                lambda images: 1 - _to_input(images)),
    ),
    race=lambda rng: Case("a thousand digits", images=_pixels(rng, 1000, 28, 28)),
)  # fmt: skip


def _grayscale(image: np.ndarray) -> np.ndarray:
    levels = np.array([[1.0, 0, 1]], np.float32)
    return operations.run(ADJUST_COLORS, image[None], levels)[0][0, :, :, 0]


GRAYSCALE = Lesson(
    name="grayscale",
    chapter=1,
    title="from colors to gray",
    task="Compute how bright each pixel of a color image is.",
    stub='''
def grayscale(image: np.ndarray) -> np.ndarray:
    """Return 0.2989 red + 0.587 green + 0.114 blue, for each pixel.

    image : (H, W, 3) of uint8: red, green and blue, each from 0 to 255
    y : (H, W) of fractions, from 0 to 255
    """
''',
    cases=lambda rng: [
        Case("a red pixel and a blue one",
             image=np.array([[[100, 0, 0], [0, 0, 100]]], np.uint8)),
        Case("bright colors", image=200 + _pixels(rng, 2, 3, 3, below=50)),
        Case("all colors", image=_pixels(rng, 5, 4, 3)),
    ],
    reference=_grayscale,
    solution=(adjust_colors.adjust_colors_forward,),
    mistakes=(
        Mistake("That is the mean of the three colors. An eye sees green as brighter than blue, so "
                "each color has a weight of its own.",
                lambda image: image.mean(-1)),
        Mistake("Red and blue are exchanged. The first number of a pixel is red.",
                lambda image: _grayscale(image[..., ::-1].copy())),
        Mistake("That is the first color, red, alone.", lambda image: image[..., 0]),
        Mistake("The weights are missing: that is red + green + blue.",
                lambda image: image.sum(-1)),
        Mistake("The sum ran over. uint8 ends at 255, and 200 + 100 becomes 44 there. "
                "Begin with image.astype(float).",
                lambda image: image[..., 0] + image[..., 1] + image[..., 2]),
    ),
    race=lambda rng: Case("a photograph", image=_pixels(rng, 600, 800, 3)),
)  # fmt: skip

LESSONS = (TO_INPUT, GRAYSCALE)
