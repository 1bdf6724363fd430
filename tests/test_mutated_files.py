"""Good files with some values exchanged: reading them raises minicnn's own errors only."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import random
import tarfile
from pathlib import Path

import numpy as np
import pytest
from museum import forge, members_of

import minicnn as mc
from minicnn.callbacks import (
    BackupAndRestore,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from minicnn.data.idx import parse_idx
from minicnn.datasets import cifar10
from minicnn.errors import FormatError, MiniCNNError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input

X, Y = np.zeros((8, 6, 6, 1), np.float32), np.arange(8) % 2
VALUES = [
    None, True, False, 0, -1, 2**31, 2**63 - 1, 10**19, 1e308, -0.5, "", "x", "\x1b[2J", "a" * 5000,
    [], [[]], {}, {"class": "Dense"}, {"class": "Dense", "config": {}}, [1, 2, 3], "os.system",
    {"a": {"b": 1}}, "relu", "adam", [0],
]  # fmt: skip


def network():
    model = mc.Sequential([
        Input((6, 6, 1)), Conv2D(2, 3, activation="relu"), BatchNormalization(), Dropout(0.3),
        Flatten(), Dense(2, activation="softmax"),
    ])  # fmt: skip
    schedule = mc.schedules.CosineDecay(0.01, 10)
    model.compile(
        mc.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def callbacks(folder):
    return [
        EarlyStopping("loss", patience=3, restore_best_weights=True),
        ModelCheckpoint(folder / "best.mcnn", "loss", save_best_only=True),
        BackupAndRestore(folder / "backup", delete_checkpoint=False),
    ]


def places(value, before=()):
    """Return the path of every value inside."""
    yield before
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*before, key))


def exchanged(document, dice):
    """Return a copy in which one to three values are replaced, removed or repeated."""
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 3)):
        ways = [way for way in places(document) if way]
        if not ways:
            return document
        *way, last = dice.choice(ways)
        inner = document
        for key in way:
            inner = inner[key]
        action = dice.randrange(4)
        if action == 0:
            del inner[last]
        elif action == 1 and isinstance(inner, list):
            inner.insert(last, copy.deepcopy(dice.choice(VALUES)))
        elif action == 1:
            inner[dice.choice(["name", "class", "config", "__init__"])] = dice.choice(VALUES)
        else:
            inner[last] = copy.deepcopy(dice.choice(VALUES))
    return document


def documents_of(data):
    members = members_of(data)
    return {n: json.loads(members[n]) for n in members if n.endswith(".json") and "meta" not in n}


def forged(good, documents, dice):
    changes = {n: exchanged(documents[n], dice) for n in dice.sample(list(documents), 2)}
    return forge(good, {name: json.dumps(value).encode() for name, value in changes.items()})


@pytest.mark.filterwarnings("ignore")
def test_models(tmp_path):
    dice, path = random.Random(0), tmp_path / "m.mcnn"
    network().save(path)
    good = path.read_bytes()
    documents = documents_of(good)
    for _ in range(300):
        path.write_bytes(forged(good, documents, dice))
        with contextlib.suppress(MiniCNNError):
            mc.load_model(path).predict(X, verbose=0)


@pytest.mark.filterwarnings("ignore")
def test_checkpoints(tmp_path):
    dice = random.Random(1)
    network().fit(X, Y, verbose=0, callbacks=callbacks(tmp_path))
    path = tmp_path / "backup" / "checkpoint-1.mcnn"
    good = path.read_bytes()
    documents = documents_of(good)
    for _ in range(60):
        for left in path.parent.iterdir():
            left.unlink()
        path.write_bytes(forged(good, documents, dice))
        with contextlib.suppress(MiniCNNError):
            network().fit(X, Y, epochs=2, verbose=0, callbacks=callbacks(tmp_path))


STATES = [
    (EarlyStopping("loss"), {"best": None, "best_epoch": None, "wait": 0, "stopped_epoch": None}),
    (ReduceLROnPlateau("loss"), {"best": 0.5, "wait": 1, "resting": 0}),
    (LearningRateScheduler(lambda epoch: 0.1), {"done": None}),
    (ModelCheckpoint("x.mcnn", "loss"), {"best": None}),
]


@pytest.mark.parametrize(("callback", "state"), STATES, ids=lambda v: type(v).__name__)
def test_a_callback_refuses_a_state_of_another_kind(callback, state):
    """Without the check a text in the state would raise a TypeError after the first epoch."""
    callback.model = network()
    callback.set_state(state)
    for key in state:
        for wrong in ("x", [1], {}, True, 1e400):
            with pytest.raises(MiniCNNError, match=key):
                callback.set_state({**state, key: wrong})


def test_a_checkpoint_with_a_wrong_state_is_named(tmp_path):
    model, path = network(), tmp_path / "c.mcnn"
    model.fit(X, Y, verbose=0, callbacks=[EarlyStopping("loss")])
    model.save_checkpoint(path)
    document = documents_of(path.read_bytes())["training.json"]
    item = next(c for c in document["progress"]["callbacks"] if c["class"] == "EarlyStopping")
    item["state"]["wait"] = "many"
    path.write_bytes(forge(path.read_bytes(), {"training.json": json.dumps(document).encode()}))
    with pytest.raises(FormatError, match=r"c\.mcnn: .* wait must be an integer >= 0; got 'many'"):
        model.load_checkpoint(path)


# --- data ---------------------------------------------------------------------------------------


def mutated(data, dice):
    """Return the bytes with some bits, bytes, lengths or pieces changed."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        action = dice.randrange(5)
        if action == 0:
            del data[at : at + dice.choice([1, 9, 10**6])]
        elif action == 1:
            data[at:at] = data[: dice.randint(1, 40)]
        elif action == 2:
            number = dice.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1])
            data[at : at + 4] = number.to_bytes(4, dice.choice(["little", "big"]))
        else:
            data[at : at + 1] = bytes([dice.randrange(256)])
    return bytes(data)


def summed(data):
    """Correct the checksum of every header of an archive, so that more of it is read."""
    data = bytearray(data)
    for at in range(0, len(data) - 511, 512):
        if data[at + 257 : at + 262] == b"ustar":
            data[at + 148 : at + 156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_archives(tmp_path, format):
    file, dice = io.BytesIO(), random.Random(2)
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name in ("x/test_batch.bin", "l" * 90 + "/" + "m" * 90, "ä" * 60, "x/train/cat/0.png"):
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(b"1" * 700))
    good, path = file.getvalue()[:9000], tmp_path / "x"
    for i in range(400):
        data = mutated(good, dice)
        path.write_bytes(summed(data) if i % 4 else data)
        with contextlib.suppress(MiniCNNError):
            cifar10.load_data(path)


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@pytest.mark.parametrize("protocol", range(5))
def test_batches(protocol):
    dice = random.Random(protocol)
    pixels = np.zeros((2, 3072), np.uint8)
    good = pickle.dumps({"data": pixels, "labels": [1, 2], b"filenames": ["a"]}, protocol)
    for i in range(400):
        begin = i % 2 * (len(good) - 200)  # the program is at both ends
        data = good[:begin] + mutated(good[begin : begin + 200], dice) + good[begin + 200 :]
        with contextlib.suppress(MiniCNNError):
            cifar10._parse_pickle(data, Path("x"))


def test_idx_files():
    dice = random.Random(3)
    good = b"\0\0\x08\3" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(24)
    for _ in range(2000):
        with contextlib.suppress(MiniCNNError):
            parse_idx(mutated(good, dice))
