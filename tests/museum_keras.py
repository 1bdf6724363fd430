"""Malicious and damaged files of Keras, made by hand, and what the error of each says."""

from __future__ import annotations

import io
import json
import pickle
import warnings
import zipfile

import numpy as np
from museum_files import Evil, zipped

import minicnn as mc

SECRET = "/etc/passwd"
MIB = 1 << 20
INPUT = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "x"}}


def dense(**changes):
    config = {"name": "end", "units": 2, "activation": "linear", **changes}
    return {"class_name": "Dense", "config": config}


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [INPUT, *layers]}}


def functional(layers, outputs, inputs=("x", 0, 0)):
    config = {
        "name": "net",
        "layers": layers,
        "input_layers": [list(inputs)],
        "output_layers": outputs,
    }
    return {"class_name": "Functional", "config": config}


def node(layer, *inputs):
    """A layer that is called once, as Keras 2 writes it."""
    return {
        **layer,
        "name": layer["config"]["name"],
        "inbound_nodes": [[list(one) for one in inputs]],
    }


def start():
    return {**INPUT, "name": "x", "inbound_nodes": []}


def good_weights(group, shape=(3, 2)):
    inner = group.create_group("layers/dense/vars")
    inner["0"], inner["1"] = np.ones(shape, "f"), np.zeros(2, "f")


def hdf5(fill):
    """The bytes of an HDF5 file."""
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        fill(file)
    return memory.getvalue()


def archive(config, fill=good_weights, packing=0, **more):
    """A `.keras` file with this config, and weights by `fill`."""
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    return lambda: zipped(
        {"metadata.json": b"{}", "config.json": text, "model.weights.h5": hdf5(fill), **more},
        packing,
    )


def legacy(config, fill=None, **attributes):
    """A `.h5` file with this config."""

    def write(file):
        text = config if isinstance(config, str) else json.dumps(config)
        file.attrs["model_config"] = text
        for name, value in attributes.items():
            file.attrs[name] = json.dumps(value)
        group = file.create_group("model_weights")
        (fill or good_legacy)(group)

    return lambda: hdf5(write)


def good_legacy(group):
    group.attrs["layer_names"] = [b"end"]
    inner = group.create_group("end")
    inner.attrs["weight_names"] = [b"end/kernel:0", b"end/bias:0"]
    inner["end/kernel:0"], inner["end/bias:0"] = np.ones((3, 2), "f"), np.zeros(2, "f")


def with_weights(fill):
    """A good config, and hostile weights."""
    return archive(sequential(dense()), fill)


def external_link(group):
    import h5py

    good_weights(group)
    del group["layers/dense/vars/0"]
    group["layers/dense/vars/0"] = h5py.ExternalLink(SECRET, "/x")


def external_group(group):
    import h5py

    group["layers"] = h5py.ExternalLink(SECRET, "/layers")


def soft_link(group):
    import h5py

    good_weights(group)
    del group["layers/dense/vars/0"]
    group["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense/vars/1")


def virtual(group):
    import h5py

    inner = group.create_group("layers/dense/vars")
    layout = h5py.VirtualLayout((3, 2), "f")
    layout[:] = h5py.VirtualSource(SECRET, "x", (3, 2))
    inner.create_virtual_dataset("0", layout)
    inner["1"] = np.zeros(2, "f")


def external_storage(group):
    inner = group.create_group("layers/dense/vars")
    inner.create_dataset("0", (3, 2), "f", external=[(SECRET, 0, 24)])
    inner["1"] = np.zeros(2, "f")


def declared_only(group):
    """A shape of 40 TB, of which not one byte is in the file."""
    inner = group.create_group("layers/dense/vars")
    inner.create_dataset("0", (10**7, 10**6), "f", chunks=(1000, 1000))
    inner["1"] = np.zeros(2, "f")


def zip_bomb(group):
    inner = group.create_group("layers/dense/vars")
    inner.create_dataset("0", data=np.zeros((8 * MIB,), "f"), compression="gzip")
    inner["1"] = np.zeros(2, "f")


