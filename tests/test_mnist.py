"""MNIST inside the package, complete and unchanged, and other files of the same format."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from minicnn.data import idx
from minicnn.datasets import mnist
from minicnn.errors import ChecksumError, FormatError, TruncatedError

COUNTS = {  # how often each digit is there, as the literature has it
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}
MEAN, STD = 0.1307, 0.3081  # of the training images in 0...1: the usual values


@pytest.fixture(scope="module")
def digits():
    return mnist.load_data()


@pytest.fixture
def folder(tmp_path):
    """Make a folder with small files of the four names."""
    for kind, n in (("train", 7), ("t10k", 3)):
        shape = bytes([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2])
        (tmp_path / f"{kind}-images-idx3-ubyte").write_bytes(shape + bytes(range(4 * n)))
        (tmp_path / f"{kind}-labels-idx1-ubyte").write_bytes(
            shape[:3] + bytes([1, 0, 0, 0, n, *range(n)])
        )
    return tmp_path


def test_shapes_and_types(digits):
    (x_train, y_train), (x_test, y_test) = digits
    assert (x_train.shape, y_train.shape) == ((60_000, 28, 28), (60_000,))
    assert (x_test.shape, y_test.shape) == ((10_000, 28, 28), (10_000,))
    assert {a.dtype for pair in digits for a in pair} == {np.dtype(np.uint8)}
    assert all(a.flags.writeable and a.flags.c_contiguous for pair in digits for a in pair)


def test_the_digits_are_the_published_ones(digits):
    (x_train, y_train), (_, y_test) = digits
    assert np.bincount(y_train).tolist() == COUNTS["train"]
    assert np.bincount(y_test).tolist() == COUNTS["test"]
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert round(x_train.mean() / 255, 4) == MEAN and round(x_train.std() / 255, 4) == STD


def test_the_content_is_that_of_the_published_files(digits):
    published = {  # SHA-256 of the unpacked files, headers included
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
    files = [
        lzma.decompress((mnist.PACKAGED / f"{name}.xz").read_bytes()) for name in mnist.DIGESTS
    ]
    assert {hashlib.sha256(content).hexdigest() for content in files} == published
    for content, array in zip(files, [a for pair in digits for a in pair], strict=True):
        assert content.endswith(array.tobytes())


def test_the_package_stays_small():
    assert sum(path.stat().st_size for path in mnist.PACKAGED.iterdir()) < 9_200_000


def test_loading_unpacks_every_byte_once_and_the_two_large_files_side_by_side(monkeypatch):
    """Unpacking is nearly all of the work of loading; the headers are looked at first."""
    unpacked, together, decompressor = [], threading.Barrier(2), lzma.LZMADecompressor

    class Counted:
        def __init__(self, *arguments, **options):
            self._inner = decompressor(*arguments, **options)

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def decompress(self, data, max_length):
            if max_length > 1_000_000:
                together.wait()  # for ever, if one file is unpacked after the other
            unpacked.append(self._inner.decompress(data, max_length))
            return unpacked[-1]

    monkeypatch.setattr(lzma, "LZMADecompressor", Counted)
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    arrays = sum(array.nbytes for array in (x_train, y_train, x_test, y_test))
    headers = 2 * (16 + 8)
    looks = 4 * idx.MAX_HEADER
    assert arrays + headers <= sum(map(len, unpacked)) <= arrays + headers + looks


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    copy = shutil.copytree(mnist.PACKAGED, tmp_path / "files")
    labels = copy / "t10k-labels-idx1-ubyte.xz"
    content = bytearray(labels.read_bytes())
    content[1000] ^= 1
    labels.write_bytes(content)
    monkeypatch.setattr(mnist, "PACKAGED", copy)
    with pytest.raises(ChecksumError, match=r"SHA-256 .*, not 587e1a086baf.*--force-reinstall"):
        mnist.load_data()


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
@pytest.mark.parametrize("dash", ["-idx", ".idx"])
def test_own_files(folder, ending, dash):
    pack = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[ending]
    for path in list(folder.iterdir()):
        (folder / (path.name.replace("-idx", dash) + ending)).write_bytes(pack(path.read_bytes()))
        if ending or dash == ".idx":
            path.unlink()

    (x_train, y_train), (x_test, y_test) = mnist.load_data(str(folder))

    np.testing.assert_array_equal(x_train, np.arange(28).reshape(7, 2, 2))
    np.testing.assert_array_equal(x_test, np.arange(12).reshape(3, 2, 2))
    assert (y_train.tolist(), y_test.tolist()) == ([*range(7)], [*range(3)])


def test_own_files_that_do_not_fit(folder):
    train, test = folder / "train-labels-idx1-ubyte", folder / "t10k-labels-idx1-ubyte"
    whole = train.read_bytes()
    train.write_bytes(test.read_bytes())
    with pytest.raises(FormatError, match="has 3 labels for the 7 images"):
        mnist.load_data(folder)
    train.write_bytes(whole[:-1])
    with pytest.raises(TruncatedError, match="needs 15 bytes, the file ends after 14"):
        mnist.load_data(folder)
    train.unlink()
    with pytest.raises(FileNotFoundError, match=r"no train-labels-idx1-ubyte, with or .* \.gz or"):
        mnist.load_data(folder)
    with pytest.raises(FileNotFoundError):
        mnist.load_data(folder / "absent")


def test_the_published_archives_say_the_same(digits):
    source = Path(os.environ.get("MINICNN_DATA", "absent")) / "mnist"
    if not source.is_dir():
        pytest.skip("MINICNN_DATA has no folder mnist")
    for ours, theirs in zip(digits, mnist.load_data(source), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
