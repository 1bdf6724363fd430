"""`.mcnn` files: they return what was written, byte for byte, and no write loses a file."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
import threading
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DTypeError, SizeLimitError
from minicnn.models.saving.archive import (
    container,
    documents,
    parse_archive,
    read_archive,
    write_archive,
)
from minicnn.models.saving.archive.tensors import DTYPES
from minicnn.support import atomic_files
from minicnn.support.atomic_files import write_atomically
from minicnn.version import __version__

WEIGHTS = {
    "conv/kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "größe/1": np.array([np.nan, -0.0, np.inf], np.float32),
}
DOCUMENTS = {
    "config": {"layers": [{"class": "Conv2D", "strides": [1, 1]}, None, True, 1e-7]},
    "classes": ["Katze", "zażółć", "\N{CAT FACE}", "\udcff"],
    "history": {"loss": [2.5, 0.1], "accuracy": []},
    "metadata": {"seed": 777},
}
ARRAYS = {"momentum": np.ones(5, np.float32)}
SAMPLES = {"features": np.zeros((2, 3), np.float16), "correct": np.array([True, False])}


def assert_same_arrays(found, wanted):
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("=")


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


# --- content ----------------------------------------------------------------------------------


def test_what_goes_in_comes_out(tmp_path):
    path = tmp_path / "a.mcnn"
    write_archive(path, WEIGHTS, DOCUMENTS, ARRAYS, SAMPLES)

    weights, found, arrays, samples = read_archive(path)

    assert_same_arrays(weights, WEIGHTS)
    assert_same_arrays(arrays, ARRAYS)
    assert_same_arrays(samples, SAMPLES)
    assert np.signbit(weights["größe/1"][1])  # -0 stays -0
    metadata = found.pop("metadata")
    assert found == {name: DOCUMENTS[name] for name in ("config", "classes", "history")}
    assert metadata["seed"] == 777 and metadata["format_version"] == 1
    assert metadata["minicnn_version"] == __version__
    assert files_in(tmp_path) == ["a.mcnn"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_comes_back(dtype, tmp_path):
    array = np.arange(-3, 3).astype(dtype).reshape(2, 3)
    cases = {
        "plain": array,
        "scalar": array[0, 0, ...],
        "empty": array[:0],
        "backwards": array[::-1, ::-2],
        "columns-first": np.asfortranarray(array),
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
        "read-only": np.broadcast_to(array, (2, 2, 3)),
    }
    write_archive(tmp_path / "a.mcnn", cases, {"config": {}})
    found = read_archive(tmp_path / "a.mcnn").weights
    assert_same_arrays(found, cases)
    assert all(found[name].shape == cases[name].shape for name in cases)
    assert all(a.flags.writeable and a.flags.c_contiguous for a in found.values())


def test_no_weights_and_no_arrays(tmp_path):
    write_archive(tmp_path / "a.mcnn", {}, {"config": []}, {})
    assert read_archive(tmp_path / "a.mcnn")[::2] == ({}, {})


def test_same_content_same_bytes(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    write_archive(first, WEIGHTS, DOCUMENTS, ARRAYS)
    write_archive(
        second, dict(reversed(WEIGHTS.items())), dict(reversed(DOCUMENTS.items())), ARRAYS
    )
    write_archive(third, *read_archive(first))  # written, read, written
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_any_zip_program_opens_it(tmp_path):
    write_archive(tmp_path / "a.mcnn", WEIGHTS, DOCUMENTS, ARRAYS)
    with zipfile.ZipFile(tmp_path / "a.mcnn") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "config.json",
            "weights.safetensors",
            "classes.json",
            "history.json",
            "training.safetensors",
            "metadata.json",
        ]
        assert json.loads(archive.read("config.json")) == DOCUMENTS["config"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_version_is_the_project_s():
    project = Path(__file__).parents[1] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == __version__


# --- what cannot be written -------------------------------------------------------------------

DEEP = []
for _ in range(documents.MAX_DEPTH - 1):
    DEEP = [DEEP]
ENDLESS = {}
ENDLESS["self"] = ENDLESS
OBJECT, LETTERS = np.array([print]), np.array(["a"])

REFUSED = {
    "no-config": ({}, {"classes": []}, ArgumentError, "must have 'config'.*got classes"),
    "unknown-document": ({}, {"config": {}, "code": {}}, ArgumentError, "got config, code"),
    "text": (
        {},
        {"config": "{}"},
        ArgumentError,
        r"\['config'\] must be a dict or a list; got str",
    ),
    "metadata-list": (
        {},
        {"config": {}, "metadata": []},
        ArgumentError,
        "must be a dict; got list",
    ),
    "nan": ({}, {"config": {"a": [1.0, math.nan]}}, ArgumentError, r"\['a'\]\[1\] is nan"),
    "infinity": ({}, {"config": {"a": -math.inf}}, ArgumentError, r"\['a'\] is -inf.*use None"),
    "huge-integer": ({}, {"config": [10**5000]}, ArgumentError, "at most 64 bits"),
    "integer-key": ({}, {"config": {"a": {1: 2}}}, ArgumentError, r"\['a'\] must have strings"),
    "numpy-number": ({}, {"config": [np.float32(1)]}, ArgumentError, r"\[0\] .*got float32"),
    "function": ({}, {"config": [print]}, ArgumentError, "got builtin_function_or_method"),
    "bytes": ({}, {"config": [b"x"]}, ArgumentError, "got bytes"),
    "too-deep": ({}, {"config": [DEEP]}, ArgumentError, "at most 64 deep"),
    "endless": ({}, {"config": ENDLESS}, ArgumentError, "at most 64 deep"),
    "too-long": (
        {},
        {"config": ["x" * (5 << 20)]},
        SizeLimitError,
        "bytes as JSON, over 4,194,304",
    ),
    "objects": ({"w": OBJECT}, {"config": {}}, DTypeError, r"weights\['w'\] .* got object"),
    "strings": ({"w": LETTERS}, {"config": {}}, DTypeError, r"weights\['w'\] .* got <U1"),
    "complex": ({"w": np.zeros(1, "c8")}, {"config": {}}, DTypeError, "got complex64"),
    "no-array": ({"w": [1.0]}, {"config": {}}, DTypeError, "got list"),
    "number-as-name": ({1: np.zeros(1)}, {"config": {}}, ArgumentError, "weights must have names"),
    "reserved-name": (
        {"__metadata__": np.zeros(1)},
        {"config": {}},
        ArgumentError,
        "must have names",
    ),
    "long-name": ({"é" * 513: np.zeros(1)}, {"config": {}}, ArgumentError, "of at most 1024 bytes"),
    "broken-name": ({"\udcff": np.zeros(1)}, {"config": {}}, ArgumentError, "must have names"),
}


@pytest.mark.parametrize(("weights", "docs", "error", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_file_cannot_hold_is_refused(weights, docs, error, text, tmp_path):
    path = tmp_path / "a.mcnn"
    path.write_bytes(b"the old file")
    with pytest.raises(error, match=text) as caught:
        write_archive(path, weights, docs)
    assert len(str(caught.value)) < 300
    assert path.read_bytes() == b"the old file" and files_in(tmp_path) == ["a.mcnn"]


def test_limits_are_those_of_the_reader(tmp_path):
    names = {"n" * 1024: np.zeros(1, np.uint8), "é" * 512: np.zeros(1, np.uint8)}
    write_archive(tmp_path / "a.mcnn", names, {"config": DEEP, "classes": [2**64 - 1, -(2**63)]})
    found = read_archive(tmp_path / "a.mcnn")
    assert found.weights.keys() == names.keys() and found.documents["config"] == DEEP

    many = dict.fromkeys(map(str, range(100_001)), np.zeros((), np.uint8))
    with pytest.raises(SizeLimitError, match="has 100,001 arrays; a file holds 100,000"):
        write_archive(tmp_path / "b.mcnn", many, {"config": {}})
    del many["0"]
    write_archive(tmp_path / "b.mcnn", many, {"config": {}})
    assert len(read_archive(tmp_path / "b.mcnn").weights) == 100_000


def test_more_than_a_zip_can_address_is_refused():
    class Huge(bytes):
        def __len__(self):
            return 2**32

    with pytest.raises(SizeLimitError, match=r"4,294,967,296 bytes; a \.mcnn file holds"):
        container.pack({"weights.safetensors": Huge()})


# --- never lost -------------------------------------------------------------------------------


class FaultySystem:
    """A stand-in for `os` whose `fail_at`-th call that reaches the disk raises `error`."""

    REACHING = ("open", "write", "fsync", "close", "read", "replace")

    def __init__(self, fail_at, error):
        self.fail_at, self.error, self.calls = fail_at, error, []

    def __getattr__(self, name):
        function = getattr(os, name)
        return self._counted(name, function) if name in self.REACHING else function

    def _counted(self, name, function):
        def call(*arguments, **keywords):
            self.calls.append(name)
            if len(self.calls) != self.fail_at:
                return function(*arguments, **keywords)
            if name == "close":
                function(*arguments)  # a close that fails has closed
            raise self.error

        return call


ERRORS = {
    "disk-full": OSError(errno.ENOSPC, "No space left on device"),
    "disk-broken": OSError(errno.EIO, "Input/output error"),
    "over-quota": OSError(errno.EDQUOT, "Quota exceeded"),
    "no-permission": PermissionError(errno.EACCES, "Permission denied"),
    "ctrl-c": KeyboardInterrupt(),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_a_fault_at_any_call_leaves_a_whole_file_and_nothing_else(error, tmp_path, monkeypatch):
    path, tried = tmp_path / "a.mcnn", []
    for fail_at in range(1, 100):
        write_archive(path, WEIGHTS, {"config": {"age": "old"}})
        system = FaultySystem(fail_at, error)
        with monkeypatch.context() as patch:
            patch.setattr(atomic_files, "os", system)
            try:
                write_archive(path, WEIGHTS, {"config": {"age": "new"}})
                break
            except type(error):
                tried.append(system.calls[fail_at - 1])
        age = "new" if "replace" in system.calls[: fail_at - 1] else "old"
        assert read_archive(path).documents["config"] == {"age": age}
        assert files_in(tmp_path) == ["a.mcnn"]
    assert read_archive(path).documents["config"] == {"age": "new"}  # the run without a fault
    # Parts of 3 members and the closing; two reads; then the folder.
    assert tried == [
        *["open", *["write"] * 7, "fsync", "close"],
        *["open", *["read"] * 2, "close", "replace"],
        *["open", "fsync", "close"],
    ]


def test_a_fault_in_a_first_save_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_files, "os", FaultySystem(3, ERRORS["disk-full"]))
    with pytest.raises(OSError, match="No space left"):
        write_archive(tmp_path / "a.mcnn", WEIGHTS, DOCUMENTS)
    assert files_in(tmp_path) == []


def test_short_writes_are_continued(tmp_path, monkeypatch):
    class ShortSystem(FaultySystem):
        def write(self, handle, data):
            return os.write(handle, data[:7])

    monkeypatch.setattr(atomic_files, "os", ShortSystem(0, None))
    write_archive(tmp_path / "a.mcnn", WEIGHTS, DOCUMENTS)
    assert_same_arrays(read_archive(tmp_path / "a.mcnn").weights, WEIGHTS)


def test_what_reads_back_differently_is_not_kept(tmp_path, monkeypatch):
    class ForgetfulSystem(FaultySystem):
        def read(self, handle, size):
            return os.read(handle, size).replace(b"config", b"konfig")

    path = tmp_path / "a.mcnn"
    path.write_bytes(b"the old file")
    monkeypatch.setattr(atomic_files, "os", ForgetfulSystem(0, None))
    with pytest.raises(OSError, match="reads back differently") as caught:
        write_archive(path, WEIGHTS, DOCUMENTS)
    assert caught.value.errno == errno.EIO
    assert path.read_bytes() == b"the old file" and files_in(tmp_path) == ["a.mcnn"]


def test_killed_at_any_instant_the_newest_save_that_was_reported_is_there(tmp_path):
    script = Path(__file__).with_name("saving_loop.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(script), str(tmp_path / "a.mcnn"), "60"]
    output = subprocess.run(command, env=environment, check=True, capture_output=True).stdout

    kills = [json.loads(line) for line in output.splitlines()]
    assert len(kills) == 60
    # One save more than was reported may have been done, never one less.
    assert all(0 <= kill["found"] - kill["reported"] <= 1 for kill in kills)
    assert kills[-1]["found"] >= 60  # they did save
    left = [name for name in files_in(tmp_path) if name != "a.mcnn"]
    assert all(name.startswith(".minicnn-") and name.endswith(".tmp") for name in left)
    assert len(left) <= 1  # each child has swept away what the one before it left


def test_two_writers_of_one_name(tmp_path):
    path, errors = tmp_path / "a.mcnn", []

    def save_often(writer):
        try:
            for _ in range(20):
                write_archive(path, {"w": np.full(999, writer)}, {"config": {"writer": writer}})
        except Exception as error:  # a thread's errors are lost otherwise
            errors.append(error)

    threads = [threading.Thread(target=save_often, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read_archive(path)
    assert not errors and files_in(tmp_path) == ["a.mcnn"]
    assert (found.weights["w"] == found.documents["config"]["writer"]).all()


# --- names ------------------------------------------------------------------------------------


def test_a_link_is_replaced_and_its_target_is_not_touched(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"precious")
    link.symlink_to(target)
    write_atomically(link, [b"new"])
    assert target.read_bytes() == b"precious"
    assert link.read_bytes() == b"new" and not link.is_symlink()


def test_folders_are_neither_replaced_nor_read(tmp_path):
    with pytest.raises(IsADirectoryError) as caught:
        write_archive(tmp_path, WEIGHTS, DOCUMENTS)
    assert caught.value.filename == str(tmp_path)
    with pytest.raises(IsADirectoryError) as caught:
        read_archive(tmp_path)
    assert caught.value.filename == str(tmp_path)
    assert files_in(tmp_path) == []


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "absent.mcnn")
    with pytest.raises(FileNotFoundError, match=r"no such folder; make it first: .*absent'$"):
        write_archive(tmp_path / "absent" / "a.mcnn", WEIGHTS, DOCUMENTS)


def test_names_of_the_greatest_length_and_of_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "n" * 250 + ".mcnn"
    write_archive(name, WEIGHTS, DOCUMENTS)
    assert files_in(tmp_path) == [name]
    assert parse_archive((tmp_path / name).read_bytes()).arrays == {}


def test_a_file_over_the_limit_is_not_read(tmp_path):
    with open(tmp_path / "huge.mcnn", "wb") as file:
        file.truncate(2**33)  # a hole: takes no room
    with pytest.raises(
        SizeLimitError, match=r"holds 8,589,934,592 bytes, and at most 4,294,967,294"
    ):
        read_archive(tmp_path / "huge.mcnn")
