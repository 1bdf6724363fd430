"""Hostile files of Caffe: layers of Python and of other files, blobs that lie, text bombs."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from museum_onnx import varint

import minicnn as mc

MIB = 1 << 20
DEEP = 100_000
WEIGHTS = "x.caffemodel"  # beside the net "x"


# --- readers ------------------------------------------------------------------------------------


def load(path):
    mc.load_model(path)


def with_weights(path):
    """Load a net with the weights beside it."""
    mc.interop.caffe.load(path, path.with_name(WEIGHTS))


def mean(path):
    mc.interop.caffe.read_mean(path)


# --- texts --------------------------------------------------------------------------------------

INPUT = 'name: "net" input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n'


def layer(kind: str, said: str = "", bottom: str = "data", top: str = "y", name: str = "a") -> str:
    """The text of a layer; names of bottoms and tops are separated by spaces."""
    ends = [f'bottom: "{b}"' for b in bottom.split()] + [f'top: "{t}"' for t in top.split()]
    return f'layer {{ name: "{name}" type: "{kind}" {" ".join(ends)} {said} }}\n'


def text(*layers: str, start: str = INPUT):
    return lambda path: (start + "".join(layers)).encode()


def old(kind: str, said: str = "", bottom: str = "data", top: str = "y") -> str:
    """The text of a layer of V1."""
    return f'layers {{ name: "a" type: {kind} bottom: "{bottom}" top: "{top}" {said} }}\n'


RELU = layer("ReLU")


def inputs(*lengths: Any) -> str:
    return 'input: "data" ' + "".join(f"input_dim: {n} " for n in lengths)


def shape(*lengths: Any) -> str:
    return 'input: "data" input_shape { ' + "".join(f"dim: {n} " for n in lengths) + "}"


def convolution(said: str) -> str:
    return layer("Convolution", f"convolution_param {{ {said} }}")


CONV = convolution("num_output: 2 kernel_size: 3")


# --- binary nets --------------------------------------------------------------------------------


def field(number: int, content: Any) -> bytes:
    """One field of a message: an integer, or what has a length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content % 2**64)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def numbers(values: Any) -> bytes:
    return np.asarray(values, "<f4").tobytes()


def blob(dims: Any = (2, 3, 3, 3), data: bytes | None = None, more: bytes = b"") -> bytes:
    """A BlobProto; `data` are as many numbers as its shape says unless given."""
    packed = b"".join(varint(n % 2**64) for n in dims)
    data = bytes(4 * int(np.prod(dims))) if data is None else data
    return field(7, field(1, packed)) + field(5, data) + more


def old_blob(*lengths: int, data: bytes = b"") -> bytes:
    return b"".join(field(i + 1, n) for i, n in enumerate(lengths)) + field(5, data)


BIAS = blob((2,))


def weights(*blobs: bytes, name: str = "a", kind: str = "Convolution") -> bytes:
    """A net of weights with one layer."""
    said = b"".join(field(7, one) for one in blobs)
    return field(1, "net") + field(100, field(1, name) + field(2, kind) + said)


def pair(*blobs: bytes, net: str = INPUT + CONV, **more: Any):
    """A net, and its weights beside it."""

    def make(path):
        path.with_name(WEIGHTS).write_bytes(weights(*blobs, **more))
        return net.encode()

    return make


def beside(content: bytes, net: str = INPUT + CONV):
    def make(path):
        path.with_name(WEIGHTS).write_bytes(content)
        return net.encode()

    return make


def v1_number(kind: int) -> bytes:
    """A binary net of V1 whose layer has a type that V1 does not have."""
    ends = field(2, "data") + field(3, "y")
    dims = b"".join(field(4, n) for n in (1, 3, 8, 8))
    return field(3, "data") + dims + field(2, ends + field(4, "a") + field(5, kind))


def nested(depth: int) -> bytes:
    """A layer in a layer, of V0 in V1; deeper than any net."""
    data = b""
    for _ in range(depth):
        data = field(1, data)
    return field(1, "net") + field(2, field(4, "a") + data)