def texts(group):
    inner = group.create_group("layers/dense/vars")
    inner["0"] = np.array([pickle.dumps(Evil())], "S")
    inner["1"] = np.zeros(2, "f")


def objects(group):
    import h5py

    inner = group.create_group("layers/dense/vars")
    inner.create_dataset("0", (3, 2), h5py.special_dtype(vlen=str))
    inner["1"] = np.zeros(2, "f")


def references(group):
    import h5py

    inner = group.create_group("layers/dense/vars")
    inner.create_dataset("0", (3, 2), h5py.ref_dtype)
    inner["1"] = np.zeros(2, "f")


def compound(group):
    inner = group.create_group("layers/dense/vars")
    inner.create_dataset("0", (3, 2), [("a", "f4"), ("b", "i4")])
    inner["1"] = np.zeros(2, "f")


def cycle(group):
    """A group that is inside itself."""
    inner = group.create_group("layers")
    inner["layers"] = inner["dense"] = inner["vars"] = inner


def one_more(group):
    good_weights(group)
    group["layers/dense/vars/2"] = np.zeros(1, "f")


def same_twice(group):
    """Names of weights, of which both are the same 32 MB."""
    group.attrs["layer_names"] = [b"end"]
    inner = group.create_group("end")
    inner.attrs["weight_names"] = [b"a"] * 40
    inner.create_dataset("a", data=np.zeros(MIB, "f"), compression="gzip")


