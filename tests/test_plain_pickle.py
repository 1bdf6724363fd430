"""The safe pickle reader: what it reads, what it refuses, and its limits."""

from __future__ import annotations

import pickle
import pickletools
import struct
import tracemalloc

import numpy as np
import pytest

from minicnn.data import plain_pickle
from minicnn.data.plain_pickle import loads
from minicnn.errors import FormatError, SizeLimitError, UnsafeFileError

DTYPE = (
    b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
UNBUILT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"


def text(length):
    return b"X" + struct.pack("<I", length) + b"a" * length


def put(place):
    return b"r" + struct.pack("<I", place)


def get(place):
    return b"j" + struct.pack("<I", place)


class NeverCopied(dict):
    """A memo that fails if it is iterated over."""

    def items(self):
        raise AssertionError("the memo was gone through")

    __iter__ = keys = values = items


def test_a_state_changes_one_place_of_the_memo_and_copies_nothing():
    """Every array's state copied the whole memo: 275 kB took 19 seconds."""
    data = b"(" + b"".join(b"N" + put(i) for i in range(1000)) + (DTYPE + put(5)) * 1000 + b"t."
    machine = plain_pickle.Machine("x", 1 << 30)
    machine.memo = NeverCopied()
    for opcode, argument, _ in pickletools.genops(data):
        machine.step(opcode.name, argument)
    assert len(machine.memo) == 1000 and machine.result()[-1] == np.dtype("u1")


MIB = 1 << 20
ARRAY_OF_A_TEXT = (
    UNBUILT + b"(K\x01J" + struct.pack("<i", MIB) + b"\x85" + get(1) + b"\x89" + get(0) + b"tb"
)


@pytest.mark.parametrize(
    "repeated",
    [ARRAY_OF_A_TEXT, b"c_codecs\nencode\n" + get(0) + b"X\6\0\0\0latin1\x86R", b"]", b"}"],
    ids=["arrays", "encoded", "lists", "dictionaries"],
)
def test_what_a_pickle_unfolds_to_is_bounded(repeated, monkeypatch):
    """4 MB made 3.4 GB: a thousand copies of what it held once."""
    monkeypatch.setattr(plain_pickle, "ALWAYS_ALLOWED", 8 * MIB)
    monkeypatch.setattr(plain_pickle, "MAX_GROWTH", 2)
    data = b"(" + text(MIB) + put(0) + DTYPE + put(1) + repeated * 200_000 + b"l."
    most = max(8 * MIB, 2 * len(data))
    tracemalloc.start()
    with pytest.raises(SizeLimitError, match=rf"^batch: unfolds to more than {most:,} bytes"):
        loads(data, "batch")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most + 4 * MIB


def test_the_limits_of_a_real_file():
    """An official batch holds 30,000 objects and unfolds to twice its size."""
    labels, names = list(range(10)) * 1000, [f"picture_{i:06}.png" for i in range(10_000)]
    data = np.zeros((10_000, 3072), np.uint8)
    held = pickle.dumps({"data": data, "labels": labels, "filenames": names}, 2)
    assert loads(held)["data"].shape == data.shape
    assert plain_pickle.ALWAYS_ALLOWED == 64 * MIB and plain_pickle.MAX_GROWTH == 20


def test_a_program_of_a_million_instructions_is_refused(monkeypatch):
    monkeypatch.setattr(plain_pickle, "MAX_INSTRUCTIONS", 1000)
    assert loads(b"(" + b"N" * 990 + b"l.") == [None] * 990
    with pytest.raises(SizeLimitError, match="more than 1,000 instructions"):
        loads(b"(" + b"N" * 2000 + b"l.")


def test_numbers_that_dictionaries_compare_one_by_one_are_not_taken():
    """Multiples of 2^61 - 1 have the hash 0 in Python: each is compared with all before it."""
    number = lambda i: b"\x8a\x0b" + (i * (2**61 - 1)).to_bytes(11, "little")  # noqa: E731
    keys = b"}(" + b"".join(number(i) + b"N" for i in range(2000)) + b"u."
    with pytest.raises(SizeLimitError, match="more than 1,000 keys"):
        loads(keys)
    with pytest.raises(FormatError, match="stored in the memo under a key beyond 1,000,000"):
        loads(b"Np%d\n." % (2**61 - 1))
    with pytest.raises(FormatError, match="stored in the memo under a key beyond"):
        loads(b"Np-1\n.")


SHARED = b"".join(put(i) + get(i) + b"\x86" for i in range(64))  # 2 to the power of 64 leaves


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"]" + SHARED + get(63) + b"\x93.", FormatError, "a name is not a string"),
        (UNBUILT + b".", FormatError, "an array has no data"),
        (b"]" + UNBUILT + b"a.", FormatError, "an array has no data"),
        (UNBUILT + put(0) + get(0) + b"\x86.", FormatError, "used before it has its data"),
        (DTYPE.replace(b"|", b"|=") .replace(b"U\x01|=", b"U\x02|=") + b".", FormatError, "dtype"),
        (DTYPE.replace(b"u1", b"O8") + b".", FormatError, "a dtype is not numeric"),
        (b"cnumpy\nndarray\n)R.", FormatError, "type of arrays is built in another way"),
        (b"cos\nsystem\n.", UnsafeFileError, r"asks for os\.system"),
        (b"I" + b"9" * 5000 + b"\n.", FormatError, "not a pickle"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_refused_with_its_reason(data, error, message):
    with pytest.raises(error, match=message) as caught:
        loads(data, "batch")
    assert type(caught.value) is error


@pytest.mark.parametrize("shape", [(-1,), (2**70,), (3.0,), [4], (2,), (0, 2**31 - 1), (4,) * 40])
def test_a_shape_that_the_numbers_do_not_fill_is_refused(shape):
    good = pickle.dumps(np.zeros(4, np.uint8), 2)
    assert good.count(b"K\x01K\x04\x85") == 1
    inner = pickle.dumps(shape, 2)[2:-1]
    with pytest.raises(FormatError, match=r"shape|axes"):
        loads(good.replace(b"K\x01K\x04\x85", b"K\x01" + inner))


@pytest.mark.parametrize("shape", [(0,), (0, 3072), (), (1, 0, 2)])
@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
def test_empty_arrays_and_single_numbers_come_back(shape, protocol):
    back = loads(pickle.dumps(np.zeros(shape, np.int16), protocol))
    assert back.shape == shape and back.dtype == np.int16
