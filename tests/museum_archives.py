"""Hostile files of Keras: configs that ask for code or other files, and archives that lie.

An exhibit is (reader, a function that makes the file, words of the refusal), as in museum_files.
"""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from museum_hdf5 import hdf5, legacy_hdf5

import minicnn as mc

MIB = 1 << 20
CENTRAL, LOCAL = b"PK\1\2", b"PK\3\4"
DEEP = 100_000
CODE = "4wAAAAAAAAAAAAAAAAIAAABDAAAAcwoAAAB0AGQBgwF9AFMAKQJOeg1lY2hvIGNvZGUgcmFu"
CODE_IN_FILE = r"holds Python code \(__lambda__\), which is never run"
URL = "http://127.0.0.1:9/words.txt"


# --- readers ------------------------------------------------------------------------------------


def load(path):
    mc.load_model(path)


def network():
    """A network that the weights of the honest files fit."""
    layers = mc.layers
    dense = layers.Dense(2, name="dense")
    return mc.Sequential([layers.Input((4, 4, 1)), layers.Flatten(name="flatten"), dense])


def into_network(path):
    network().load_weights(path)


# --- configs ------------------------------------------------------------------------------------


def thing(kind: str, module: str | None = "keras.layers", /, **config: Any) -> dict[str, Any]:
    """An object as Keras 3 describes it."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


INPUT = thing("InputLayer", batch_shape=[None, 4, 4, 1], dtype="float32", name="in")
FLATTEN = thing("Flatten", name="flatten")
DENSE = thing("Dense", name="dense", units=2, activation="linear", use_bias=True)


def function(name: str, module: str = "builtins") -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def sequential(*layers: Any, **more: Any) -> dict[str, Any]:
    return {**thing("Sequential", "keras", name="net", layers=list(layers)), **more}


def dense(**changes: Any) -> dict[str, Any]:
    return {**DENSE, "config": {**DENSE["config"], **changes}}


def honest_config() -> dict[str, Any]:
    return sequential(INPUT, FLATTEN, DENSE)


# --- archives -----------------------------------------------------------------------------------


def zipped(members: dict[str, Any], packing: int = zipfile.ZIP_STORED, **attributes: Any) -> bytes:
    """A zip file of members, {name: content}; attributes are those of each entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = packing, 0o100644 << 16
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.writestr(info, content)
    return file.getvalue()


