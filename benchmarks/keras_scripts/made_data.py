"""The data sets of the scripts as files: real ones from a folder, Fashion-MNIST drawn.

Both engines read the same images: minicnn from its usual formats below MINICNN_DATA, Keras, whose
`load_data` would download, from arrays in .npz files.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

import minicnn as mc

CIFAR_BATCHES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
IDX_NAMES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def prepare(source: Path, folder: Path) -> None:
    """Write all data sets to `folder`, unless they are there."""
    if (folder / "ready").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("catdog", "scenes"):
        if not (folder / name).exists():
            (folder / name).symlink_to((source / name).resolve())
    _save(folder / "mnist.npz", mc.datasets.mnist.load_data())
    cifar = mc.datasets.cifar10.load_data(source)
    _save(folder / "cifar10.npz", _shuffled(cifar))
    _write_cifar(folder / "cifar-10-batches-bin", _shuffled(cifar))
    fashion = drawn_fashion()
    _save(folder / "fashion_mnist.npz", fashion)
    _write_idx(folder / "fashion-mnist", fashion)
    (folder / "ready").touch()


def _save(path: Path, data: tuple) -> None:
    (x_train, y_train), (x_test, y_test) = data
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def _shuffled(data: tuple) -> tuple:
    """Return the images in another order, since folders give one class after the other."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(y)) for _, y in data]
    return tuple((x[o], np.ravel(y)[o]) for (x, y), o in zip(data, orders, strict=True))


def _write_cifar(folder: Path, data: tuple) -> None:
    """Write CIFAR-10's binary format: a label, then the red, green and blue pixels."""
    folder.mkdir(exist_ok=True)
    (x_train, y_train), test = data
    parts = list(zip(np.split(x_train, 5), np.split(y_train, 5), strict=True))
    for name, (x, y) in zip(CIFAR_BATCHES, [*parts, test], strict=True):
        pixels = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
        np.hstack([y[:, None].astype(np.uint8), pixels]).tofile(folder / name)


def _write_idx(folder: Path, data: tuple) -> None:
    """Write four files in the format of MNIST, compressed."""
    folder.mkdir(exist_ok=True)
    for name, array in zip(IDX_NAMES, [array for part in data for array in part], strict=True):
        header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
            f">{array.ndim}I", *array.shape
        )
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes(), 1))


def drawn_fashion() -> tuple:
    """Return images of ten kinds of figures with Fashion-MNIST's shapes, types and numbers."""
    rng = np.random.default_rng(1)
    return _figures(60000, rng), _figures(10000, rng)


def _figures(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return stripes of ten directions and widths, blurred by noise, and the kind of each."""
    kinds = rng.integers(0, 10, count).astype(np.uint8)
    rows, columns = np.mgrid[0:28, 0:28] / 28 - 0.5
    images = np.empty((count, 28, 28), np.uint8)
    for start in range(0, count, 5000):
        kind = kinds[start : start + 5000, None, None]
        angle = np.pi * (kind % 5) / 5 + rng.normal(0, 0.12, kind.shape)
        waves = np.where(kind < 5, 2.0, 3.0) + rng.normal(0, 0.2, kind.shape)
        along = np.cos(angle) * rows + np.sin(angle) * columns
        wave = np.sin(2 * np.pi * waves * along + rng.uniform(0, 6.3, kind.shape))
        picture = 128 + 60 * wave + rng.normal(0, 60, (*kind.shape[:1], 28, 28))
        images[start : start + 5000] = np.clip(picture, 0, 255)
    return images, kinds