def twice_named():
    """The bytes of an archive with two configs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python sees it, too
        for name in ("config.json", "model.weights.h5", "config.json"):
            packed.writestr(name, json.dumps(sequential(dense())))
    return file.getvalue()


def nested(depth):
    return b'{"class_name": ' + b"[" * depth + b"]" * depth + b"}"


LOAD = mc.load_model
CODE = ["4wEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAHMIAAAAfABkARQAUwA=", None, None]
LAMBDA = {"class_name": "Lambda", "config": {"name": "code", "function": CODE}}
LAMBDA3 = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {
        "name": "code",
        "function": {"class_name": "__lambda__", "config": {"code": "4wEA"}},
    },
}
OS = {
    "module": "os",
    "class_name": "system",
    "config": {"command": "id"},
    "registered_name": "system",
}


def layer(name, **config):
    return sequential({"class_name": name, "config": {"name": "evil", **config}})


# What is made, and what the error says.
KERAS_FILES = {
    # Code and other modules.
    "lambda-of-keras-2": (archive(sequential(LAMBDA)), "'code' is a Lambda with Python code"),
    "lambda-of-keras-2-h5": (legacy(sequential(LAMBDA)), "'code' is a Lambda with Python code"),
    "lambda-of-keras-3": (archive(sequential(LAMBDA3)), "'code' holds Python code"),
    "lambda-as-activation": (
        archive(sequential(dense(activation=LAMBDA3["config"]["function"]))), "Python code",
    ),
    "function-of-os": (archive(sequential(dense(activation=OS))), "module 'os'"),
    "function-named-system": (
        archive(sequential(dense(activation={**OS, "class_name": "function", "config": "system"}))),
        "function 'system'",
    ),
    "layer-of-os": (archive(sequential({**OS, "config": {"name": "evil"}})), "module 'os'"),
    "layer-of-a-stranger": (
        archive(sequential({**dense(), "module": "evil.layers", "class_name": "Layer7"})),
        "module 'evil.layers', which is not imported",
    ),
    "initializer-of-a-stranger": (
        archive(sequential(dense(kernel_initializer={**OS, "module": "evil"}))), "module 'evil'",
    ),
    "registered-name": (
        archive(sequential({**dense(), "class_name": "X", "registered_name": "evil>X"})), "'X'",
    ),
    "string-lookup": (archive(layer("StringLookup", vocabulary=SECRET)), "StringLookup"),
    "text-vectorization": (
        archive(layer("TextVectorization", vocabulary="http://169.254.169.254/")), "TextVector",
    ),
    "saved-model-layer": (archive(layer("TFSMLayer", filepath=SECRET)), "reads other files"),
    "torch-module": (archive(layer("TorchModuleWrapper", module="gASV")), "runs code"),
    "jax-layer": (archive(layer("JaxLayer", call_fn="x")), "runs code"),
    "tensorflow-operation": (
        legacy(layer("TFOpLambda", function="io.read_file")), "a TensorFlow operation",
    ),
    "get-file": (archive(layer("get_file", origin="http://127.0.0.1/x")), "get_file"),
    "dunder": (archive(layer("__class__")), "__class__"),
    "network-of-a-stranger": (
        archive({**sequential(dense()), "class_name": "Evil", "module": "evil"}), "module 'evil'",
    ),
    "optimizer-of-os": (
        archive({**sequential(dense()), "compile_config": {"optimizer": OS, "loss": "mse"}}),
        "module 'os'",
    ),
    "loss-of-os": (
        archive({**sequential(dense()), "compile_config": {"optimizer": "sgd", "loss": OS}}), "os",
    ),
    "metric-is-a-path": (
        legacy(sequential(dense()), training_config={
            "optimizer_config": {"class_name": "SGD", "config": {}}, "loss": "mse",
            "metrics": [SECRET],
        }),
        "training cannot be taken over",
    ),
    # Configs that are wrong, or ask for too much.
    "config-is-a-list": (archive([]), "must be a JSON object"),
    "config-is-empty": (archive({}), "no class_name"),
    "config-is-not-json": (archive(b"{'class_name': 1}"), "not the JSON that Keras writes"),
    "config-with-nan": (archive(b'{"a": NaN}'), "NaN"),
    "config-twice-a-key": (archive(b'{"a": 1, "a": 2}'), "there twice"),
    "config-100000-deep": (archive(nested(100_000)), "nested deeper"),
    "config-of-33-megabytes": (archive(b'"' + b"x" * 33 * MIB + b'"'), "bytes, over"),
    "no-layers": (
        archive({"class_name": "Sequential", "config": {"name": "n"}}), "no list of layers",
    ),
    "layers-is-a-number": (
        archive({"class_name": "Sequential", "config": {"layers": 3}}), "no list of layers",
    ),
    "layer-is-a-number": (archive(sequential(3)), "no class_name"),
    "layer-without-config": (archive(sequential({"class_name": "Dense"})), "config must be a dict"),
    "20000-layers": (
        archive({"class_name": "Sequential", "config": {"name": "n", "layers": [0] * 20_000}}),
        "20,000 layers",
    ),
    "units-of-2-to-31": (archive(sequential(dense(units=2**31 - 1))), "more than the file|GB"),
    "units-negative": (archive(sequential(dense(units=-1))), "units"),
    "units-is-a-list": (archive(sequential(dense(units=[1]))), "units"),
    "unknown-argument": (archive(sequential(dense(origin="http://x"))), "origin"),
    "shape-bomb": (
        archive({"class_name": "Sequential", "config": {"name": "n", "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None] + [2**31 - 1] * 3}},
            {"class_name": "Flatten", "config": {"name": "f"}}, dense()]}}),
        "x|built",
    ),
    "quantized": (archive(sequential(dense(dtype="int8"))), "computes in 'int8'"),
    "sparse-input": (
        archive(functional([{**start(), "config": {**INPUT["config"], "sparse": True}}],
                           [["x", 0, 0]])),
        "sparse",
    ),
    # Graphs.
    "graph-in-a-circle": (
        archive(functional([start(), node(dense(), ("end", 0, 0))], [["end", 0, 0]])),
        "depend on its own",
    ),
    "graph-with-a-hole": (
        archive(functional([start(), node(dense(), ("nobody", 0, 0))], [["end", 0, 0]])),
        "no layer 'nobody'",
    ),
    "graph-without-the-output": (
        archive(functional([start(), node(dense(), ("x", 0, 0))], [["end", 7, 0]])),
        "no output 0 of call 7",
    ),
    "graph-with-output-minus-1": (
        archive(functional([start(), node(dense(), ("x", 0, 0))], [["end", 0, -1]])), "no output",
    ),
    "graph-with-call-minus-1": (
        archive(functional([start(), node(dense(), ("x", 0, 0))], [["end", -1, 0]])), "no output",
    ),
    "graph-of-one-name": (
        archive(functional([start(), node(dense(), ("x", 0, 0)), node(dense(), ("x", 0, 0))],
                           [["end", 0, 0]])),
        "two layers of one name",
    ),
    "graph-without-ends": (archive(functional([start()], [])), "n"),
    "graph-with-text": (archive(functional([start()], "x")), "must be lists"),
    "history-is-text": (
        archive(functional([start(), {**dense(), "name": "end", "inbound_nodes": [
            {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": "x"}}],
             "kwargs": {}}]}], [["end", 0, 0]])),
        "keras_history",
    ),
    # HDF5.
    "external-link": (with_weights(external_link), "ExternalLink"),
    "external-link-to-a-group": (with_weights(external_group), "ExternalLink"),
    "soft-link": (with_weights(soft_link), "SoftLink"),
    "virtual-data-set": (with_weights(virtual), "in another file"),
    "external-storage": (with_weights(external_storage), "in another file"),
    "declared-only": (with_weights(declared_only), "declares 40,000,000,000,000 bytes"),
    "hdf5-bomb": (with_weights(zip_bomb), "declares 33,554,432 bytes"),
    "data-set-of-texts": (with_weights(texts), "weights are numbers"),
    "data-set-of-objects": (with_weights(objects), "weights are numbers"),
    "data-set-of-references": (with_weights(references), "weights are numbers"),
    "data-set-of-records": (with_weights(compound), "weights are numbers"),
    "group-inside-itself": (with_weights(cycle), "weights"),
    "no-weights": (with_weights(lambda group: None), "has 0 weights"),
    "one-weight-too-many": (with_weights(one_more), "has 3 weights"),
    "weights-of-another-shape": (
        with_weights(lambda group: good_weights(group, (2, 3))), r"\(2, 3\)",
    ),
    "same-array-40-times": (legacy(sequential(dense()), same_twice), "weights"),
    "layer-names-are-numbers": (
        legacy(sequential(dense()), lambda g: g.attrs.update({"layer_names": [1, 2]})),
        "not a text",
    ),
    "layer-name-upward": (
        legacy(sequential(dense()), lambda g: g.attrs.update({"layer_names": [b"../../x"]})),
        "weights",
    ),
    "model-config-is-a-number": (lambda: hdf5(lambda f: f.attrs.update(model_config=3)), "a text"),
    "model-config-is-not-utf-8": (
        lambda: hdf5(lambda f: f.attrs.update(model_config=np.bytes_(b"\xff{}"))), "damaged|UTF",
    ),
    "weights-alone": (lambda: hdf5(good_weights), "weights alone"),
    "hdf5-header-alone": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(88), "damaged"),
    "hdf5-cut": (lambda: legacy(sequential(dense()))()[:1500], "damaged"),
    # Archives.
    "archive-member-upward": (
        archive(sequential(dense()), **{"assets/../../evil": b"x"}), "leads out of the archive",
    ),
    "archive-member-absolute": (archive(sequential(dense()), **{"/evil": b"x"}), "leads out"),
    "archive-member-of-windows": (archive(sequential(dense()), **{"C:/evil": b"x"}), "leads out"),
    "archive-member-twice": (twice_named, "there twice"),
    "archive-link": (
        lambda: zipped({"config.json": b"{}", "model.weights.h5": SECRET.encode()}, mode=0o120777),
        "is a link",
    ),
    "archive-bomb": (
        lambda: zipped({"config.json": bytes(64 * MIB), "model.weights.h5": b""}), "at most",
    ),
    "archive-asset-bomb": (
        archive(sequential(dense()), **{"assets/a.txt": bytes(64 * MIB)}, packing=8), "at most",
    ),
    "archive-cut": (lambda: archive(sequential(dense()))()[:-60], "archive|begins|header|member"),
    "archive-weights-are-text": (
        lambda: zipped({"config.json": json.dumps(sequential(dense())).encode(),
                        "model.weights.h5": b"text"}, 0),
        "damaged",
    ),
}  # fmt: skip
