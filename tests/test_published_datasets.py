"""Fashion-MNIST and CIFAR-100 in small files of their formats, and where data sets are found."""

from __future__ import annotations

import gzip
import pickle
import tarfile

import numpy as np
import pytest

from minicnn.datasets import cifar10, cifar100, fashion_mnist, mnist
from minicnn.errors import ArgumentError, FormatError, TruncatedError

LABELS = {"train": [9, 0, 0, 3, 0, 2, 7], "t10k": [9, 2, 1]}


@pytest.fixture(autouse=True)
def _nothing_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MINICNN_DATA", raising=False)


def write_idx(folder, labels=LABELS):
    folder.mkdir(parents=True, exist_ok=True)
    for kind, values in labels.items():
        n = len(values)
        head = bytes([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2])
        with gzip.open(folder / f"{kind}-images-idx3-ubyte.gz", "wb") as file:
            file.write(head + bytes(range(4 * n)))
        with gzip.open(folder / f"{kind}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(bytes([0, 0, 8, 1, 0, 0, 0, n, *values]))
    return folder


@pytest.mark.parametrize("name", [".", *fashion_mnist.USUAL_NAMES])
def test_clothes_in_a_folder_of_data(tmp_path, monkeypatch, name):
    write_idx(tmp_path / "data" / name)
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path / "data"))
    (x, y), (_, y_test) = fashion_mnist.load_data()
    assert (x.shape, y.tolist(), y_test.tolist()) == ((7, 2, 2), LABELS["train"], LABELS["t10k"])
    assert x.dtype == y.dtype == np.uint8 and len(fashion_mnist.CLASS_NAMES) == 10


def test_clothes_that_keras_fetched_once(tmp_path):
    write_idx(tmp_path / "home/.keras/datasets/fashion-mnist")
    assert len(fashion_mnist.load_data()[0][0]) == 7


def test_clothes_in_the_folder_data_of_this_place(tmp_path, monkeypatch):
    """`data` itself, without the name of the set, may belong to another program."""
    monkeypatch.chdir(tmp_path)
    write_idx(tmp_path / "data")
    with pytest.raises(FileNotFoundError):
        fashion_mnist.load_data()
    write_idx(tmp_path / "data/fashion-mnist")
    assert len(fashion_mnist.load_data()[0][0]) == 7


def test_digits_are_no_clothes(tmp_path):
    write_idx(tmp_path, {"train": [5, 0, 4, 1, 9, 2, 1], "t10k": [7, 2, 1]})
    with pytest.raises(FormatError, match="holds MNIST's digits"):
        fashion_mnist.load_data(tmp_path)
    assert len(mnist.load_data(tmp_path)[0][0]) == 7


@pytest.mark.parametrize("load", [fashion_mnist.load_data, cifar10.load_data, cifar100.load_data])
def test_what_is_not_there_is_said_with_where_to_get_it(tmp_path, monkeypatch, load):
    with pytest.raises(
        FileNotFoundError, match=r"load_data\(path\), or set MINICNN_DATA; needed are"
    ):
        load()
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"github\.com|www\.cs\.toronto\.edu"):
        load()


# --- CIFAR-100 ----------------------------------------------------------------------------------

COUNTS = {"train": 5, "test": 2}
RNG = np.random.default_rng(0)
PIXELS = {part: RNG.integers(0, 256, (n, 3, 32, 32), np.uint8) for part, n in COUNTS.items()}
FINE = {"train": [99, 0, 5, 7, 50], "test": [1, 98]}
COARSE = {"train": [19, 0, 3, 3, 4], "test": [2, 18]}


def write_python(folder):
    folder.mkdir(parents=True)
    for part, pixels in PIXELS.items():
        batch = {b"data": pixels.reshape(len(pixels), -1), b"fine_labels": FINE[part]}
        batch[b"coarse_labels"] = COARSE[part]
        (folder / part).write_bytes(pickle.dumps(batch, 2))
    return folder


def write_binary(folder):
    folder.mkdir(parents=True)
    for part, pixels in PIXELS.items():
        labels = np.array([COARSE[part], FINE[part]], np.uint8).T
        rows = np.hstack([labels, pixels.reshape(len(pixels), -1)])
        (folder / f"{part}.bin").write_bytes(rows.tobytes())
    return folder


def write_archive(folder):
    inner = write_python(folder / "cifar-100-python")
    with tarfile.open(folder / "cifar-100-python.tar.gz", "w:gz") as archive:
        archive.add(inner, inner.name)
    for path in inner.iterdir():
        path.unlink()
    return folder


@pytest.mark.parametrize("write", [write_python, write_binary, write_archive])
@pytest.mark.parametrize(("mode", "labels"), [("fine", FINE), ("coarse", COARSE)])
def test_both_kinds_of_labels(tmp_path, write, mode, labels):
    found = cifar100.load_data(mode, write(tmp_path / "a"))
    for (x, y), part in zip(found, COUNTS, strict=True):
        np.testing.assert_array_equal(x, PIXELS[part].transpose(0, 2, 3, 1))
        assert y.dtype == np.uint8 and y.tolist() == [[one] for one in labels[part]]


def test_wrong_files(tmp_path):
    folder = write_binary(tmp_path / "a")
    with pytest.raises(ArgumentError, match="label_mode"):
        cifar100.load_data("medium", folder)
    (folder / "test.bin").write_bytes(bytes(100))
    with pytest.raises(TruncatedError, match="records of 3074 bytes"):
        cifar100.load_data("fine", folder)
    batch = {"data": np.zeros((1, 3072), np.uint8), "fine_labels": [100]}
    for part in COUNTS:
        (folder / part).write_bytes(pickle.dumps(batch, 2))
    with pytest.raises(FormatError, match=r"one label in 0\.\.\.99"):
        cifar100.load_data("fine", folder)
    with pytest.raises(FormatError, match="has no 'coarse_labels'"):
        cifar100.load_data("coarse", folder)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        archive.add(folder / "train", "train")
    with pytest.raises(FormatError, match="test not in it"):
        cifar100.load_data("fine", tmp_path / "b.tar")
