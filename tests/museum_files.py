"""Hostile files of all other kinds: checkpoints, data, settings and models of other programs.

Each exhibit is (reader, a function that makes the file, words of the refusal). The function gets a
path; bytes that it returns are written there. The attacks were found in the wild, in the loaders of
other frameworks and in Python's own readers.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np
from museum import forge, members_of

import minicnn as mc
from minicnn.apps.runs.settings import from_toml
from minicnn.data import decode, read_list
from minicnn.data.idx import read_idx
from minicnn.datasets import cifar10
from minicnn.layers import Dense, Flatten, Input
from minicnn.tune.record import drop_torn_line, reading

MIB = 1 << 20
SECRET = "/etc/passwd"


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("echo evil",)


# --- readers ------------------------------------------------------------------------------------


def network():
    """Return a small network, always the same."""
    model = mc.Sequential([Input((4, 4, 1)), Flatten(), Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def load_weights(path):
    network().load_weights(path)


def load_checkpoint(path):
    network().load_checkpoint(path)


def journal(path):
    """The record of a search."""
    with reading(path):
        drop_torn_line(path)
        optuna = mc.tune.study.import_optuna()
        backend = optuna.storages.journal.JournalFileBackend(str(path))
        study = optuna.load_study(
            study_name="search", storage=optuna.storages.JournalStorage(backend)
        )
        mc.tune.record.check_settings(study.user_attrs.get("settings"), path)
        mc.tune.record.check_trials(study.get_trials(deepcopy=False), path)


# --- makers -------------------------------------------------------------------------------------


def saved(change, write=lambda model, path: model.save(path)):
    """Return a valid model file with changed documents and correct checksums."""

    def make(path):
        write(network(), path)
        good = path.read_bytes()
        members = members_of(good)
        documents = {n: json.loads(members[f"{n}.json"]) for n in ("config", "training")}
        change(documents)
        return forge(good, {f"{n}.json": json.dumps(d).encode() for n, d in documents.items()})

    return make


def layer(number=2, **entries):
    """Return a model file in which a layer has another class or other arguments."""

    def change(documents):
        item = documents["config"]["layers"][number]
        item["class"] = entries.pop("class_", item["class"])
        item["config"].update(entries)

    return saved(change)


def training(**entries):
    return saved(lambda documents: documents["training"].update(entries))


def checkpoint(**entries):
    return saved(
        lambda documents: documents["training"]["progress"].update(entries),
        lambda model, path: (model.fit(np.zeros((2, 4, 4, 1), "f"), np.array([0, 1]), verbose=0),
                             model.save_checkpoint(path)),
    )  # fmt: skip


def zipped(members, compression=zipfile.ZIP_DEFLATED, mode=0o100644):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = compression, mode << 16
            archive.writestr(info, content)
    return file.getvalue()


def field(number, content):
    """Return one field of a protocol buffer: a string, bytes or a message."""
    content = content if isinstance(content, bytes) else content.encode()
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def onnx(location):
    """Return an ONNX model with a tensor whose data are in another file."""
    entry = field(1, "location") + field(2, location)
    tensor = field(8, "w") + field(13, entry) + b"\x70\x01"
    return lambda path: b"\x08\x08" + field(7, field(5, tensor))


def npz(array, name="arr_0.npy"):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return zipped({name: file.getvalue()})


def tar(*members, packing=bytes):
    """Return an archive of (name, content or target of a link, kind)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(content, str):
                info.linkname, content = content, b""
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packing(file.getvalue())


def png(width, height, more=b""):
    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + more + rows + chunk(b"IEND", b"")


def idx(shape, kind=8, data=b"", axes=None):
    header = bytes([0, 0, kind, len(shape) if axes is None else axes])
    return header + struct.pack(f">{len(shape)}I", *shape) + data


def lines(*entries):
    """Return a journal of Optuna."""
    return b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in entries)


BEGUN = {"op_code": 0, "worker_id": "w", "study_name": "search", "directions": [2]}


def attribute(key, value):
    return {"op_code": 2, "worker_id": "w", "study_id": 0, "user_attr": {key: value}}


def trial(**attributes):
    made = {
        "op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": "2026-01-01T00:00:00",
        "state": 0, "value": None, "values": None, "distributions": {}, "params": {},
        "user_attrs": attributes, "system_attrs": {}, "intermediate_values": {},
    }  # fmt: skip
    return lines(BEGUN, attribute("settings", {"seed": 1}), made)


def always(content):
    return lambda path: content


def batch(content):
    """Return a function that makes a folder of CIFAR-10 with six such batches."""

    def make(path):
        path.mkdir()
        for name in [*cifar10.TRAINING, cifar10.TEST]:
            (path / name).write_bytes(content)

    return make


