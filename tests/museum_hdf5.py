"""Hostile HDF5 files: links to other files, arrays that they do not hold, types of objects."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pytest

import minicnn as mc

h5py = pytest.importorskip("h5py", reason="pip install -e '.[keras]'")

MIB = 1 << 20
KERNEL, BIAS = np.ones((16, 2), np.float32), np.zeros(2, np.float32)
OTHER = "secret.h5"  # the file that links lead to, beside the hostile one
PLACE = "layers/dense/vars"
ANOTHER = r"another network \(0 layers with weights there"
FAR = b"\xff" * 7 + b"\x7f"  # an address behind the end of any file
LEGACY = "model_weights/dense/dense"


# --- readers ------------------------------------------------------------------------------------


def load(path):
    mc.load_model(path)


def into_network(path):
    layers = mc.layers
    dense = layers.Dense(2, name="dense")
    model = mc.Sequential([layers.Input((4, 4, 1)), layers.Flatten(name="flatten"), dense])
    model.load_weights(path)


# --- makers -------------------------------------------------------------------------------------


def made(fill, **options: Any) -> bytes:
    """The bytes of an HDF5 file whose root group `fill` was given."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as file:
        fill(file)
    return memory.getvalue()


def hdf5(kernel: Any = KERNEL, change: Any = None) -> bytes:
    """Weights as Keras 3 stores them; `change` gets the root group before the file is closed."""

    def fill(root):
        group = root.create_group(PLACE)
        root.create_group("layers/flatten/vars")
        if kernel is not None:
            group["0"] = kernel
        group["1"] = BIAS
        if change is not None:
            change(root)

    return made(fill)


CONFIG = {
    "class_name": "Sequential",
    "config": {
        "name": "net",
        "layers": [
            {"class_name": "Flatten",
             "config": {"name": "flatten", "batch_input_shape": [None, 4, 4, 1]}},
            {"class_name": "Dense",
             "config": {"name": "dense", "units": 2, "activation": "linear", "use_bias": True}},
        ],
    },
}  # fmt: skip


def legacy_hdf5(config: Any = CONFIG, change: Any = None) -> bytes:
    """A whole model as Keras 2 stores it."""

    def fill(root):
        text = config if isinstance(config, (str, bytes)) else json.dumps(config)
        root.attrs["keras_version"], root.attrs["backend"] = b"2.15.0", b"tensorflow"
        root.attrs["model_config"] = text
        weights = root.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"flatten", b"dense"])
        weights.create_group("flatten").attrs["weight_names"] = np.zeros(0, "S1")
        names = np.array([b"dense/kernel:0", b"dense/bias:0"])
        weights.create_group("dense").attrs["weight_names"] = names
        root[f"{LEGACY}/kernel:0"], root[f"{LEGACY}/bias:0"] = KERNEL, BIAS
        if change is not None:
            change(root)

    return made(fill)


def replaced(put: Any):
    """Put something else where the weights of a layer are, in a file of weights of Keras 3."""

    def make(path):
        return hdf5(None, lambda root: put(root[PLACE], "0", path))

    return make


def legacy_replaced(put: Any):
    """Put something else where the weights of a layer are, in a whole model of Keras 2."""

    def make(path):
        def change(root):
            del root[f"{LEGACY}/kernel:0"]
            put(root[LEGACY], "kernel:0", path)

        return legacy_hdf5(change=change)

    return make


def legacy(change: Any, config: Any = CONFIG):
    return lambda path: legacy_hdf5(config, change)


def secret(path: Any) -> Any:
    """Make the file that links lead to; its array would fit."""
    other = path.with_name(OTHER)
    with h5py.File(other, "w") as file:
        file["w"] = KERNEL
    return other


def external_link(group, name, path):
    secret(path)
    group[name] = h5py.ExternalLink(OTHER, "w")


def external_link_by_absolute_path(group, name, path):
    group[name] = h5py.ExternalLink(str(secret(path)), "/w")


def soft_link(group, name, path):
    group.file["spare"] = KERNEL
    group[name] = h5py.SoftLink("/spare")


def soft_link_to_itself(group, name, path):
    group[name] = h5py.SoftLink(f"{group.name}/{name}")


def virtual(group, name, path):
    layout = h5py.VirtualLayout((16, 2), np.float32)
    layout[:] = h5py.VirtualSource(str(secret(path)), "w", (16, 2))
    group.create_virtual_dataset(name, layout)


def virtual_of_itself(group, name, path):
    group.file["spare"] = KERNEL
    layout = h5py.VirtualLayout((16, 2), np.float32)
    layout[:] = h5py.VirtualSource(".", "spare", (16, 2))
    group.create_virtual_dataset(name, layout)


def external_storage(group, name, path):
    parts = [(str(secret(path)), 0, 128)]
    group.create_dataset(name, (16, 2), np.float32, external=parts)


def external_password(group, name, path):
    group.create_dataset(name, (16, 2), np.float32, external=[("/etc/passwd", 0, 128)])


