"""Tar archives: the same files as Python's module finds, and hostile archives are refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from minicnn.data import unpacking
from minicnn.data.tar import BLOCK, members
from minicnn.datasets import cifar10
from minicnn.errors import FormatError, SizeLimitError, TruncatedError, UnsupportedError

MIB = 1 << 20
PACKINGS = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
FILES = {
    "a.txt": b"hello",
    "empty": b"",
    "one block": bytes(512),
    "folder/" * 20 + "b.bin": bytes(range(256)) * 5,
    "long" * 60: b"1",
    "folder-" * 10 + "/" + "long" * 40: b"2",
    "täxt/ß.png": b"3" * 1025,
}


def archive_of(files, format=tarfile.GNU_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def header(name=b"a", size=0, kind=b"0", *, size_field=None):
    """Return a header with the right checksum; its other fields may be wrong."""
    field = b"%011o\0" % size if size_field is None else size_field
    block = bytearray(name[:100].ljust(100, b"\0") + b"0000644\0" * 3 + field + b"0" * 12)
    block += b" " * 8 + kind
    block += b"\0" * (BLOCK - len(block))
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def filled(content):
    return content + bytes(-len(content) % BLOCK)


def attributes(content, kind=b"x"):
    return header(b"pax", len(content), kind) + filled(content)


def line(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 2
    while len(rest) + len(str(length)) != length:
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


END = bytes(2 * BLOCK)


def read(data, path):
    path.write_bytes(data)
    with path.open("rb") as file:
        return {member.name: member.read() for member in members(file, path)}


# --- archives as programs write them ------------------------------------------------------------


@pytest.mark.parametrize("packing", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize(
    "format",
    [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT],
    ids=["gnu", "pax", "ustar"],
)
def test_all_files_come_back(tmp_path, format, packing):
    files = {
        name: FILES[name] for name in FILES if format != tarfile.USTAR_FORMAT or "long" not in name
    }
    assert read(packing(archive_of(files, format)), tmp_path / "x") == files


def test_what_is_no_file_is_passed_over(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"a" * 600)
    (tmp_path / "folder" / "hard").hardlink_to(tmp_path / "folder" / "a")
    (tmp_path / "folder" / "soft").symlink_to("/etc/passwd")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(tmp_path / "folder", "folder")
    found = read((tmp_path / "x.tar").read_bytes(), tmp_path / "y")
    assert len(found) == 1 and set(found.values()) == {b"a" * 600}


def test_content_that_is_not_read_is_passed_over(tmp_path):
    (tmp_path / "x").write_bytes(archive_of(FILES))
    with (tmp_path / "x").open("rb") as file:
        assert [member.name for member in members(file, "x")] == list(FILES)


def test_two_packed_files_one_behind_the_other_are_one(tmp_path):
    data = archive_of(FILES)
    packed = gzip.compress(data[:3000]) + gzip.compress(data[3000:]) + bytes(100)
    assert read(packed, tmp_path / "x") == FILES


def test_the_size_among_the_attributes_counts(tmp_path):
    data = attributes(line(b"path", b"new") + line(b"size", b"600")) + header(b"old", 7)
    assert read(data + filled(b"x" * 600) + END, tmp_path / "x") == {"new": b"x" * 600}


def test_large_sizes_are_written_as_bytes(tmp_path):
    field = b"\x80" + (3).to_bytes(11, "big")
    assert read(header(b"a", size_field=field) + filled(b"abc") + END, tmp_path / "x") == {
        "a": b"abc"
    }


# --- archives that are cut or damaged -----------------------------------------------------------


@pytest.mark.parametrize("packing", PACKINGS.values(), ids=PACKINGS)
def test_an_archive_that_was_cut_is_refused_wherever(tmp_path, packing):
    files = {"a": bytes(range(200)) * 4, "b": b"2"}
    data = archive_of(files)
    data = packing(data[: data.index(END)] + END)
    last = BLOCK + 1 if packing is bytes else 1  # one block of zeros is an end too
    for length in {*range(0, len(data) - last, 37), len(data) - last}:
        with pytest.raises(FormatError, match=r"x(@\d+)?: "):
            read(data[:length], tmp_path / "x")


def test_a_damaged_header_is_refused(tmp_path):
    data = archive_of({"a": b"1", "b": b"2"})
    for at in range(2 * BLOCK, 2 * BLOCK + 300):
        if at - 2 * BLOCK in range(148, 156):
            continue
        damaged = bytearray(data)
        damaged[at] ^= 1
        with pytest.raises(FormatError, match="damaged"):
            read(bytes(damaged), tmp_path / "x")


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", TruncatedError, "not a complete tar archive"),
        (b"\xff" * BLOCK, FormatError, "is not a tar archive"),
        (b"P" * 2000, FormatError, "is not a tar archive"),
        (header(size_field=b"\xff" * 12), FormatError, "a header field is not a number"),
        (header(size_field=b"12345678901 "), FormatError, "a header field is not a number"),
        (header(size_field=b"\x80" + b"\xff" * 11) + END, SizeLimitError, "a file of 309,4"),
        (header(size=600) + bytes(600), TruncatedError, "ends 424 bytes before the end of a file"),
        (header(kind=b"S") + END, UnsupportedError, "sparse"),
        (header(kind=b"M") + END, UnsupportedError, "sparse"),
        (attributes(line(b"GNU.sparse.major", b"1")), UnsupportedError, "sparse"),
        (attributes(b"9" * 4000 + b" path=x\n"), FormatError, "the attributes of a file"),
        (attributes(b"0 path=x\n"), FormatError, "the attributes of a file"),
        (attributes(b"-9 path=x\n"), FormatError, "the attributes of a file"),
        (attributes(b"99 path=x\n"), FormatError, "the attributes of a file"),
        (attributes(b"7 path\n"), FormatError, "the attributes of a file"),
        (attributes(line(b"size", b"-1")), FormatError, "the attributes of a file"),
        (attributes(line(b"size", b"9" * 5000)), FormatError, "the attributes of a file"),
        (header(kind=b"L", size=5000) + filled(b"n" * 5000), SizeLimitError, "a name of 5,000"),
        (gzip.compress(b"x", mtime=0)[:-1] + b"?", FormatError, "cannot be unpacked"),
        (gzip.compress(header() + END, mtime=0) + b"rubbish", FormatError, "cannot be unpacked"),
        (b"BZh9" + b"?" * 100, FormatError, "cannot be unpacked"),
        (b"\xfd7zXZ\0" + b"?" * 100, FormatError, "cannot be unpacked"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_reason(tmp_path, data, error, message):
    with pytest.raises(error, match=message) as caught:
        read(data, tmp_path / "x")
    assert type(caught.value) is error


# --- archives made to do harm -------------------------------------------------------------------


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X"])
def test_a_header_of_gigabytes_is_not_read(tmp_path, kind):
    """A long-name header of zeros, packed into 9 MB, took 4.1 GB; attributes over 30 seconds."""
    (tmp_path / "x").write_bytes(gzip.compress(header(size=2**31, kind=kind) + bytes(8 * MIB)))
    text = r"a header of 2,147,483,648 bytes; at most 1,048,576"
    tracemalloc.start()
    with (tmp_path / "x").open("rb") as file, pytest.raises(SizeLimitError, match=text):
        next(members(file, "x"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MIB


def test_headers_before_headers_are_counted(tmp_path):
    """3,000 long names ended in a RecursionError."""
    long = header(b"L", 5, b"L") + filled(b"name\0")
    assert read(long * 4 + header() + END, tmp_path / "x") == {"name": b""}
    with pytest.raises(FormatError, match="more than 4 extension headers for one file"):
        read(long * 3000 + header() + END, tmp_path / "x")


def test_files_are_counted(tmp_path):
    with pytest.raises(SizeLimitError, match="more than 100,000 files and folders"):
        read(gzip.compress(header(kind=b"5") * 100_001), tmp_path / "x")


@pytest.mark.parametrize("packing", list(PACKINGS)[1:])
def test_what_is_unpacked_is_bounded(tmp_path, packing, monkeypatch):
    """The limit is 20 times the file, or 64 MiB; this test sets it to 1 MiB."""
    assert unpacking.ALWAYS_UNPACKED == 64 * MIB and unpacking.MAX_UNPACKING == 20
    monkeypatch.setattr(unpacking, "ALWAYS_UNPACKED", MIB)
    data = PACKINGS[packing](header(size=8 * MIB) + bytes(8 * MIB) + END)
    with pytest.raises(SizeLimitError, match="unpacks to more than 1,048,576 bytes"):
        read(data, tmp_path / "x")


def test_xz_may_not_ask_for_gigabytes_of_memory(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    data = lzma.compress(b"x", filters=filters)
    with pytest.raises(FormatError, match=r"cannot be unpacked .*[Mm]emory"):
        read(data, tmp_path / "x")


# --- images -----------------------------------------------------------------------------------


def png_declaring(width, height):
    """Return an image with a valid header and no content."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "png")
    data = bytearray(file.getvalue())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def image_archive(tmp_path, images):
    names = {f"x/train/cat/{i}.png": data for i, data in enumerate(images)}
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(archive_of(names)))
    return tmp_path / "x.tar.gz"


