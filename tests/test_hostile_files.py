"""Model files that are cut, damaged or forged: each raises an error, and nothing else happens."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from museum import CONFIG, EXHIBITS, forge, make_good, one, rezip, tensors
from museum_files import FILES, journal
from watching import Watch, Work, check_message

from minicnn.errors import FormatError, MiniCNNError, SizeLimitError, TruncatedError
from minicnn.models.saving.archive import parse_archive, read_archive

OURS = (FormatError, SizeLimitError)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return make_good(tmp_path_factory.mktemp("good") / "good.mcnn")


# --- accidents --------------------------------------------------------------------------------


def test_truncation_at_every_byte(good):
    for length in range(len(good)):
        with pytest.raises(TruncatedError, match=r"ends (after|at byte) [\d,]+"):
            parse_archive(good[:length])


def test_one_flipped_bit_anywhere(good):
    rng = random.Random(0)
    bits = [*range(240), *rng.sample(range(8 * len(good)), 2000)]  # the whole first header, too
    for bit in bits:
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(OURS):
            parse_archive(bytes(damaged))


def test_every_byte_that_is_inserted_removed_or_changed(good):
    rng = random.Random(1)
    for at in range(len(good)):
        byte = bytes([good[at] ^ rng.randrange(1, 256)])
        for damaged in (
            good[:at] + byte + good[at:],
            good[:at] + good[at + 1 :],
            good[:at] + byte + good[at + 1 :],
        ):
            with pytest.raises(OURS):
                parse_archive(damaged)


EDIT = st.tuples(
    st.floats(0, 1),
    st.floats(0, 0.3),
    st.sampled_from(["cut", "copy", "zero", "write"]),
    st.binary(),
)


@settings(deadline=None, max_examples=300)
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_nothing_that_was_edited_is_accepted(good, edits):
    edited = good
    for where, length, kind, new in edits:
        begin = int(where * len(edited))
        end = begin + int(length * len(edited))
        part = {"cut": b"", "copy": edited[begin:end] * 2, "zero": bytes(end - begin), "write": new}
        edited = edited[:begin] + part[kind] + edited[end:]
    if edited != good:
        with pytest.raises(OURS):
            parse_archive(edited)


# --- forgeries --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.mark.parametrize(("make", "error", "text"), EXHIBITS.values(), ids=EXHIBITS.keys())
def test_the_museum(make, error, text, good, watch, tmp_path):
    path = tmp_path / "x.mcnn"
    path.write_bytes(make(good))
    with watch.watching() as heard, Work() as work, pytest.raises(OURS, match=text) as caught:
        read_archive(path)
    work.check(path.stat().st_size)
    assert type(caught.value) is error
    check_message(caught.value, path)
    assert str(caught.value).isascii()
    # That one file was opened, nothing else happened. A number is a file that is open already.
    assert [what for what in heard if not isinstance(what[1], int)] == [("open", str(path))]


@pytest.fixture(scope="module")
def _readers_in_use(tmp_path_factory):
    """Read files once, so that late imports happen before the hook listens."""
    "".encode("cp437")  # the names in zip files
    for name in ("minicnn.interop.onnx.files", "onnx"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    path = tmp_path_factory.mktemp("first") / "x"
    for reader in {reader for reader, _, _ in FILES.values()}:
        path.write_bytes(b"nothing, and no JSON")
        with contextlib.suppress(MiniCNNError):
            reader(path)


@pytest.mark.usefixtures("_readers_in_use")
@pytest.mark.parametrize(("reader", "make", "text"), FILES.values(), ids=FILES.keys())
def test_the_museum_of_other_files(reader, make, text, watch, tmp_path):
    if reader is journal:
        pytest.importorskip("optuna")
    path = tmp_path / "x.mcnn"
    content = make(path)
    if content is not None:
        path.write_bytes(content)
    with watch.watching() as heard, Work() as work, pytest.raises(MiniCNNError) as caught:
        reader(path)
    work.check(len(content or b""))
    check_message(caught.value, tmp_path)
    assert re.search(text, caught.value.args[0])
    for event, what in heard:
        assert event == "open", (event, what)
        assert isinstance(what, int) or Path(os.fsdecode(what)).is_relative_to(tmp_path)


def test_the_watch_hears(watch):
    with watch.watching() as heard:
        compile("1", "<test>", "eval")
    assert [event for event, _ in heard] == ["compile"]


def test_the_museum_is_large_and_its_forger_is_able(good):
    assert len(EXHIBITS) + len(FILES) >= 120
    # What is forged without a lie is read, so each exhibit is refused for its own lie.
    assert rezip(good) == good
    honest = parse_archive(forge(good, {CONFIG: b'{"a": [[1e9]]}'}))
    assert honest.documents["config"] == {"a": [[1e9]]}
    honest = parse_archive(tensors(one(), struct.pack("<2f", 1, 2))(good))
    np.testing.assert_array_equal(honest.weights["a"], np.array([1, 2], np.float32))