CONV_WEIGHTS = (blob(), BIAS)
DENSE = layer("InnerProduct", "inner_product_param { num_output: 2 }")
PADDING = 'layers { layer { name: "p" type: "padding" pad: 1 } top: "p" }\n'
NO_READ = "reads .*, which no layer before it gives"
HONEST = {
    "net": (load, text(RELU)),
    "net-of-v1": (load, text(old("RELU"))),
    "net-with-weights": (with_weights, pair(*CONV_WEIGHTS)),
    "mean": (mean, lambda path: old_blob(1, 3, 2, 2, data=bytes(48))),
}
EXHIBITS = {
    # Layers of code and of other files.
    "python-layer": (
        load, text(layer("Python", 'python_param { module: "os" layer: "system" }')),
        "'a'.*type",
    ),
    "hdf5-data": (
        load, text(layer("HDF5Data", 'hdf5_data_param { source: "/etc/passwd" batch_size: 1 }',
                         bottom="", top="data"), RELU, start='name: "n"\n'), "size of the images",
    ),
    "image-data": (
        load, text(layer("ImageData", 'image_data_param { source: "/etc/passwd" root_folder: "/" }',
                         bottom="", top="data"), RELU, start='name: "n"\n'), "size of the images",
    ),
    "data-of-lmdb": (
        load, text(layer("Data", 'data_param { source: "../../x" backend: LMDB }', bottom="",
                         top="data"), RELU, start='name: "n"\n'), "size of the images",
    ),
    "window-data": (
        load, text(layer("WindowData", "", bottom="", top="data"), RELU, start='name: "n"\n'),
        "size of the images",
    ),
    "hdf5-output": (
        load, text(layer("HDF5Output", 'hdf5_output_param { file_name: "/tmp/evil" }')),
        "computes nothing",
    ),
    "unknown-layer": (load, text(layer("__import__('os')")), "type"),
    "layer-with-terminal-codes": (load, text(layer(r"\033[2J")), "type"),
    # The text.
    "text-deep-messages": (load, text("layer {" * DEEP), "not the text|nested"),
    "text-deep-unknown": (load, text(RELU, "evil {" * DEEP), "not the text|nested"),
    "text-deep-lists": (load, text(RELU, "evil: " + "[" * DEEP), "not the text"),
    "text-of-16-mib": (load, text(RELU, "#" * (16 * MIB)), "at most"),
    "text-of-a-million-dims": (load, text(RELU, "input_dim: 1 " * 600_000), "too many"),
    "text-of-a-million-layers": (load, text('layer{name:"a"type:"ReLU"}' * 250_000), "too many"),
    "text-of-unknown-fields": (load, text(RELU, "a{}" * 500_000), "too many"),
    "text-of-comments": (load, text("#\n" * 2_000_000, RELU), "begins with|too many"),
    "text-string-without-end": (load, text('layer { name: "' + "x" * MIB), "not the text"),
    "text-escapes-not-utf-8": (
        load, text(layer("ReLU", name=r"\377\376")), "not the text|UTF-8|name",
    ),
    "text-not-utf-8": (load, lambda path: INPUT.encode() + b'layer { name: "\xff" }', "UTF-8"),
    "text-cut": (load, text(RELU[:-3]), "not the text"),
    "text-integer-of-5000-digits": (load, text(RELU, start=inputs("9" * 5000)), "not the text"),
    "text-integer-of-100-digits": (load, text(RELU, start=inputs("9" * 100)), "not the text"),
    "text-float-for-integer": (load, text(RELU, start=inputs("1.5")), "not the text"),
    "text-enum-unknown": (load, text(old("SYSTEM")), "not the text"),
    "text-any-message": (
        load, text(RELU, "[type.googleapis.com/google.protobuf.Any] { }"), "not the text",
    ),
    "text-both-forms": (load, text(RELU, old("RELU")), "old form"),
    "empty-layer": (load, text("layer { }"), "reads nothing"),
    # Sizes.
    "input-dim-0": (load, text(RELU, start=inputs(1, 0, 8, 8)), "shape"),
    "input-dim-negative": (load, text(RELU, start=inputs(1, -3, 8, 8)), "shape"),
    "input-dim-2-to-31": (load, text(RELU, start=inputs(1, 3, 2**31, 8)), "not the text"),
    "input-dim-2-to-31-minus-1": (
        load, text(DENSE, start=inputs(1, 2**31 - 1, 2**31 - 1, 2**31 - 1)),
        "GB|more than|shape|size",
    ),
    "input-dim-missing": (load, text(RELU, start=inputs(1)), "shape"),
    "input-without-size": (load, text(RELU, start='input: "data" '), "shape|size"),
    "input-shape-2-to-63": (load, text(RELU, start=shape(1, 3, 2**63 - 1, 8)), "shape"),
    "input-shape-negative": (load, text(RELU, start=shape(1, -3, 8, 8)), "shape"),
    "input-shape-10000-axes": (load, text(RELU, start='name: "n" ' + shape(*[1] * 2000)), "shape"),
    "no-input": (load, text(RELU, start='name: "n" '), NO_READ),
    "outputs-2-to-32": (load, text(convolution("num_output: 4294967295 kernel_size: 3")),
                        "GB|more than|num_output|filters"),
    "outputs-0": (load, text(convolution("num_output: 0 kernel_size: 3")), "filters|num_output"),
    "outputs-missing": (load, text(convolution("kernel_size: 3")), "filters|num_output"),
    "outputs-negative": (load, text(convolution("num_output: -1")), "not the text"),
    "kernel-0": (load, text(convolution("num_output: 2 kernel_size: 0")), "kernel"),
    "kernel-missing": (load, text(convolution("num_output: 2")), "kernel"),
    "kernel-larger-than-the-image": (load, text(convolution("num_output: 2 kernel_size: 9")), "a"),
    "kernel-2-to-31": (load, text(convolution("num_output: 2 kernel_size: 2147483648")), "a"),
    "kernel-of-three": (
        load, text(convolution("num_output: 2 kernel_size: 1 kernel_size: 1 kernel_size: 1")), "a",
    ),
    "stride-0": (load, text(convolution("num_output: 2 kernel_size: 3 stride: 0")), "stride"),
    "dilation-0": (load, text(convolution("num_output: 2 kernel_size: 3 dilation: 0")), "dilation"),
    "group-0": (load, text(convolution("num_output: 2 kernel_size: 3 group: 0")), "group"),
    "group-other": (load, text(convolution("num_output: 2 kernel_size: 3 group: 7")), "group"),
    "axis-out-of-range": (load, text(layer("Softmax", "softmax_param { axis: 99 }")), "axis"),
    "concat-of-one-axis": (load, text(layer("Concat", "concat_param { axis: -99 }",
                                            bottom="data data")), "axis"),
    "tile-10-to-9": (
        load, text(layer("Tile", "tile_param { tiles: 2147483647 }")), "2147483647 ti",
    ),
    "tile-negative": (load, text(layer("Tile", "tile_param { tiles: -1 }")), "-1 times"),
    "reshape-mismatch": (
        load, text(layer("Reshape", "reshape_param { shape { dim: 0 dim: 7 dim: 7 } }")), "shape",
    ),
    "reshape-two-unknown": (
        load, text(layer("Reshape", "reshape_param { shape { dim: -1 dim: -1 } }")), "shape",
    ),
    "reshape-2-to-62": (
        load, text(layer("Reshape", f"reshape_param {{ shape {{ dim: 0 dim: {2**62} dim: 4 }} }}")),
        "shape",
    ),
    "slice-behind-the-end": (
        load, text(layer("Slice", "slice_param { slice_point: 99 }", top="y z")), "does not fit",
    ),
    "slice-backwards": (
        load, text(layer("Slice", "slice_param { slice_point: 2 slice_point: 1 }", top="y z v")),
        "does not fit",
    ),
    "crop-behind-the-end": (
        load, text(layer("Crop", "crop_param { offset: 99 }", bottom="data data")), "crop|offset|a",
    ),
    "permute-twice": (
        load, text(layer("Permute", "permute_param { order: 0 order: 1 order: 1 order: 2 }")),
        "order",
    ),
    "pool-kernel-0": (
        load, text(layer("Pooling", "pooling_param { kernel_size: 0 }")), "kernel|pool",
    ),
    "pool-stride-0": (
        load, text(layer("Pooling", "pooling_param { kernel_size: 2 stride: 0 }")), "stride",
    ),
    "lrn-size-0": (load, text(layer("LRN", "lrn_param { local_size: 0 }")), "local_size|size"),
    "dropout-ratio-9": (
        load, text(layer("Dropout", "dropout_param { dropout_ratio: 9 }")), "ratio|rate",
    ),
    "power-nan": (load, text(layer("Exp", "exp_param { base: nan }")), "base"),
    "weights-of-tb": (
        load, text(DENSE.replace("num_output: 2", "num_output: 2147483647"),
                   start=shape(1, 3, 1000, 1000)), "GB|more than",
    ),
    # Graphs.
    "circle": (
        load, text(layer("ReLU", bottom="b", top="a"), layer("ReLU", bottom="a", top="b")), NO_READ,
    ),
    "layer-of-itself": (load, text(layer("Eltwise", bottom="data y")), NO_READ),
    "bottom-missing": (load, text(layer("ReLU", bottom="nowhere")), NO_READ),
    "no-bottom": (load, text(layer("ReLU", bottom="")), "reads nothing"),
    "no-top-for-two": (load, text(layer("ReLU", top="y z")), "2 results"),
    "100000-tops": (
        load, text(layer("Split", top=" ".join(f"t{i}" for i in range(100_000)))), "too many",
    ),
    "eltwise-of-two-shapes": (
        load, text(CONV.replace('top: "y"', 'top: "z"'), layer("Eltwise", bottom="data z")),
        "shape",
    ),
    # Weights.
    "blob-too-short": (with_weights, pair(blob(data=bytes(8)), BIAS), "should have 54 numbers"),
    "blob-too-long": (with_weights, pair(blob(data=bytes(400)), BIAS), "should have 54 numbers"),
    "blob-half-a-number": (with_weights, pair(blob(data=bytes(217)), BIAS), "should have 54"),
    "blob-other-shape": (with_weights, pair(blob((3, 3, 3, 3)), BIAS), "need"),
    "blob-negative": (with_weights, pair(blob((-2, 3, 3, 3), b""), BIAS), "impossible shape"),
    "blob-two-negatives": (
        with_weights, pair(blob((-2, -3, 3, 3), bytes(216)), BIAS), "impossible shape",
    ),
    "blob-2-to-62": (with_weights, pair(blob((2**62, 4), b""), BIAS), "impossible shape"),
    "blob-of-tb": (with_weights, pair(blob((2**20, 2**20), b""), BIAS), "should have"),
    "blob-2-to-64-and-0": (with_weights, pair(blob((2**31 - 1,) * 3, b""), BIAS), "should have"),
    "blob-10000-axes": (
        with_weights, pair(blob((1,) * 10_000, bytes(4)), BIAS), "impossible shape",
    ),
    "blob-old-negative": (
        with_weights, pair(old_blob(-2, 3, 3, 3, data=bytes(216)), BIAS), "impossible shape",
    ),
    "blob-double-and-short": (
        with_weights, pair(blob(data=b"") + field(8, bytes(216)), BIAS), "should have 54",
    ),
    "blob-missing": (with_weights, pair(blob()), "needs 2 blobs"),
    "blob-empty": (with_weights, pair(b"", b""), "should have|need"),
    "weights-of-another-net": (with_weights, pair(*CONV_WEIGHTS, name="z"), "of another one"),
    "weights-of-text": (with_weights, beside(INPUT.encode()), "no NetParameter|layers"),
    "weights-empty": (with_weights, beside(b""), "layers"),
    "weights-pickle": (with_weights, beside(b"\x80\x02cos\nsystem\n."), "no NetParameter"),
    "weights-cut": (with_weights, beside(weights(*CONV_WEIGHTS)[:-9]), "no NetParameter"),
    "weights-length-2-to-63": (
        with_weights, beside(field(1, "n") + b"\xa2\6" + varint(2**63)), "no NetParameter",
    ),
    "weights-groups-deep": (with_weights, beside(b"\x0b" * DEEP), "no NetParameter"),
    "weights-million-layers": (
        with_weights, beside(field(100, field(1, "a")) * 200_000), "10,000 layers",
    ),
    "weights-nested": (with_weights, beside(nested(5000)), "UTF-8"),
    "weights-both-forms": (
        with_weights, beside(weights(*CONV_WEIGHTS) + field(2, field(4, "a"))), "old form",
    ),
    "v0-padding-of-nothing": (load, text(PADDING), "must pad one input"),
    "v1-type-99": (load, lambda path: v1_number(99), "no type"),
    "v1-type-negative": (load, lambda path: v1_number(-1), "no type"),
    "v1-type-none": (load, lambda path: v1_number(0), "no type"),
    "binary-python-layer": (
        load, lambda path: field(1, "n") + field(100, field(1, "a") + field(2, "Python")
                                                 + field(130, field(1, "os") + field(2, "system"))),
        r"\(Python\) reads nothing",
    ),
    # Mean images.
    "mean-too-short": (mean, lambda path: old_blob(1, 3, 2, 2, data=bytes(8)), "12 numbers"),
    "mean-negative": (mean, lambda path: old_blob(1, -3, 2, 2, data=bytes(8)), "impossible shape"),
    "mean-of-tb": (mean, lambda path: old_blob(1, 2**20, 2**20, 9), "should have"),
    "mean-of-two-images": (
        mean, lambda path: old_blob(2, 3, 2, 2, data=bytes(96)), "no mean image",
    ),
    "mean-of-a-vector": (mean, lambda path: blob((12,)), "no mean image"),
    "mean-empty": (mean, lambda path: b"", "numbers|mean image"),
    "mean-text": (mean, lambda path: b"hello", "no BlobProto"),
    "mean-net": (mean, lambda path: weights(*CONV_WEIGHTS), "no mean image"),
    "mean-length-2-to-31": (mean, lambda path: b"\x2a" + varint(2**31) + bytes(9), "no BlobProto"),
    "mean-nan-lengths": (
        mean, lambda path: struct.pack("<B4f", 0x2A, *[np.nan] * 4), "no BlobProto",
    ),
}  # fmt: skip
# Nets that are read, as nothing of this size is made for them, and that cannot run.
TOO_LARGE = {
    "pad": text(convolution("num_output: 2 kernel_size: 3 pad: 2147483647")),
    "joined-with-itself": text(
        *(
            layer("Concat", bottom=f"{a} {a}", top=f"t{i}", name=f"c{i}")
            for i, a in enumerate(["data", *[f"t{i}" for i in range(59)]])
        )
    ),
}
