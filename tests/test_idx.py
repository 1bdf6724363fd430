"""IDX files: all types are read back, and all kinds of wrong files are refused."""

from __future__ import annotations

import gzip
import lzma
import os
import random
import struct
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import parse_idx, read_idx, read_labeled_images
from minicnn.data.idx import TYPES
from minicnn.errors import DTypeError, FormatError, SizeLimitError, TruncatedError

PACKERS = {"plain": bytes, "gzip": lambda data: gzip.compress(data, mtime=0), "xz": lzma.compress}
every_packing = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())


def idx(array, *, kind=None, shape=None):
    """Return the IDX file of an array; `kind` and `shape` may be wrong."""
    array = np.asarray(array)
    kind = kind or next(k for k, name in TYPES.items() if np.dtype(name) == array.dtype)
    shape = array.shape if shape is None else shape
    return (
        bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()
    )


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)
GOOD = idx(IMAGES)


@every_packing
@pytest.mark.parametrize("dtype", TYPES.values())
def test_every_type_comes_back(pack, dtype, tmp_path):
    array = np.random.default_rng(1).integers(-100, 100, (3, 2, 2)).astype(dtype)
    path = tmp_path / "a.idx"  # packed or not: the content says so, not the name
    path.write_bytes(pack(idx(array)))

    found = read_idx(path)

    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    assert found.flags.writeable and found.flags.c_contiguous


def test_hand_made_bytes():
    data = bytes.fromhex("00 00 0b 02  00 00 00 02  00 00 00 01  ff fe  01 00")
    np.testing.assert_array_equal(parse_idx(data), [[-2], [256]])


def test_no_images_are_images_too():
    assert parse_idx(idx(np.zeros((0, 28, 28), np.uint8))).shape == (0, 28, 28)


WRONG = {
    "empty": (b"", TruncatedError, "ends after 0 bytes"),
    "half-a-magic": (GOOD[:3], TruncatedError, "ends after 3 bytes"),
    "half-a-header": (GOOD[:9], TruncatedError, "ends after 9 bytes; the header of 3 axes has 16"),
    "no-idx": (b"\x89PNG" + GOOD, FormatError, "begins with 89 50 4e 47"),
    "little-endian-magic": (b"\x03\x08\0\0" + GOOD[4:], FormatError, "begins with 03 08 00 00"),
    "unknown-type": (b"\0\0\x0a\x03" + GOOD[4:], FormatError, "begins with 00 00 0a 03"),
    "no-axes": (b"\0\0\x08\0" + GOOD[4:], FormatError, "1 to 8 axes"),
    "255-axes": (b"\0\0\x08\xff" + bytes(1020), FormatError, "1 to 8 axes"),
    "one-byte-short": (GOOD[:-1], TruncatedError, "needs 76 bytes, the file ends after 75"),
    "one-byte-long": (GOOD + b"!", FormatError, "needs 76 bytes, the file holds 77"),
    "more-images-declared": (idx(IMAGES, shape=(6, 4, 3)), TruncatedError, "needs 88 .* after 76"),
    "fewer-images-declared": (idx(IMAGES, shape=(4, 4, 3)), FormatError, "needs 64 .* holds 76"),
    "empty-axis-inside": (idx([], kind=8, shape=(5, 0, 3)), FormatError, "only the first axis"),
    "beyond-2-gib": (idx([], kind=8, shape=(2**31, 2)), SizeLimitError, "4,294,967,308 bytes"),
    "product-beyond-64-bits": (idx([], kind=14, shape=(2**32 - 1,) * 8), SizeLimitError, "bytes"),
    "gzip-of-nothing": (gzip.compress(b""), TruncatedError, "ends after 0 bytes"),
    "gzip-short": (gzip.compress(GOOD)[:-9], TruncatedError, "bytes unpacked"),
    "gzip-of-short": (gzip.compress(GOOD[:-1]), TruncatedError, "needs 76 .* ends after 75"),
    "gzip-of-long": (gzip.compress(GOOD + b"!!"), FormatError, "needs 76 bytes, the file holds 77"),
    "gzip-twice": (gzip.compress(GOOD) * 2, FormatError, "after the end of its compressed data"),
    "gzip-in-gzip": (gzip.compress(gzip.compress(GOOD)), FormatError, "begins with 1f 8b"),
    "gzip-wrong-sum": (gzip.compress(GOOD)[:-8] + bytes(8), FormatError, "cannot be unpacked"),
    "xz-short": (lzma.compress(GOOD)[:-1], TruncatedError, "bytes unpacked"),
    "xz-and-more": (lzma.compress(GOOD) + b"more", FormatError, "4 bytes after the end"),
    "xz-damaged": (lzma.compress(GOOD)[:-40] + bytes(40), FormatError, "cannot be unpacked"),
    "gzip-bomb": (gzip.compress(idx([], kind=8, shape=(65 << 20,))), SizeLimitError, "68,157,448"),
}