def members(config: Any = None) -> dict[str, Any]:
    """The members of an honest archive, whose config may be another: a text, bytes or an object."""
    config = honest_config() if config is None else config
    text = config if isinstance(config, (str, bytes)) else json.dumps(config)
    metadata = {"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}
    return {
        "metadata.json": json.dumps(metadata),
        "config.json": text,
        "model.weights.h5": hdf5(),
    }


def archive(config: Any = None, **packing: Any):
    return lambda path: zipped(members(config), **packing)


def with_layer(layer: Any):
    """An archive of a network with one layer more, between two honest ones."""
    return archive(sequential(INPUT, FLATTEN, layer, DENSE))


def with_dense(**changes: Any):
    return archive(sequential(INPUT, FLATTEN, dense(**changes)))


def compiled(**changes: Any):
    """An archive of a compiled network."""
    given = {"optimizer": "adam", "loss": "mse", "metrics": None, **changes}
    return archive({**honest_config(), "compile_config": given})


def with_member(name: str, content: Any = b"x", **attributes: Any):
    """An archive with one member more."""

    def make(path):
        file = io.BytesIO(zipped(members()))
        with zipfile.ZipFile(file, "a") as more:
            info = zipfile.ZipInfo(name)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            more.writestr(info, content)
        return file.getvalue()

    return make


def instead(name: str, content: Any, packing: int = zipfile.ZIP_STORED):
    """An archive in which one member has another content; None: it is missing."""

    def make(path):
        found = {**members(), name: content}
        return zipped({k: v for k, v in found.items() if v is not None}, packing)

    return make


def patched(mark: bytes, offset: int, code: str, value: Any, which: str = "config.json"):
    """An archive in which one field of a member is changed, in its header or the directory."""

    def make(path):
        data = bytearray(zipped(members()))
        size = 30 if mark == LOCAL else 46
        at = data.index(mark)
        while not data.startswith(which.encode(), at + size):
            at = data.index(mark, at + 1)
        struct.pack_into(code, data, at + offset, value)
        return bytes(data)

    return make


def twice(path):
    """An archive with two members of one name."""
    data = zipped({**members(), "xonfig.json": json.dumps(sequential(INPUT))})
    return data.replace(b"xonfig.json", b"config.json")


def overlapping(path):
    """An archive whose directory gives two members the same bytes."""
    data = bytearray(zipped(members()))
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def quine(path):
    """An archive that holds itself, in place of the weights."""
    return zipped({**members(), "model.weights.h5": zipped(members())})


def many_members(path):
    return zipped({**members(), **{f"m{i}": b"" for i in range(20_000)}})


IN_LAMBDA = {
    "module": "builtins", "class_name": "__lambda__",
    "config": {"code": CODE, "defaults": None, "closure": None},
}  # fmt: skip
FOREIGN = thing("Dense", "os", name="dense", units=2)
NESTED = sequential(INPUT, FLATTEN, thing("Lambda", function=IN_LAMBDA, name="hidden"))


def functional(layers: list[Any], inputs: Any, outputs: Any) -> dict[str, Any]:
    config = {"name": "net", "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {**thing("Functional", "keras.src.models.functional"), "config": config}


def node(*reads: Any) -> list[Any]:
    """The call of a layer, on results of others."""
    tensors = [
        {"class_name": "__keras_tensor__",
         "config": {"shape": [None, 4, 4, 1], "dtype": "float32", "keras_history": list(one)}}
        for one in reads
    ]  # fmt: skip
    return [{"args": tensors, "kwargs": {}}]


def at(layer: dict[str, Any], name: str, calls: Any = ()) -> dict[str, Any]:
    return {**layer, "name": name, "inbound_nodes": list(calls),
            "config": {**layer["config"], "name": name}}  # fmt: skip


RELU = thing("ReLU")
CIRCLE = functional(
    [at(INPUT, "in"), at(RELU, "a", node(("b", 0, 0))), at(RELU, "b", node(("a", 0, 0)))],
    ["in", 0, 0],
    ["b", 0, 0],
)


def chain(*reads: Any, output: Any = ("a", 0, 0), calls: Any = None) -> dict[str, Any]:
    """A functional network of an input and one layer."""
    layer = at(RELU, "a", node(*reads) if calls is None else calls)
    return functional([at(INPUT, "in"), layer], ["in", 0, 0], list(output))


def many_calls(path):
    """A network in which each of 40 layers adds the last result to itself, in 2^40 ways."""
    layers = [at(INPUT, "l0")]
    for i in range(1, 41):
        layers.append(at(thing("Add"), f"l{i}", node(*[(f"l{i - 1}", 0, 0)] * 2)))
    layers.append(at(thing("Lambda", function=IN_LAMBDA), "l41", node(("l40", 0, 0))))
    return zipped(members(functional(layers, ["l0", 0, 0], ["l41", 0, 0])))


HONEST = {
    "archive": (load, archive()),
    "deflated-archive": (load, archive(packing=zipfile.ZIP_DEFLATED)),
    "functional": (load, archive(chain(("in", 0, 0)))),
    "weights-of-archive": (into_network, archive()),
}
EXHIBITS = {
    # Code and callables.
    "lambda-with-code": (load, with_layer(thing("Lambda", function=IN_LAMBDA)), CODE_IN_FILE),
    "lambda-with-a-name": (load, with_layer(thing("Lambda", function="os.system")), "Lambda"),
    "lambda-in-a-wrapper": (
        load, with_layer(thing("TimeDistributed", layer=thing("Lambda", function=IN_LAMBDA))),
        CODE_IN_FILE,
    ),
    "lambda-in-a-network": (load, archive(sequential(INPUT, NESTED)), CODE_IN_FILE),
    "lambda-after-2-to-40-ways": (load, many_calls, CODE_IN_FILE),
    "code-as-activation": (load, with_dense(activation=IN_LAMBDA), "__lambda__|code"),
    "code-as-initializer": (load, with_dense(kernel_initializer=IN_LAMBDA), "__lambda__|code"),
    "activation-os-system": (load, with_dense(activation=function("system", "os")), "system"),
    "activation-eval": (load, with_dense(activation=function("eval")), "eval"),
    "activation-with-dots": (load, with_dense(activation="os.system"), "os.system"),
    "activation-of-dunder": (load, with_dense(activation="__class__"), "__class__"),
    "activation-number": (load, with_dense(activation=7), "activation"),
    "get-file": (load, with_dense(activation=function("get_file", "keras.utils")), "get_file"),
    "get-file-initializer": (
        load, with_dense(kernel_initializer=thing("get_file", "keras.utils", origin=URL)),
        "get_file",
    ),
    "unsafe-switch": (
        load, with_dense(activation=function("enable_unsafe_deserialization", "keras.config")),
        "enable_unsafe_deserialization",
    ),
    "initializer-numpy-load": (
        load, with_dense(kernel_initializer=thing("load", "numpy", file="/etc/passwd")), "load",
    ),
    "regularizer-of-a-module": (
        load, with_dense(kernel_regularizer=thing("Popen", "subprocess", args=["id"])), "Popen",
    ),
    "constraint-of-a-module": (
        load, with_dense(kernel_constraint=thing("import_module", "importlib")), "import_module",
    ),
    "optimizer-of-a-module": (
        load, compiled(optimizer=thing("system", "os", command="id")), "system",
    ),
    "loss-of-a-module": (load, compiled(loss=function("system", "os")), "system"),
    "loss-with-code": (load, compiled(loss=IN_LAMBDA), "__lambda__|code"),
    "metric-with-code": (load, compiled(metrics=[IN_LAMBDA]), "__lambda__|code"),
    "layer-class-subprocess": (load, with_layer(thing("subprocess.Popen", args=["id"])), "Popen"),
    "layer-of-a-foreign-module": (load, archive(sequential(INPUT, FLATTEN, FOREIGN)), "os"),
    "layer-of-a-package-on-disk": (
        load, with_layer({**thing("Evil", "evil.code"), "registered_name": "evil>Evil"}), "Evil",
    ),
    "registered-name-of-os": (
        load, with_layer({**thing("system", None), "registered_name": "os>system"}), "system",
    ),
    "network-of-a-foreign-module": (
        load, archive({**honest_config(), "module": "os", "class_name": "system"}), "system",
    ),
    "layer-dunder-class": (load, with_layer(thing("__import__", "builtins", name="os")), "__imp"),
    "torch-module": (
        load, with_layer(thing("TorchModuleWrapper", module="gASVIgAAAA==")), "TorchModuleWrapper",
    ),
    "jax-layer": (load, with_layer(thing("JaxLayer", call_fn=function("f"))), "JaxLayer"),
    "flax-layer": (load, with_layer(thing("FlaxLayer", module="x")), "FlaxLayer"),
    # Other files and addresses.
    "tfsm-layer": (load, with_layer(thing("TFSMLayer", filepath="/etc/passwd")), "TFSMLayer"),
    "string-lookup-path": (
        load, with_layer(thing("StringLookup", vocabulary="/etc/passwd")), "StringLookup",
    ),
    "string-lookup-url": (load, with_layer(thing("StringLookup", vocabulary=URL)), "StringLookup"),
    "integer-lookup-path": (
        load, with_layer(thing("IntegerLookup", vocabulary="../../secret")), "IntegerLookup",
    ),
    "text-vectorization": (
        load, with_layer(thing("TextVectorization", vocabulary="/etc/passwd")), "TextVectoriz",
    ),
    # Sizes.
    "units-10-to-12": (load, with_dense(units=10**12), "units|GB|holds"),
    "units-2-to-31": (load, with_dense(units=2**31), "units|GB|holds"),
    "units-more-than-the-file": (load, with_dense(units=10**7), "more than the file holds|GB"),
    "units-negative": (load, with_dense(units=-1), "units"),
    "units-nan": (load, archive(json.dumps(honest_config()).replace('"units": 2', '"units": NaN')),
                  "NaN"),
    "units-true": (load, with_dense(units=True), "units"),
    "units-text": (load, with_dense(units="2"), "units"),
    "input-of-tb": (
        load, archive(sequential(thing("InputLayer", batch_shape=[None, 2**20, 2**20, 3]), FLATTEN,
                                 DENSE)), "GB|holds|shape|size|int",
    ),
    "input-beyond-int64": (
        load, archive(sequential(thing("InputLayer", batch_shape=[None, 2**40, 2**40, 3]), FLATTEN,
                                 DENSE)), "shape|size|input",
    ),
    "input-negative": (
        load, archive(sequential(thing("InputLayer", batch_shape=[None, -4, 4, 1]))),
        "shape|-4",
    ),
    "input-of-200-axes": (
        load, archive(sequential(thing("InputLayer", batch_shape=[None] + [1] * 200), FLATTEN,
                                 DENSE)), "shape|axes|dimension",
    ),
    "kernel-of-10-to-6": (
        load, archive(sequential(INPUT, thing("Conv2D", filters=2, kernel_size=[10**6, 10**6]),
                                 FLATTEN, DENSE)), "kernel|size|GB",
    ),
    "pool-of-zeros": (
        load, archive(sequential(INPUT, thing("MaxPooling2D", pool_size=[0, 0]), FLATTEN, DENSE)),
        "pool_size",
    ),
    "padding-of-2-to-31": (
        load, archive(sequential(INPUT, thing("ZeroPadding2D", padding=2**31), FLATTEN, DENSE)),
        "padding|GB|size|holds",
    ),
    "upsampling-of-10-to-9": (
        load, archive(sequential(INPUT, thing("UpSampling2D", size=[10**9, 10**9]), FLATTEN,
                                 DENSE)), "size|GB|holds",
    ),
    "reshape-mismatch": (
        load, archive(sequential(INPUT, thing("Reshape", target_shape=[7, 7]), FLATTEN, DENSE)),
        "shape",
    ),
    "repeat-of-10-to-12": (load, with_layer(thing("RepeatVector", n=10**12)), "RepeatVector|n"),
    "normalization-of-a-million": (
        load, with_layer(thing("Normalization", mean=[0.0] * 10**5, variance=[1.0])), "mean|shape",
    ),
    # Documents.
    "config-deep": (load, archive("[" * DEEP + "]" * DEEP), "deep|nested"),
    "config-deep-objects": (load, archive('{"config":' * DEEP), "deep|nested"),
    "config-nan": (load, archive('{"class_name": NaN}'), "NaN"),
    "config-key-twice": (load, archive('{"class_name": 1, "class_name": 2}'), "twice"),
    "config-not-utf-8": (load, archive(b'{"class_name": "\xff"}'), "JSON|UTF-8"),
    "config-5000-digits": (load, archive("[" + "9" * 5000 + "]"), "JSON|digits"),
    "config-no-json": (load, archive("__import__('os').system('id')"), "JSON"),
    "config-empty": (load, archive(b""), "JSON"),
    "config-number": (load, archive("7"), "config"),
    "config-list": (load, archive("[]"), "config"),
    "config-without-config": (load, archive({"class_name": "Sequential"}), "config"),
    "config-of-numbers": (load, archive({"class_name": "Sequential", "config": 5}), "config"),
    "layers-number": (load, archive(thing("Sequential", "keras", layers=1)), "layers"),
    "layers-of-numbers": (load, archive(sequential(1, 2)), "layer 0 .* no class_name"),
    "layer-without-class": (load, with_layer({"config": {}}), "class"),
    "layer-config-number": (load, with_layer({**RELU, "config": 3}), "config"),
    "layer-unknown-argument": (load, with_dense(evil=1), "evil"),
    "layer-name-of-a-megabyte": (load, with_dense(name="n" * MIB), "name"),
    "layer-name-twice": (load, archive(sequential(INPUT, FLATTEN, DENSE, DENSE)), "dense"),
    "layer-special-tensor": (load, with_layer(thing("__tensor__", None, value=[1])), "__tensor__"),
    "layer-special-numpy": (load, with_dense(units={"class_name": "__numpy__", "config": {
        "value": [2], "dtype": "object"}}), "units|__numpy__"),
    "layer-special-typespec": (load, with_dense(units={"class_name": "__typespec__",
        "spec_name": "os", "module": "os"}), "units|__typespec__"),
    "layer-special-slice": (load, with_dense(units={"class_name": "__slice__", "config": {}}),
                            "units|__slice__"),
    "dtype-object": (load, with_dense(dtype="object"), "object|dtype"),
    "dtype-policy-of-a-module": (
        load, with_dense(dtype=thing("system", "os", name="id")), "dtype|system",
    ),
    # Graphs.
    "graph-circle": (load, archive(CIRCLE), "'a' reads tensors .* that depend on its own"),
    "graph-of-itself": (load, archive(chain(("a", 0, 0))), "a"),
    "graph-missing-layer": (load, archive(chain(("z", 0, 0))), "z"),
    "graph-missing-call": (load, archive(chain(("in", 7, 0))), "reads tensors that no layer makes"),
    "graph-missing-result": (load, archive(chain(("in", 0, 9))), "9|in"),
    "graph-negative-result": (load, archive(chain(("in", 0, -1))), "-1|in"),
    "graph-output-missing": (load, archive(chain(("in", 0, 0), output=("z", 0, 0))), "z"),
    "graph-history-number": (load, archive(chain(("in", "0", None))), "in|history"),
    "graph-call-without-inputs": (
        load, archive(chain(calls=[{"args": [], "kwargs": {}}])), "a|input",
    ),
    "graph-call-number": (load, archive(chain(calls=[5])), "a|call"),
    "graph-network-in-itself": (
        load, archive(functional([at(INPUT, "in"), at(functional([], [], []), "net")],
                                 ["in", 0, 0], ["net", 0, 0])), "at least one input",
    ),
    # Zip files.
    "zip-bomb": (
        load, instead("config.json", b" " * (64 * MIB), zipfile.ZIP_DEFLATED), "config.json.* byt",
    ),
    "zip-bomb-of-weights": (
        load, instead("model.weights.h5", bytes(256 * MIB), zipfile.ZIP_DEFLATED),
        "model.weights.h5.* bytes",
    ),
    "zip-config-of-80-mib": (load, instead("config.json", b" " * (80 * MIB)), "bytes"),
    "zip-member-twice": (load, twice, "config.json' is there twice"),
    "zip-overlapping-members": (load, overlapping, "config.json|metadata|overlap"),
    "zip-in-itself": (load, quine, "HDF5"),
    "zip-20000-members": (load, many_members, "members"),
    "zip-absolute-name": (load, with_member("/etc/cron.d/x"), "leads out"),
    "zip-upward-name": (load, with_member("../../.bashrc"), "leads out"),
    "zip-backslashes": (load, with_member("..\\..\\x"), "leads out"),
    "zip-drive": (load, with_member("C:x"), "leads out"),
    "zip-symlink": (
        load, with_member("assets", "/etc", external_attr=(stat.S_IFLNK | 0o777) << 16), "a link",
    ),
    "zip-encrypted": (load, patched(CENTRAL, 8, "<H", 1), "encrypted"),
    "zip-lzma": (load, archive(packing=zipfile.ZIP_LZMA), "unusual way"),
    "zip-bzip2": (load, archive(packing=zipfile.ZIP_BZIP2), "unusual way"),
    "zip-method-99": (load, patched(CENTRAL, 10, "<H", 99), "unusual way"),
    "zip-wrong-checksum": (load, patched(CENTRAL, 16, "<L", 1), "damaged|checksum"),
    "zip-declares-4-gib": (load, patched(CENTRAL, 24, "<L", 2**32 - 2), "bytes"),
    "zip-packed-size-4-gib": (load, patched(CENTRAL, 20, "<L", 2**32 - 2), "4,294,967,294 bytes"),
    "zip-offset-behind-the-end": (load, patched(CENTRAL, 42, "<L", 2**31), "the whole archive has"),
    "zip-two-names": (load, patched(LOCAL, 30, "<B", ord("X")), "config.json"),
    "zip-without-config": (load, instead("config.json", None), "format_version"),
    "zip-without-weights": (load, instead("model.weights.h5", None), "format_version"),
    "zip-empty-weights": (load, instead("model.weights.h5", b""), "HDF5|model.weights.h5"),
    "zip-weights-pickle": (load, instead("model.weights.h5", b"cos\nsystem\n(S'id'\ntR."), "HDF5"),
    "zip-weights-of-zeros": (load, instead("model.weights.h5", zlib.compress(bytes(99))), "HDF5"),
    "zip-weights-of-another": (
        load, instead("model.weights.h5", hdf5(np.zeros((3, 3), "f"))), "dense",
    ),
    # Keras 2's and 3's whole models in HDF5.
    "h5-lambda": (
        load, lambda path: legacy_hdf5({"class_name": "Sequential", "config": {"layers": [
            {"class_name": "Lambda", "config": {"function": [CODE, None, None],
             "function_type": "lambda", "module": "os", "batch_input_shape": [None, 4]}}]}}),
        "Lambda",
    ),
    "h5-python-function": (
        load, lambda path: legacy_hdf5({"class_name": "Sequential", "config": {"layers": [
            {"class_name": "Dense", "config": {"units": 2, "activation": "__main__.run",
             "batch_input_shape": [None, 4]}}]}}),
        "__main__",
    ),
    "h5-config-deep": (load, lambda path: legacy_hdf5("[" * 60_000), "deep|nested"),
    "h5-config-no-json": (load, lambda path: legacy_hdf5("import os"), "JSON"),
    "h5-config-nan": (load, lambda path: legacy_hdf5('{"class_name": NaN}'), "NaN"),
    "h5-unknown-class": (
        load, lambda path: legacy_hdf5({"class_name": "os.system", "config": {}}), "os.system",
    ),
}  # fmt: skip
