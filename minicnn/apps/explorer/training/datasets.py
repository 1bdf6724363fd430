"""The images that a network is trained with: MNIST, or a folder with one folder per class."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.data.folder_layouts import find_splits
from minicnn.data.folders import class_folders, list_folder
from minicnn.data.image_list import ImageList
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.datasets import mnist
from minicnn.errors import ArgumentError, MiniCNNError
from minicnn.support.text import quoted

MNIST = "mnist"
SIDES = {"folder": 32, "folder64": 64}  # pixels, of the images of the folder
MAX_IMAGES = 4000  # of a folder; of more, every second, third, ... is taken
MAX_CLASSES = 100
TEST_EVERY = 5  # of a folder without a test folder, each fifth image is one to test with


class TrainingData(NamedTuple):
    """Images to learn from, and others to test with.

    `x_train` and `x_test` are uint8 (N, H, W, C), the labels class indices (N,).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    preprocess: Preprocess

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (H, W, C) of one image."""
        return self.x_train.shape[1:]


class DataChoice(NamedTuple):
    """Images that can be chosen, before they are read."""

    name: str
    title: str
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    def description(self) -> dict[str, Any]:
        """Return it as the page gets it."""
        return self._asdict()


def data_choices(folder: Path | None) -> list[DataChoice]:
    """Return what can be chosen: MNIST, and the folder if it has one folder per class."""
    digits = tuple("0123456789")
    choices = [DataChoice(MNIST, "MNIST (handwritten digits)", (28, 28, 1), digits)]
    names = () if folder is None else _class_names(folder)
    if folder is None or not 2 <= len(names) <= MAX_CLASSES:
        return choices
    return choices + [
        DataChoice(name, f"{folder.name}, {side} x {side} pixels", (side, side, 3), names)
        for name, side in SIDES.items()
    ]


def find_choice(name: Any, folder: Path | None) -> DataChoice:
    """Return the choice of that name.

    Raises
    ------
    ArgumentError : there is none; the message names those that there are
    """
    choices = {one.name: one for one in data_choices(folder)}
    if not isinstance(name, str) or name not in choices:
        known = " or ".join(choices)
        raise ArgumentError(
            f"data must be {known}; got {quoted(name, 30)}. For images of your own, start "
            "minicnn explore --images DIR with one folder of images per class in DIR"
        )
    return choices[name]


def load_data(choice: DataChoice, folder: Path | None) -> TrainingData:
    """Read the images of a choice.

    Raises
    ------
    ArgumentError : the folder has no images, or none can be read
    """
    if choice.name == MNIST or folder is None:
        return _digits(choice)
    preprocess = Preprocess(choice.input_shape[:2], "rgb", scale=1.0)
    splits = find_splits(folder)
    names = list(choice.class_names)
    train, test = _read(splits.get("train", folder), names, preprocess), None
    if "test" in splits:
        test = _read(splits["test"], names, preprocess)
    return _data(train, test, choice.class_names, preprocess)


def _digits(choice: DataChoice) -> TrainingData:
    (x, y), (x_test, y_test) = mnist.load_data()
    preprocess = Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
    return TrainingData(x[..., None], y, x_test[..., None], y_test, choice.class_names, preprocess)


def _class_names(folder: Path) -> tuple[str, ...]:
    """Return the classes of a folder; none if it has no class folders or cannot be read."""
    try:
        return tuple(class_folders(find_splits(folder).get("train", folder)))
    except (OSError, MiniCNNError):
        return ()


def _read(folder: Path, names: list[str], preprocess: Preprocess) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, H, W, C) and labels of a folder; files that cannot be read are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about classes without images: the doctor sees them
        found: ImageList = list_folder(folder, names)
    found = found.pick(np.arange(0, len(found.paths), -(-len(found.paths) // MAX_IMAGES)))
    images, kept, _ = read_images(found.paths, **preprocess.reading)
    if len(images) < 2 * TEST_EVERY:
        raise ArgumentError(
            f"{folder} has {len(images)} images that can be read; a training needs "
            f"{2 * TEST_EVERY} at least"
        )
    return images, found.labels[kept]


def _data(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray] | None,
    names: tuple[str, ...],
    preprocess: Preprocess,
) -> TrainingData:
    """Return the images in both parts; without any to test with, each fifth is set aside."""
    x, y = train
    if test is not None:
        return TrainingData(x, y, *test, names, preprocess)
    aside = np.arange(len(x)) % TEST_EVERY == TEST_EVERY - 1
    return TrainingData(x[~aside], y[~aside], x[aside], y[aside], names, preprocess)