def test_text_is_no_file():
    with pytest.raises(DTypeError, match="the bytes of a file; got str"):
        parse_idx("train.idx")


@pytest.mark.parametrize(("data", "error", "text"), WRONG.values(), ids=WRONG.keys())
def test_wrong_files_are_refused(data, error, text, tmp_path):
    path = tmp_path / "wrong.idx"
    path.write_bytes(data)
    with pytest.raises(error, match=text) as caught:
        read_idx(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 300 + len(str(path))


def test_a_bomb_is_not_unpacked_beyond_what_its_header_declares():
    bomb = gzip.compress(GOOD + bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="needs 76 bytes, the file holds 77"):
            parse_idx(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_xz_may_not_ask_for_gigabytes_to_unpack():
    greedy = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(GOOD, filters=greedy))
    # Block header at 12: size, flags, filter id, its size, and the dictionary's size as a code.
    assert data[14] == 0x21
    data[16] = 40  # 4 GiB - 1
    length = (data[12] + 1) * 4
    data[12 + length - 4 : 12 + length] = struct.pack("<I", zlib.crc32(data[12 : 12 + length - 4]))
    with pytest.raises(FormatError, match="Memory usage limit"):
        parse_idx(bytes(data))


@every_packing
def test_every_truncation_is_noticed(pack):
    data = pack(GOOD)
    for length in range(len(data)):
        with pytest.raises(TruncatedError if pack is bytes else FormatError):
            parse_idx(data[:length])


@every_packing
def test_mutations_end_in_an_array_or_in_our_errors(pack):
    rng, data, refused = random.Random(0), pack(GOOD), 0
    for _ in range(3000):
        mutant = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(mutant))
            mutant[at : at + rng.choice((0, 1, 1, 1, 4))] = rng.randbytes(
                rng.choice((0, 1, 1, 1, 4))
            )
        try:
            assert isinstance(parse_idx(bytes(mutant)), np.ndarray)
        except (FormatError, SizeLimitError):
            refused += 1
    # A plain file has no checksum, so many of its mutants are valid files as well.
    assert refused > (500 if pack is bytes else 2500)


@given(
    st.binary(max_size=200), st.sampled_from([b"", GOOD[:4], GOOD[:16], b"\x1f\x8b", b"\xfd7zXZ\0"])
)
def test_any_bytes_end_in_an_array_or_in_our_errors(data, start):
    with suppress(FormatError, SizeLimitError):
        assert parse_idx(start + data).nbytes <= len(data) + 12


def test_images_and_labels_must_agree(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(GOOD)
    labels.write_bytes(idx(np.arange(5, dtype=np.uint8)))
    x, y = read_labeled_images(images, labels)
    np.testing.assert_array_equal(x, IMAGES)
    np.testing.assert_array_equal(y, range(5))

    labels.write_bytes(idx(np.arange(4, dtype=np.uint8)))
    with pytest.raises(FormatError, match=r"labels: has 4 labels for the 5 images of .*images"):
        read_labeled_images(images, labels)
    with pytest.raises(
        FormatError, match=r"labels: must hold uint8 .* N, H, W; it holds uint8 \(4,\)"
    ):
        read_labeled_images(labels, images)
    labels.write_bytes(idx(np.arange(5, dtype=">i4")))
    with pytest.raises(FormatError, match=r"labels: must hold uint8 .* it holds int32"):
        read_labeled_images(images, labels)


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        read_idx(tmp_path)
    with pytest.raises(FormatError, match="device"):
        read_idx("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="pipe"):  # and no waiting for a writer
        read_idx(tmp_path / "pipe")