def link_to(aim):
    return lambda path: path.symlink_to(aim)


ONE = np.zeros((1, 3072), np.uint8)
# Labels are pairs of pairs of pairs ...: 300 bytes, and 2^64 labels.
DOUBLING = pickle.dumps({"data": ONE, "labels": "here"}, 2).replace(
    b"X\4\0\0\0here", b"(]q\x40" + b"h\x40\x86q\x40" * 64 + b"l"
)
LOAD, CIFAR, TOML = mc.load_model, cifar10.load_data, 'model = "cifar"\ndata = "x"\n'
BIG = ("x", bytes(96 * MIB), tarfile.REGTYPE)
REG, LINK, HARD, DEVICE = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE

NOT_RESUMABLE = "is not the journal of a search that can be resumed"
FILES = {
    # Models whose layers ask for more than layers.
    "lambda-layer": (LOAD, layer(class_="Lambda", function=["gASV", None]), "cannot be built"),
    "callable-config": (
        LOAD,
        layer(activation={"module": "os", "class_name": "system", "registered_name": "system"}),
        "cannot be built",
    ),
    "module-path": (LOAD, layer(class_="os.system"), "cannot be built"),
    "import-in-a-name": (LOAD, layer(class_="__import__('os')"), "cannot be built"),
    "dunder-class": (LOAD, layer(class_="__class__"), "cannot be built"),
    "get-file": (LOAD, layer(class_="get_file", origin="http://127.0.0.1/x"), "cannot be built"),
    "vocabulary-path": (LOAD, layer(class_="StringLookup", vocabulary=SECRET), "cannot be built"),
    "vocabulary-link": (
        LOAD,
        layer(class_="TextVectorization", vocabulary="http://169.254.169.254/"),
        "cannot be built",
    ),
    "saved-model-layer": (LOAD, layer(class_="TFSMLayer", filepath=SECRET), "cannot be built"),
    "torch-module": (LOAD, layer(class_="TorchModuleWrapper", module="gASV"), "cannot be built"),
    "class-is-a-list": (LOAD, layer(class_=["Dense"]), "cannot be built"),
    "initializer-with-code": (
        LOAD, layer(kernel_initializer={"class": "eval", "config": {"x": "1"}}), "cannot be built",
    ),
    "units-of-2-to-31": (LOAD, layer(units=2**31 - 1), "137.4 GB"),
    "units-of-10-to-400": (LOAD, layer(units=10**400), "integer of more than 64 bits"),
    "units-negative": (LOAD, layer(units=-1), "cannot be built"),
    "input-shape-bomb": (LOAD, layer(0, shape=[2**31 - 1] * 3), "x|shape"),
    "optimizer-with-code": (
        LOAD, training(optimizer={"class": "os.remove", "config": {}}), "cannot be built",
    ),
    "loss-with-code": (LOAD, training(loss="lambda a, b: 0"), "cannot be built"),
    "metric-is-a-path": (LOAD, training(metrics=[SECRET]), "cannot be built"),
    "rate-of-1e308-times": (
        LOAD, training(optimizer_state={"iterations": -1}), "cannot be built",
    ),
    "200000-connections": (
        LOAD,
        saved(lambda d: d["config"]["tensors"][1].update(inputs=[0] * 200_000)),
        "200,003 connections",
    ),
    "15000-layers": (
        LOAD,
        saved(lambda d: d["config"].update(layers=d["config"]["layers"] * 5000)),
        "15,000 layers",
    ),
    "name-of-3-megabytes": (LOAD, layer(class_="N" * (3 << 20)), "cannot be built"),
    "name-with-terminal-codes": (LOAD, layer(class_="\x1b]0;evil\x07"), "cannot be built"),
    # Checkpoints.
    "checkpoint-epoch-text": (load_checkpoint, checkpoint(epoch="x"), "epoch"),
    "checkpoint-seed-list": (load_checkpoint, checkpoint(seed=[1]), "seed"),
    "checkpoint-callback-code": (
        load_checkpoint, checkpoint(callbacks=[{"class": "os.system", "state": "id"}]), "x",
    ),
    "checkpoint-is-a-model": (load_checkpoint, saved(lambda d: None), "not a checkpoint"),
    # Models of other frameworks, given to our loaders.
    "onnx-external-data": (LOAD, onnx("../../../../etc/passwd"), "no graph, or no version"),
    "onnx-absolute-data": (load_weights, onnx(SECRET), "it is an ONNX file: whole networks"),
    "onnx-empty-folder": (LOAD, onnx(""), "no graph, or no version"),
    "npz-with-a-pickle": (LOAD, always(npz(np.array([Evil()], object))), "x"),
    "npz-weights-with-a-pickle": (load_weights, always(npz(np.array([Evil()], object))), "x"),
    "npz-shape-bomb": (
        LOAD,
        always(zipped({"a.npy": b"\x93NUMPY\1\0\x76\0{'shape': (99999999999,)}".ljust(128)})),
        "x",
    ),
    "npy": (LOAD, always(b"\x93NUMPY\1\0"), "begins with 93 4e"),
    "torch-file": (LOAD, always(zipped({"archive/data.pkl": pickle.dumps(Evil())}, 0)), "x"),
    "pickle": (LOAD, always(pickle.dumps(Evil())), "begins with 80"),
    "pickled-weights": (load_weights, always(pickle.dumps(Evil(), 0)), "begins with 63"),
    "safetensors-alone": (LOAD, always(struct.pack("<Q", 100 << 20) + b"{"), "safetensors"),
    "gguf": (LOAD, always(b"GGUF\3\0\0\0" + b"\xff" * 16), "begins with 47 47"),
    "python-source": (LOAD, always(b"__import__('os').system('id')"), "begins with 5f 5f"),
    "link-to-a-secret": (LOAD, link_to(SECRET), "x"),
    "link-to-a-device": (LOAD, link_to("/dev/zero"), "device, a pipe or a socket"),
    "named-pipe": (LOAD, os.mkfifo, "device, a pipe or a socket"),
    # CIFAR-10's batches, which are pickles.
    "batch-runs-a-command": (CIFAR, batch(pickle.dumps({"data": Evil()})), r"asks for "),
    "batch-protocol-0": (CIFAR, batch(pickle.dumps(Evil(), 0)), r"asks for posix\.system|nt\."),
    "batch-eval": (CIFAR, batch(b"c__builtin__\neval\n(S'1'\ntR."), "asks for __builtin__"),
    "batch-numpy-loads": (CIFAR, batch(b"cnumpy\nload\n(S'x'\ntR."), r"asks for numpy\.load"),
    "batch-getattr": (CIFAR, batch(b"c__builtin__\ngetattr\n."), "asks for __builtin__"),
    "batch-persistent-id": (CIFAR, batch(b"Px\n."), "instruction PERSID"),
    "batch-extension": (CIFAR, batch(b"\x82\x01."), "instruction EXT1"),
    "batch-instance": (CIFAR, batch(b"(S'id'\nios\nsystem\n."), "instruction INST"),
    "batch-object-array": (CIFAR, batch(pickle.dumps(np.array([{}], object))), "dtype"),
    "batch-doubling-lists": (
        CIFAR, batch(b"]q\0" + b"(h\0h\0lq\0" * 64 + b"."), "dictionary with data",
    ),
    "batch-in-itself": (CIFAR, batch(b"]q\0h\0a."), "dictionary with data"),
    "batch-long-name": (CIFAR, batch(b"c" + b"m" * MIB + b"\nx\n."), "asks for mmm"),
    "batch-integer-of-5000-digits": (CIFAR, batch(b"L" + b"9" * 5000 + b"L\n."), "not a pickle"),
    "batch-labels-1.7": (
        CIFAR, batch(pickle.dumps({"data": ONE, "labels": [1.7]})), "not integers",
    ),
    "batch-labels-doubling": (
        CIFAR,
        batch(DOUBLING),
        "not integers",
    ),
    "batch-keys-no-text": (CIFAR, batch(pickle.dumps({b"\xff": 1})), "it has no .data"),
    # Tar archives.
    "tar-symlink": (CIFAR, always(tar(("data_batch_1", SECRET, LINK))), "x"),
    "tar-hardlink": (CIFAR, always(tar(("data_batch_1.bin", SECRET, HARD))), "x"),
    "tar-device": (CIFAR, always(tar(("data_batch_1.bin", b"", DEVICE))), "x"),
    "tar-upward": (CIFAR, always(tar(("../../../test_batch", b"x", REG))), "without"),
    "tar-absolute": (CIFAR, always(tar(("/etc/test_batch.bin", b"x", REG))), "without"),
    "tar-same-file-twice": (
        CIFAR, always(tar(("a/test_batch", b"x", REG), ("b/test_batch", b"y", REG))), "twice",
    ),
    "tar-gzip-bomb": (CIFAR, always(tar(BIG, packing=gzip.compress)), "unpacks"),
    "tar-bzip2-bomb": (CIFAR, always(tar(BIG, packing=bz2.compress)), "unpacks"),
    "tar-xz-bomb": (CIFAR, always(tar(BIG, packing=lzma.compress)), "unpacks"),
    "tar-long-name-bomb": (
        CIFAR, always(tar(("n" * (2 * MIB), b"", REG), packing=gzip.compress)), "a header of 2,097",
    ),
    "tar-image-bomb": (
        CIFAR, always(tar(("x/train/cat/a.png", png(30_000, 30_000), REG))), "pixels",
    ),
    "tar-not-an-image": (CIFAR, always(tar(("x/train/cat/a.png", b"#!", REG))), "cannot be read"),
    "tar-foreign-class": (CIFAR, always(tar(("x/train/\x1b[2J/a.png", png(1, 1), REG))), "class"),
    # IDX files.
    "idx-2-to-128-bytes": (read_idx, always(idx([2**32 - 1] * 4)), "declares"),
    "idx-200-axes": (read_idx, always(idx([1] * 8, axes=200)), "axes"),
    "idx-cut": (read_idx, always(idx([10, 28, 28])), "ends after"),
    "idx-longer": (read_idx, always(idx([1], data=b"12")), "holds"),
    "idx-gzip-bomb": (read_idx, always(gzip.compress(bytes(96 * MIB))), "not an IDX file"),
    "idx-gzip-unfolds": (
        read_idx, always(gzip.compress(idx([2**28], data=bytes(MIB)))), "at most 67,108,864",
    ),
    "idx-empty-gzip": (read_idx, always(b"\x1f\x8b"), "x"),
    # Images.
    "image-bomb": (decode, always(png(60_000, 60_000)), "pixels"),
    "image-text-bomb": (
        decode,
        always(png(4, 4, struct.pack(">I", 20) + b"zTXt" + b"a\0\0" + zlib.compress(bytes(99))[:17]
                   + bytes(4))),
        "cannot read",
    ),
    "image-runs-ghostscript": (decode, always(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "not an image"),
    "image-svg": (decode, always(b"<svg xmlns:xlink='x' href='/etc/passwd'/>"), "not an im"),
    "image-pipe": (decode, os.mkfifo, "device, a pipe or a socket"),
    "image-device": (decode, link_to("/dev/zero"), "device, a pipe or a socket"),
    "image-empty": (decode, always(b""), "empty"),
    # Settings.
    "settings-nested-lists": (from_toml, always((TOML + "x = " + "[" * 20_000).encode()), "TOML"),
    "settings-nested-names": (from_toml, always((TOML + "a." * 20_000 + "a=1").encode()), "dots"),
    "settings-5000-digits": (from_toml, always((TOML + "seed = " + "9" * 5000).encode()), "TOML"),
    "settings-classes-5": (from_toml, always((TOML + "classes = 5").encode()), "classes"),
    "settings-not-utf-8": (from_toml, always(b'model = "\xff"'), "UTF-8"),
    "settings-pipe": (from_toml, os.mkfifo, "device, a pipe or a socket"),
    "settings-too-long": (from_toml, always(b"#" * MIB), "at most 65,536"),
    # Lists of images.
    "list-not-utf-8": (read_list, always(b"\xff.jpg 0\n"), "UTF-8"),
    "list-label-of-25-digits": (read_list, always(b"a.jpg " + b"9" * 25), "x"),
    "list-without-labels": (read_list, always(b"a.jpg\n"), "label"),
    "list-pipe": (read_list, os.mkfifo, "device, a pipe or a socket"),
    # Searches.
    "search-foreign-file": (journal, always(b"my diary"), "is not the journal of a search; choose"),
    "search-foreign-json": (journal, always(b'{"op_code":99}\n'), NOT_RESUMABLE),
    "search-cut-entry": (journal, always(b'{"op_code":0}\n'), NOT_RESUMABLE),
    "search-nested": (journal, always(b'{"op_code":' + b"[" * 99_999 + b"\n"), NOT_RESUMABLE),
    "search-not-utf-8": (journal, always(b'{"op_code":"\xff"}\n'), NOT_RESUMABLE),
    "search-5000-digits": (journal, always(b'{"op_code":' + b"9" * 5000 + b"}\n"), NOT_RESUMABLE),
    "search-without-settings": (journal, always(lines(BEGUN)), "the settings with which"),
    "search-settings-list": (
        journal, always(lines(BEGUN, attribute("settings", [1]))), "the settings with which",
    ),
    "search-worker-path": (
        journal, always(trial(number=0, worker="../../../../etc/passwd")), "wrong worker",
    ),
    "search-without-number": (journal, always(trial(values={"units": 3})), "wrong number"),
    "search-number-text": (journal, always(trial(number="1")), "wrong number"),
    "search-values-list": (journal, always(trial(number=0, values=[1])), "wrong values"),
    "search-seconds-text": (journal, always(trial(number=0, seconds="x")), "wrong seconds"),
    "search-pipe": (journal, os.mkfifo, "device, a pipe or a socket"),
}  # fmt: skip
