"""CIFAR-10 in all formats, with a few images, and damaged files."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from minicnn.data.plain_pickle import loads
from minicnn.datasets import cifar10
from minicnn.errors import FormatError, TruncatedError, UnsafeFileError

FILES = [*cifar10.TRAINING, cifar10.TEST]


def make_images(count, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return x, rng.integers(0, 10, count, dtype=np.uint8)


PARTS = {name: make_images(3, seed) for seed, name in enumerate(FILES)}


def rows_of(x):
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def write_binary(folder):
    folder.mkdir(parents=True)
    for name, (x, y) in PARTS.items():
        (folder / f"{name}.bin").write_bytes(np.hstack([y[:, None], rows_of(x)]).tobytes())
    return folder


def write_pickles(folder, protocol=2):
    folder.mkdir(parents=True)
    for name, (x, y) in PARTS.items():
        batch = {"batch_label": name, "labels": y.tolist(), "data": rows_of(x), "filenames": ["a"]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol))
    return folder


def write_images(folder):
    for part, names in (("train", FILES[:5]), ("test", FILES[5:])):
        for name in names:
            for i, (x, y) in enumerate(zip(*PARTS[name], strict=True)):
                path = folder / part / cifar10.CLASS_NAMES[y] / f"{name}{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(x).save(path)
        for name in cifar10.CLASS_NAMES:
            (folder / part / name).mkdir(exist_ok=True)
    return folder


def assert_is_all(found, *, in_order=True):
    for (x, y), names in zip(found, (FILES[:5], FILES[5:]), strict=True):
        wanted = np.concatenate([PARTS[name][0] for name in names])
        labels = np.concatenate([PARTS[name][1] for name in names])
        if not in_order:
            assert y.ravel().tolist() == sorted(labels)
            rows = np.argsort(labels, kind="stable")
            wanted, labels = wanted[rows], labels[rows]
        assert x.dtype == y.dtype == np.uint8
        np.testing.assert_array_equal(x, wanted)
        np.testing.assert_array_equal(y, labels[:, None])


def packed(folder, path, mode):
    with tarfile.open(path, mode) as archive:
        archive.add(folder, folder.name)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickled_batches(tmp_path, protocol):
    assert_is_all(cifar10.load_data(write_pickles(tmp_path / "a", protocol)))


def test_binary_batches_found_in_a_folder_of_data(tmp_path, monkeypatch):
    write_binary(tmp_path / "cifar-10-batches-bin")
    assert_is_all(cifar10.load_data(tmp_path))
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path))
    assert_is_all(cifar10.load_data())


@pytest.mark.filterwarnings("ignore:.*classes have no images")
def test_folders_of_images(tmp_path):
    assert_is_all(cifar10.load_data(write_images(tmp_path)), in_order=False)


@pytest.mark.parametrize("write", [write_binary, write_pickles, write_images])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archives(tmp_path, write, mode):
    archive = packed(write(tmp_path / "cifar10"), tmp_path / "archive", mode)
    assert_is_all(cifar10.load_data(archive), in_order=write is not write_images)


def test_the_texts_of_python_2(tmp_path):
    """The official files: there the bytes of an array are a string of Python 2."""
    data = b"\x80\x02}(U\x06labels]K\x07aU\x04datacnumpy.core.multiarray\n_reconstruct\n"
    data += b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01K\x03\x86cnumpy\ndtype\nU\x02u1K\x00"
    data += b"K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data += b"\x89U\x03\x00\xfe\xfftbu."
    found = loads(data)
    assert found["labels"] == [7]
    np.testing.assert_array_equal(found["data"], np.array([[0, 254, 255]], np.uint8))


# --- files that are wrong -----------------------------------------------------------------------


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("MINICNN_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="MINICNN_DATA"):
        cifar10.load_data()
    with pytest.raises(FileNotFoundError, match="no CIFAR-10: not here"):
        cifar10.load_data(tmp_path)
    (write_binary(tmp_path / "a") / "test_batch.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"without test_batch.bin"):
        cifar10.load_data(tmp_path / "a")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data[:-1], TruncatedError),
        (lambda data: b"", TruncatedError),
        (lambda data: b"\x0a" + data[1:], FormatError),
    ],
)
def test_wrong_binary_batches(tmp_path, change, error):
    file = write_binary(tmp_path / "a") / "data_batch_3.bin"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(error, match="data_batch_3"):
        cifar10.load_data(tmp_path / "a")


@pytest.mark.parametrize(
    "batch",
    [[1], {"data": 1}, {"data": [1], "labels": [1]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [10]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": ["a"]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": ["1"]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [b"1"]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [1.7]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [1.0]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [True]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [[1]]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [10**400]},
     {"data": np.zeros((1, 3072), np.uint8), "labels": "1"},
     {"data": np.zeros((1, 3072), np.uint8), "labels": b"\x01"},
     {"data": np.zeros((1, 3072), np.uint8), "labels": np.array([1.7])},
     {"data": np.zeros((1, 3072), np.uint8), "labels": np.array([[1]])},
     {b"\xff\xfe": 1, b"\x80": 2},
     {"data": np.zeros((0, 3072), np.uint8), "labels": []},
     {"data": np.zeros((1, 3072), np.uint8), "labels": [0, 1]},
     {"data": np.zeros((1, 3071), np.uint8), "labels": [0]},
     {"data": np.zeros((1, 3072), np.int8), "labels": [0]}],
    ids=str,
)  # fmt: skip
def test_wrong_pickled_batches(tmp_path, batch):
    file = write_pickles(tmp_path / "a") / "test_batch"
    file.write_bytes(pickle.dumps(batch))
    with pytest.raises(FormatError, match="test_batch"):
        cifar10.load_data(tmp_path / "a")


@pytest.mark.parametrize("labels", [[3], np.array([3]), np.array([3], np.uint8)], ids=repr)
@pytest.mark.parametrize("keys", [("data", "labels"), (b"data", b"labels")], ids=str)
def test_labels_are_a_list_or_an_array_under_a_text_or_its_bytes(tmp_path, labels, keys):
    file = write_pickles(tmp_path / "a") / "test_batch"
    batch = dict(zip(keys, (np.zeros((1, 3072), np.uint8), labels), strict=True))
    file.write_bytes(pickle.dumps({**batch, b"\xff": "no text in UTF-8"}))
    _, (x, y) = cifar10.load_data(tmp_path / "a")
    assert x.shape == (1, 32, 32, 3) and y.tolist() == [[3]] and y.dtype == np.uint8


def test_wrong_archives(tmp_path):
    good = packed(write_binary(tmp_path / "a"), tmp_path / "a.tar.xz", "w:xz").read_bytes()
    for data in (b"", b"no archive", good[: len(good) // 2]):
        (tmp_path / "b").write_bytes(data)
        with pytest.raises(FormatError):
            cifar10.load_data(tmp_path / "b")


# --- pickles ------------------------------------------------------------------------------------


class Evil:
    def __reduce__(self):
        return os.system, ("echo evil > /tmp/evil",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [Evil(), {"data": [Evil()]}, np.array([Evil()], object), complex(1, 2), {1, 2}, Evil]
)
def test_nothing_but_data_is_made(value, protocol):
    with pytest.raises((UnsafeFileError, FormatError)):
        loads(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_data_comes_back(protocol):
    shared = [1, 2]
    value = {"a": shared, b"b": (shared, None, True, 1.5), 3: ["ä", b"\xff", -(2**40), {}, ()]}
    assert loads(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", "i8", ">i4", "f4", ">f8"])
def test_arrays_come_back(dtype, order):
    array = np.arange(6).reshape(2, 3).astype(dtype, order=order)
    back = loads(pickle.dumps([array, array], protocol=2))
    np.testing.assert_array_equal(back[0], array)
    assert back[0] is back[1] and back[0].dtype == array.dtype.newbyteorder("=")


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_a_damaged_pickle_is_an_error_and_nothing_else():
    good = pickle.dumps({"data": np.arange(50, dtype=np.uint8), "labels": list(range(9))}, 2)
    rng = np.random.default_rng(0)
    for _ in range(3000):
        data = bytearray(good[: rng.integers(1, len(good) + 1)])
        for place in rng.integers(0, len(data), rng.integers(0, 4)):
            data[place] = rng.integers(0, 256)
        with contextlib.suppress(FormatError, UnsafeFileError):
            loads(bytes(data))


def test_keys_must_be_cheap_to_compare():
    """Nested tuples, which take 2^64 comparisons."""
    nested = ()
    for _ in range(64):
        nested = (nested, nested)
    file = io.BytesIO()
    pickle.Pickler(file, 2).dump([nested])
    inner = file.getvalue()[2:-1]
    with pytest.raises(FormatError, match="keys"):
        loads(b"\x80\x02}" + inner + b"K\x01s.")