def of_dtype(dtype: Any, shape: Any = (16, 2)):
    return lambda group, name, path: group.create_dataset(name, shape, dtype)


def references(group, name, path):
    group.create_dataset(
        name, data=np.full((16, 2), group.ref, h5py.ref_dtype), dtype=h5py.ref_dtype
    )


def texts(group, name, path):
    group.create_dataset(name, data=np.full((16, 2), "x" * 1000, object), dtype=h5py.string_dtype())


def vlen(group, name, path):
    data = group.create_dataset(name, (16, 2), h5py.vlen_dtype(np.float32))
    data[0, 0] = np.zeros(1000)


def bomb(shape: Any, **options: Any):
    """An array of many zeros, of which the file has next to nothing."""
    return lambda group, name, path: group.create_dataset(name, shape, np.float32, **options)


def packed_bomb(group, name, path):
    data = group.create_dataset(
        name, (2**18, 64), np.float32, chunks=(2**18, 64), compression="gzip"
    )
    data[:] = 0


def a_group(group, name, path):
    group.create_group(name)["x"] = KERNEL


def a_type(group, name, path):
    group[name] = np.dtype("f4")


def plugin(filter_id: int):
    """An array that only a plugin could unpack: the filter's number is changed in the file."""

    def make(path):
        def put(group, name, path):
            group.create_dataset(name, data=KERNEL, compression="gzip", compression_opts=4)

        data = replaced(put)(path)
        mark = b"\x01\x00\x08\x00\x01\x00\x01\x00deflate"
        assert data.count(mark) == 1
        return data.replace(mark, filter_id.to_bytes(2, "little") + mark[2:])

    return make


def filtered(**options: Any):
    return replaced(lambda group, name, path: group.create_dataset(name, data=KERNEL, **options))


def in_itself(path):
    def change(root):
        root["layers/dense/vars/0"] = root["layers"]

    return hdf5(None, change)


def nested(path):
    """A file with 10,000 groups, one in the other."""

    def change(root):
        for _ in range(10_000):
            root = root.create_group("g")

    return hdf5(None, change)


