"""Damaged journals of a search, and choices and models that a search refuses."""

from __future__ import annotations

import errno
import json

import numpy as np
import pytest

import minicnn as mc
from minicnn import tune
from minicnn.errors import ArgumentError, FormatError, MiniCNNError
from minicnn.layers import Dense, Input
from minicnn.support import locks
from minicnn.tune.folder_storage import FolderStorage
from minicnn.tune.study import known_settings

pytest.importorskip("optuna")

X, Y = np.eye(8, 4, dtype=np.float32), np.arange(8) % 2


def build(hp):
    model = mc.Sequential([Input((4,)), Dense(2, activation="softmax")])
    model.compile(
        mc.optimizers.SGD(hp.Choice("rate", [0.1, 0.2])), "sparse_categorical_crossentropy"
    )
    return model


def search(folder, build=build, trials=2):
    tuner = tune.RandomSearch(
        build, "loss", trials, directory=folder, project_name="s", seed=1, verbose=0
    )
    tuner.search(X, Y, verbose=0)
    return tuner


def with_choice(values):
    def function(hp):
        hp.Choice("k", values)
        return build(hp)

    return function


@pytest.mark.parametrize("values", [[[3, 3], [5, 5]], [(3, 3), (5, 5)], [{}, {}], [build], [b"a"]])
def test_a_choice_among_lists_says_how_to_choose_by_words(tmp_path, values):
    with pytest.raises(
        ArgumentError, match="'k' can only choose among numbers, strings, True, False and None"
    ):
        search(tmp_path, with_choice(values))


@pytest.mark.parametrize("values", ["abc", [], [1, 1], [0, False], {"a": 1}, 5])
def test_a_choice_needs_a_list_of_different_values(tmp_path, values):
    with pytest.raises(ArgumentError, match="'k' needs a list of different values"):
        search(tmp_path, with_choice(values))


@pytest.mark.parametrize("values", [[None, "relu"], (True, False), range(3), ["3x3", "5x5"]])
def test_what_a_choice_may_be_made_among(tmp_path, values):
    assert search(tmp_path, with_choice(values)).results()[0].values["k"] in values


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda hp: None, "got None. Is its last line `return model`"),
        (lambda hp: [1], "got \\[1\\]"),
        (lambda hp: mc.Sequential([Input((4,)), Dense(2)]), "must compile the model"),
    ],
)
def test_a_function_that_builds_no_compiled_model_is_told(tmp_path, wrong, words):
    with pytest.raises(ArgumentError, match=words):
        search(tmp_path, wrong)


# --- records ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    search(folder)
    return (folder / "s" / "journal.log").read_bytes()


def written(folder, content):
    (folder / "s").mkdir()
    path = folder / "s" / "journal.log"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"notes of mine",  # without a line end, so it must not be taken for a torn line
        b"step 1\nstep 2\nstep",
        b"my diary\n",
        b"[1]\n",
        b'{"a": 1}\n',
        b'{"time": 1}\n{"ti',
        b"\0" * 9,
        b"\x00\xff" * 9,
    ],
)
def test_a_file_that_no_search_wrote_is_refused_and_stays_as_it_is(tmp_path, content):
    path = written(tmp_path, content)
    with pytest.raises(FormatError, match=r"journal\.log: is not the journal of a search"):
        search(tmp_path)
    assert path.read_bytes() == content


def test_half_a_line_at_the_end_is_dropped(tmp_path, record):
    written(tmp_path, record + b'{"op_code":5,"wor')
    assert len(search(tmp_path, trials=3).results()) == 2  # all that there are


def test_mutated_records_end_in_our_own_errors(tmp_path, record):
    rng = np.random.default_rng(0)
    lines = record.splitlines(keepends=True)
    path = written(tmp_path, b"")
    for _ in range(120):
        data = bytearray(b"".join(lines[: rng.integers(1, len(lines) + 1)]))
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(32, 127)
        path.write_bytes(data)
        try:
            known_settings(FolderStorage(tmp_path / "s"))
            search(tmp_path)
        except (MiniCNNError, FileNotFoundError):
            pass


WRONG = [None, True, -1, 10**30, 1.5, "x", "../../../etc/passwd", [], [[1]], {}, {"a": []}]


@pytest.mark.parametrize("key", ["number", "worker", "values", "best_step", "seconds", "reason"])
def test_values_of_another_kind_end_in_our_own_errors(tmp_path, record, key):
    path = written(tmp_path, b"")
    for value in WRONG:
        entries = [json.loads(line) for line in record.splitlines()]
        for entry in entries:
            if key in entry.get("user_attr", {}) or key in entry.get("user_attrs", {}):
                entry["user_attr" if "user_attr" in entry else "user_attrs"][key] = value
        path.write_bytes(
            b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in entries)
        )
        try:
            search(tmp_path)
        except MiniCNNError as error:
            assert str(error).isprintable()  # noqa: PT017


@pytest.mark.skipif(locks.fcntl is None, reason="the system has no such locks")
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks available"), KeyboardInterrupt()]
)
def test_a_lock_that_cannot_be_acquired_is_named_and_released(tmp_path, monkeypatch, error):
    """This holds even if Ctrl-C arrives when the lock has just been acquired."""
    flock = locks.fcntl.flock

    def interrupted(handle, how):
        flock(handle, how)
        raise error

    lock = locks.FileLock(tmp_path / "lock")
    with monkeypatch.context() as patch:
        patch.setattr(locks.fcntl, "flock", interrupted)
        with pytest.raises(type(error)) as caught:
            lock.acquire()
    assert getattr(caught.value, "filename", str(lock.path)) == str(lock.path)
    assert not locks.is_locked(lock.path)