@pytest.mark.parametrize(
    ("size", "count", "decoded"), [((7_000, 7_000), 500, 0), ((1000, 1000), 300, 245)]
)
def test_pixels_are_counted_before_they_are_decoded(tmp_path, monkeypatch, size, count, decoded):
    """500 images of many megapixels, in 14 kB, took over a minute."""
    calls = []
    blank = np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(cifar10, "decode", lambda *_: calls.append(1) or blank)
    path = image_archive(tmp_path, [png_declaring(*size)] * count)
    with pytest.raises(SizeLimitError, match=f"has an image of {size[0] * size[1]:,} pixels"):
        cifar10.load_data(path)
    assert len(calls) == decoded


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    """It was called "not a complete tar archive"."""
    path = image_archive(tmp_path, [b"not an image"])
    with pytest.raises(FormatError, match=r"'train/cat/0.png' cannot be read .it is not an im"):
        cifar10.load_data(path)


def test_a_file_too_large_for_an_image_or_a_batch_is_not_read(tmp_path):
    with pytest.raises(SizeLimitError, match=r"'0.png' has 5,242,880 bytes; at most 4,194"):
        cifar10.load_data(image_archive(tmp_path, [bytes(5 * MIB)]))
    (tmp_path / "x").write_bytes(header(b"data_batch_1.bin", 65 * MIB))
    with pytest.raises(SizeLimitError, match=r"'data_batch_1.bin' has 68,157,440 bytes"):
        cifar10.load_data(tmp_path / "x")


def test_a_batch_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(header(b"a/data_batch_1") + header(b"b/data_batch_1") + END)
    with pytest.raises(FormatError, match="holds data_batch_1 twice"):
        cifar10.load_data(tmp_path / "x")
