"""The images that can be chosen: those of MNIST, and those of a folder."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import UNKNOWN, Problem
from minicnn.data import decode
from minicnn.data.folders import list_files
from minicnn.data.preprocess import Preprocess
from minicnn.datasets import mnist
from minicnn.support.text import quoted

SIDE = 64  # pixels of a thumbnail
KEPT = 2000  # thumbnails
GRAY = 128  # of the thumbnail of a file that cannot be read


class Chosen(NamedTuple):
    """One image that can be chosen, and the class that it is known to be of."""

    address: str  # such as "mnist:17" or "folder:cats/1.jpg"
    label: int | None
    title: str


class Images(Protocol):
    """Images by their numbers and by their names."""

    def __len__(self) -> int:
        """Return how many there are."""

    def chosen(self, number: int, network: OpenNetwork) -> Chosen:
        """Return what is known about the image with this number."""

    def number(self, name: str) -> int:
        """Return the number of the image with this name; raise Problem if there is none."""

    def pixels(self, number: int, preprocess: Preprocess) -> np.ndarray:
        """Return an image as a network reads it: uint8 (H, W, C)."""

    def thumbnails(self, numbers: Sequence[int]) -> np.ndarray:
        """Return small images, uint8 (n, h, w, c)."""


class Digits:
    """The 10,000 test images of MNIST, by their numbers."""

    def __len__(self) -> int:
        return len(self._data[1])

    @functools.cached_property
    def _data(self) -> tuple[np.ndarray, np.ndarray]:
        return mnist.load_data()[1]

    def chosen(self, number: int, network: OpenNetwork) -> Chosen:
        """Return what is known about an image; its class counts for networks of ten digits."""
        digit = int(self._data[1][number])
        label = _index(str(digit), network)
        return Chosen(f"mnist:{number}", label, f"digit {digit}, test image {number}")

    def number(self, name: str) -> int:
        """Return the number that a name is."""
        if not (name.isascii() and name.isdigit() and len(name) < 9 and int(name) < len(self)):
            raise Problem(
                f"MNIST has test images 0 to {len(self) - 1}; got {quoted(name)}", UNKNOWN
            )
        return int(name)

    def pixels(self, number: int, preprocess: Preprocess) -> np.ndarray:
        """Return an image, resized and colored as the network needs it."""
        return resized(self._data[0][number][..., None], preprocess)

    def thumbnails(self, numbers: Sequence[int]) -> np.ndarray:
        """Return whole images, uint8 (n, 28, 28, 1)."""
        return self._data[0][list(numbers)][..., None]


class FolderImages:
    """All images of a folder and of the folders in it, by their paths.

    Raises
    ------
    FileNotFoundError : there is no such folder, or there are no images in it
    """

    def __init__(self, folder: Path) -> None:
        found = list_files(folder)
        self._paths = found.paths
        self._names = [Path(name).as_posix() for name in found.filenames]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._thumbnail = functools.lru_cache(maxsize=KEPT)(self._read_thumbnail)

    def __len__(self) -> int:
        return len(self._paths)

    def chosen(self, number: int, network: OpenNetwork) -> Chosen:
        """Return what is known about an image; the folder that it is in may be its class."""
        name = self._names[number]
        label = _index(self._paths[number].parent.name, network)
        return Chosen(f"folder:{name}", label, name)

    def number(self, name: str) -> int:
        """Return the number of the image with this path."""
        if name not in self._numbers:
            raise Problem(f"the folder has no image {quoted(name)}", UNKNOWN)
        return self._numbers[name]

    def pixels(self, number: int, preprocess: Preprocess) -> np.ndarray:
        """Read an image as the network needs it."""
        return decode(self._paths[number], **preprocess.reading)

    def thumbnails(self, numbers: Sequence[int]) -> np.ndarray:
        """Return the middle squares of images, uint8 (n, 64, 64, 3)."""
        if not numbers:
            return np.empty((0, SIDE, SIDE, 3), np.uint8)
        return np.stack([self._thumbnail(number) for number in numbers])

    def _read_thumbnail(self, number: int) -> np.ndarray:
        try:
            return decode(self._paths[number], SIDE, keep_aspect_ratio=True)
        except OSError:
            return np.full((SIDE, SIDE, 3), GRAY, np.uint8)


def resized(pixels: np.ndarray, preprocess: Preprocess) -> np.ndarray:
    """Return an image, uint8 (H, W, C), in the size and colors that a network needs."""
    if pixels.shape == preprocess.image_shape:
        return pixels
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return decode(file.getvalue(), **preprocess.reading)


def _index(name: str, network: OpenNetwork) -> int | None:
    """Return the number of the class with this name, None if the network has no such class."""
    return network.class_names.index(name) if name in network.class_names else None