def cut(path):
    data = hdf5()
    return data[: len(data) // 2]


def changed(old: bytes, new: bytes, whole: Any = legacy_hdf5):
    """A file with some of its bytes exchanged."""

    def make(path):
        data = whole()
        assert data.count(old)
        return data.replace(old, new)

    return make


def patched(at: int, value: bytes):
    return lambda path: (data := hdf5())[:at] + value + data[at + len(value) :]


def heap(path):
    """A config in a heap whose next object has no bytes, at which HDF5 would stay forever."""
    data = legacy_hdf5()
    at = data.index(b"GCOL") + 16
    number, size = struct.unpack_from("<H6xQ", data, at)
    while number:
        at += 16 + (size + 7) // 8 * 8
        number, size = struct.unpack_from("<H6xQ", data, at)
    return data[: at + 8] + bytes(8) + data[at + 16 :]


def heaps_in_heaps(path):
    """A file full of what begins as a heap does, each of them as large as the rest of the file."""
    size = 1 << 18
    marks = [b"GCOL\1\0\0\0" + struct.pack("<Q", size - at) for at in range(0, size, 16)]
    return legacy_hdf5() + b"".join(marks)


def attribute(name: str, value: Any, place: str = "/"):
    return legacy(lambda root: root[place].attrs.__setitem__(name, value))


def long_text(path):
    """A config of 40 MiB, in the heap for texts of any length."""
    return legacy_hdf5('{"class_name": "' + "x" * (40 * MIB) + '"}')


def names(*listed: Any):
    return attribute("weight_names", np.array(listed), "model_weights/dense")


def exchanged(root: Any) -> None:
    """Put an array in the place of the group of all weights."""
    del root["model_weights"]
    root["model_weights"] = KERNEL


HONEST = {
    "weights": (into_network, lambda path: hdf5()),
    "weights-packed": (into_network, filtered(compression="gzip", shuffle=True, fletcher32=True)),
    "keras-2": (load, lambda path: legacy_hdf5()),
    "keras-2-weights": (into_network, lambda path: legacy_hdf5()),
}
PUTS = {
    "external-link": (external_link, "link"),
    "external-link-absolute": (external_link_by_absolute_path, "link"),
    "soft-link": (soft_link, "link"),
    "soft-link-to-itself": (soft_link_to_itself, "link"),
    "virtual": (virtual, "another file"),
    "virtual-of-itself": (virtual_of_itself, "another file"),
    "external-storage": (external_storage, "another file"),
    "external-password": (external_password, "another file"),
    "references": (references, "type"),
    "texts": (texts, "type"),
    "vlen": (vlen, "type"),
    "compound": (of_dtype([("a", "f4"), ("b", "i8")]), "type"),
    "opaque": (of_dtype("V4"), "type"),
    "complex": (of_dtype("c8"), "type"),
    "long-double": (of_dtype("longdouble"), "type"),
    "fixed-texts": (of_dtype("S4"), "type"),
    "nothing-written": (bomb((16, 2)), "declares 128 bytes and holds 0"),
    "bomb-of-tb": (bomb((2**20, 2**20)), "declares"),
    "bomb-in-chunks": (bomb((2**20, 2**20), chunks=(64, 64), compression="gzip"), "declares"),
    "bomb-filled": (bomb((2**20, 2**20), chunks=(64, 64), fillvalue=1), "declares"),
    "bomb-of-exabytes": (bomb((2**30, 2**30), chunks=(64, 64)), "declares"),
    "bomb-packed": (packed_bomb, "declares"),
    "group": (a_group, "no array"),
    "committed-type": (a_type, "no array"),
    "no-axes": (of_dtype("f4", ()), "declares|shape"),
    "empty": (lambda g, n, p: g.create_dataset(n, data=h5py.Empty("f4")), "no values"),
    "other-shape": (lambda g, n, p: g.create_dataset(n, data=KERNEL.T), r"\(2, 16\)"),
    "too-short": (lambda g, n, p: g.create_dataset(n, data=KERNEL[:15]), r"\(15, 2\)"),
}
EXHIBITS = {
    **{f"weights-{k}": (into_network, replaced(put), text) for k, (put, text) in PUTS.items()},
    **{f"keras-2-{k}": (load, legacy_replaced(put), text) for k, (put, text) in PUTS.items()},
    "plugin-unknown": (into_network, plugin(32001), "plugin"),
    "plugin-of-the-user": (into_network, plugin(300), "plugin"),
    "scale-offset": (into_network, filtered(scaleoffset=4), "plugin"),
    "lzf": (into_network, filtered(compression="lzf"), "plugin"),
    "group-in-itself": (into_network, in_itself, "no array"),
    "groups-10000-deep": (into_network, nested, "1 weights, 'dense' 2"),
    "no-weights": (into_network, lambda path: made(lambda root: None), "0 weights, 'dense' 2"),
    "no-model": (load, lambda path: hdf5(), "config|model"),
    "cut": (into_network, cut, "damaged|ends"),
    "signature-alone": (load, lambda path: b"\x89HDF\r\n\x1a\n", "damaged|ends"),
    "zeros": (load, lambda path: b"\x89HDF\r\n\x1a\n" + bytes(4096), "damaged|superblock"),
    "ones": (load, lambda path: b"\x89HDF\r\n\x1a\n" + b"\xff" * 4096, "damaged|superblock"),
    "superblock-9": (into_network, patched(8, b"\x09"), "damaged|superblock"),
    "offsets-of-255": (into_network, patched(13, b"\xff"), "damaged|superblock"),
    "end-behind-the-file": (into_network, patched(40, FAR), "damaged|ends|super"),
    "root-behind-the-file": (into_network, patched(64, FAR), "damaged|root|super"),
    "driver-of-families": (into_network, patched(48, b"\x60" + bytes(7)), "damaged|driver|super"),
    "heap-without-end": (load, heap, "an object in a heap has 0 bytes"),
    "heaps-in-heaps": (load, heaps_in_heaps, "in one another|an object in a heap"),
    "config-number": (load, attribute("model_config", 7), "model_config"),
    "config-array": (load, attribute("model_config", np.zeros(1000)), "model_config"),
    "config-reference": (
        load, legacy(lambda root: root.attrs.__setitem__("model_config", root.ref)), "model_config",
    ),
    "config-of-40-mib": (load, long_text, "text|bytes"),
    "config-not-utf-8": (load, attribute("model_config", np.bytes_(b'{"a": "\xff"}')), "UTF-8"),
    "config-two-texts": (load, attribute("model_config", np.array([b"{}", b"{}"])), "model_config"),
    "layer-names-number": (load, attribute("layer_names", 3, "model_weights"), "layer_names"),
    "layer-names-missing-group": (
        load, attribute("layer_names", np.array([b"x", b"y"]), "model_weights"), ANOTHER,
    ),
    "weight-names-upward": (load, names(b"../../secret", b"dense/bias:0"), "no array"),
    "weight-names-absolute": (load, names(b"/etc/passwd", b"dense/bias:0"), "no array"),
    "weight-names-twice": (load, names(b"dense/kernel:0", b"dense/kernel:0"), r"\(16, 2\)"),
    "weight-names-one-more": (
        load, names(b"dense/kernel:0", b"dense/bias:0", b"dense/bias:0"), "dense",
    ),
    "weight-names-empty": (load, names(b"", b""), "no array"),
    "weight-names-dots": (load, names(b"." * 20_000, b"."), "no array"),
    "weight-names-of-slashes": (load, names(b"/" * 9_000 + b"a", b"b"), "no array"),
    "weight-names-not-utf-8": (load, names(b"\xff\xfe", b"dense/bias:0"), "UTF-8"),
    "model-weights-array": (load, legacy(exchanged), ANOTHER),
}  # fmt: skip
