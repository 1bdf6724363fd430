"""Hostile files of PyTorch: pickles that call functions, tensors that leave their storage."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from typing import Any

from museum_archives import zipped
from museum_files import Evil

import minicnn as mc

MIB = 1 << 20
KERNEL, BIAS = struct.pack("<12f", *range(12)), struct.pack("<3f", *range(3))


def into_network(path):
    """Load weights into a network of one layer, with 4 inputs and 3 outputs."""
    layer = mc.layers.Dense(3, name="fc")
    mc.Sequential([mc.layers.Input((4,)), layer]).load_weights(path)


def load(path):
    mc.load_model(path)


# --- pickles, instruction by instruction --------------------------------------------------------


class Raw(bytes):
    """Instructions of a pickle, as they are."""


def name(module: str, attribute: str) -> Raw:
    return Raw(f"c{module}\n{attribute}\n".encode())


def call(function: Raw, *arguments: Any) -> Raw:
    return Raw(function + code(arguments) + b"R")


def code(value: Any) -> bytes:
    """The instructions that build a value."""
    match value:
        case Raw():
            return value
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int() if -(2**31) <= value < 2**31:
            return b"J" + struct.pack("<i", value)
        case int():
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(data)]) + data
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case tuple():
            return b"(" + b"".join(map(code, value)) + b"t"
        case list():
            return b"](" + b"".join(map(code, value)) + b"e"
        case dict():
            return b"}(" + b"".join(code(k) + code(v) for k, v in value.items()) + b"u"
    raise TypeError(value)


def pickled(value: Any) -> bytes:
    return b"\x80\x02" + code(value) + b"."


# --- tensors ------------------------------------------------------------------------------------

REBUILD = name("torch._utils", "_rebuild_tensor_v2")
ORDERED = name("collections", "OrderedDict")


def storage(
    key: Any = "0", size: Any = 12, kind: Any = None, what: Any = "storage", more: Any = ()
):
    """A persistent id of a storage."""
    kind = name("torch", "FloatStorage") if kind is None else kind
    return Raw(code((what, kind, key, "cpu", size, *more)) + b"Q")


def tensor(
    of: Any = None,
    offset: Any = 0,
    shape: Any = (3, 4),
    strides: Any = (4, 1),
    legacy: bool = False,
) -> Raw:
    of = storage(more=(None,) if legacy else ()) if of is None else of
    return call(REBUILD, of, offset, shape, strides, False, call(ORDERED))


def bias(legacy: bool = False) -> Raw:
    return tensor(storage("1", 3, more=(None,) if legacy else ()), 0, (3,), (1,))


def weights(weight: Any = None, **more: Any) -> dict[str, Any]:
    return {"fc.weight": tensor() if weight is None else weight, "fc.bias": bias(), **more}


def members(value: Any = None, **changes: Any) -> dict[str, Any]:
    content = value if isinstance(value, bytes) and not isinstance(value, Raw) else None
    found = {
        "archive/data.pkl": pickled(weights() if value is None else value)
        if content is None
        else content,
        "archive/byteorder": b"little",
        "archive/data/0": KERNEL,
        "archive/data/1": BIAS,
        "archive/version": b"3\n",
        **changes,
    }
    return {k: v for k, v in found.items() if v is not None}


def archive(value: Any = None, changes: Any = None, **options: Any):
    """A file as `torch.save` writes it: of an object, or of the bytes of a pickle."""
    return lambda path: zipped(members(value, **(changes or {})), **options)


def with_weight(*arguments: Any, **options: Any):
    return archive(weights(tensor(*arguments, **options)))


MAGIC = 0x1950A86A20F9469CFC6C


def stream(
    value: Any = None, magic: Any = MAGIC, protocol: Any = 1001, keys: Any = ("0", "1"),
    counts: Any = (12, 3), data: Any = (KERNEL, BIAS),
):  # fmt: skip
    """A file of PyTorch before 1.6: pickles, one after the other, and the storages."""
    if value is None:
        value = {"fc.weight": tensor(legacy=True), "fc.bias": bias(legacy=True)}
    facts = {"protocol_version": 1001, "little_endian": True}
    parts = [pickled(magic), pickled(protocol), pickled(facts)]
    parts.append(value if type(value) is bytes else pickled(value))
    parts.append(pickled(list(keys)))
    parts += [struct.pack("<q", n) + one for n, one in zip(counts, data, strict=True)]
    return lambda path: b"".join(parts)


def twice(path):
    """An archive with two pickles of one name; programs differ in which one they take."""
    file = io.BytesIO(zipped(members()))
    with zipfile.ZipFile(file, "a") as more:
        more.writestr("archive/data.pkX", pickle.dumps(Evil()))
    return file.getvalue().replace(b"data.pkX", b"data.pkl")


def doubling(path):
    """A pickle whose objects double 64 times."""
    data = b"\x80\x02]q\0" + b"(h\0h\0lq\0" * 64 + b"."
    return zipped(members(data))


def overlapping(path):
    """An archive in which the directory gives two storages the same bytes."""
    data = bytearray(zipped(members()))
    entries = [i for i in range(len(data)) if data[i : i + 4] == b"PK\1\2"]
    data[entries[3] + 42 : entries[3] + 46] = data[entries[2] + 42 : entries[2] + 46]
    return bytes(data)


EVIL = pickle.dumps(Evil(), 2)
NOT_TENSOR = r"asks for (posix|nt)\.system, which is no tensor"
HONEST = {
    "archive": (into_network, archive()),
    "archive-of-a-checkpoint": (into_network, archive({"epoch": 3, "state_dict": weights()})),
    "stream": (into_network, stream()),
}
EXHIBITS = {
    # Pickles that call.
    "os-system": (into_network, archive(EVIL), NOT_TENSOR),
    "os-system-protocol-0": (into_network, archive(pickle.dumps(Evil(), 0)), NOT_TENSOR),
    "os-system-protocol-4": (into_network, archive(pickle.dumps(Evil(), 4)), NOT_TENSOR),
    "os-system-in-a-stream": (into_network, stream(EVIL), NOT_TENSOR),
    "os-system-as-model": (load, archive(EVIL), "holds weights alone"),
    "eval": (into_network, archive(call(name("builtins", "eval"), "1")), "builtins.eval"),
    "exec-of-python-2": (
        into_network, archive(call(name("__builtin__", "exec"), "1")), "__builtin",
    ),
    "getattr": (into_network, archive(call(name("builtins", "getattr"), "a", "b")), "getattr"),
    "numpy-load": (into_network, archive(call(name("numpy", "load"), "/etc/passwd")), "numpy.load"),
    "numpy-testing": (
        into_network, archive(call(name("numpy.testing._private.utils", "runstring"), "1", {})),
        "runstring",
    ),
    "torch-load": (into_network, archive(call(name("torch", "load"), "x")), "torch.load"),
    "torch-hub": (
        into_network, archive(call(name("torch.hub", "load"), "x", "y")), "torch.hub.load",
    ),
    "torch-jit": (
        into_network, archive(call(name("torch.jit", "load"), "x")), "torch.jit.load",
    ),
    "whole-network": (into_network, archive(call(name("torchvision.models", "ResNet"))), "ResNet"),
    "marshal": (into_network, archive(call(name("marshal", "loads"), "x")), "marshal.loads"),
    "import-module": (
        into_network, archive(call(name("importlib", "import_module"), "os")), "import_module",
    ),
    "name-with-dots": (
        into_network, archive(call(name("collections", "OrderedDict.__init__.__globals__"))),
        "__globals__",
    ),
    "name-on-the-stack": (
        into_network, archive(b"\x80\x04\x8c\2os\x8c\6system\x93\x8c\2id\x85R."), r"os\.system",
    ),
    "instance": (into_network, archive(b"\x80\x02(S'id'\nios\nsystem\n."), "INST"),
    "object": (into_network, archive(b"\x80\x02(cos\nsystem\nS'id'\no."), r"os\.system"),
    "new-object": (into_network, archive(b"\x80\x02ccollections\nOrderedDict\n)\x81."), "NEWOBJ"),
    "extension": (into_network, archive(b"\x80\x02\x82\x01."), "EXT1"),
    "build-of-a-tensor": (
        into_network, archive(weights(Raw(tensor() + code({"__class__": 1}) + b"b"))), "state",
    ),
    "build-of-a-name": (
        into_network, archive(weights(Raw(REBUILD + code({"a": 1}) + b"b"))), "state",
    ),
    "call-of-a-text": (into_network, archive(weights(Raw(code("os.system") + b")R"))), "calls"),
    "call-of-a-tensor": (into_network, archive(weights(Raw(tensor() + b")R"))), "calls"),
    "ordered-dict-of-arguments": (
        into_network, archive(weights(call(ORDERED, [("a", 1)]))), "another way",
    ),
    # References.
    "reference-text": (into_network, archive(b"\x80\x02P/etc/passwd\n."), "PERSID"),
    "reference-number": (into_network, archive(Raw(code(7) + b"Q")), "reference"),
    "reference-module": (into_network, with_weight(storage(what="module")), "reference"),
    "reference-of-four": (
        into_network, with_weight(Raw(code(("storage", name("torch", "FloatStorage"), "0", "cpu"))
                                      + b"Q")), "reference",
    ),
    "reference-kind-text": (into_network, with_weight(storage(kind="FloatStorage")), "reference"),
    "reference-kind-dict": (into_network, with_weight(storage(kind=ORDERED)), "reference"),
    "reference-kind-foreign": (
        into_network, with_weight(storage(kind=name("os", "system"))), r"os\.system",
    ),
    "reference-quantized": (
        into_network, with_weight(storage(kind=name("torch", "QInt8Storage"))), "QInt8Storage",
    ),
    "reference-key-number": (into_network, with_weight(storage(key=0)), "reference"),
    "reference-view": (
        into_network, stream({"fc.weight": tensor(storage(more=(("0", 0, 12),)))}),
        "part of another",
    ),
    "key-upward": (
        into_network, with_weight(storage(key="../../../etc/passwd")), "storage '../../",
    ),
    "key-absolute": (
        into_network, with_weight(storage(key="/etc/passwd")), "storage '/etc/passwd'",
    ),
    "key-of-the-pickle": (into_network, with_weight(storage(key="../data.pkl")), "storage"),
    "key-foreign": (into_network, with_weight(storage(key="99")), "storage '99' has 0 bytes"),
    "size-negative": (into_network, with_weight(storage(size=-12)), "reference"),
    "size-float": (into_network, with_weight(storage(size=12.0)), "reference"),
    "size-true": (into_network, with_weight(storage(size=True)), "reference"),
    "size-2-to-70": (into_network, with_weight(storage(size=2**70)), "reference"),
    "size-of-tb": (into_network, with_weight(storage(size=2**36)), "needs 274,877,906,944"),
    "size-beyond-the-member": (into_network, with_weight(storage(size=13)), "has 48 bytes .*52"),
    "kind-of-8-bytes": (
        into_network, with_weight(storage(kind=name("torch", "DoubleStorage"))), "needs 96",
    ),
    # Tensors.
    "offset-behind-the-end": (into_network, with_weight(offset=1), "reaches number 12"),
    "offset-negative": (into_network, with_weight(offset=-1), "begins"),
    "offset-2-to-63": (into_network, with_weight(offset=2**63), "begins"),
    "offset-float": (into_network, with_weight(offset=0.0), "begins"),
    "shape-negative": (into_network, with_weight(shape=(-3, -4)), "strides"),
    "shape-float": (into_network, with_weight(shape=(3.0, 4.0)), "strides"),
    "shape-text": (into_network, with_weight(shape="34"), "strides"),
    "shape-2-to-40": (into_network, with_weight(shape=(2**40, 2**40)), "strides"),
    "shape-overflow": (
        into_network, with_weight(shape=(2**30, 2**30, 2**30), strides=(0, 0, 0)), "larger than",
    ),
    "shape-larger-than-storage": (into_network, with_weight(shape=(4, 4)), "larger than"),
    "shape-repeats-one-number": (
        into_network, with_weight(shape=(2**20, 2**20), strides=(0, 0)), "larger than",
    ),
    "shape-10000-axes": (
        into_network, with_weight(shape=(1,) * 10_000, strides=(0,) * 10_000), "larger|axes",
    ),
    "shape-of-another-layer": (into_network, with_weight(shape=(4, 3), strides=(3, 1)), "fc|shape"),
    "strides-leave-the-storage": (into_network, with_weight(strides=(5, 1)), "reaches number 13"),
    "strides-negative": (into_network, with_weight(strides=(-4, 1)), "strides"),
    "strides-2-to-62": (into_network, with_weight(strides=(2**62, 1)), "strides"),
    "strides-fewer": (into_network, with_weight(strides=(4,)), "strides"),
    "tensor-without-storage": (into_network, with_weight(of=Raw(code("0"))), "no stor"),
    "tensor-of-a-list": (
        into_network, archive(weights([1.0, 2.0])), "no weights for the layer 'fc'",
    ),
    "tensor-missing": (into_network, archive({"fc.bias": bias()}), "no weights for the layer 'fc'"),
    "tensor-one-more": (into_network, archive(weights(more=bias())), "more|tensors"),
    "nothing": (into_network, archive({}), "no state dict"),
    "number": (into_network, archive(5), "no state dict"),
    "two-state-dicts": (
        into_network, archive({"a": weights(), "b": weights()}), "several parts",
    ),
    "in-itself": (into_network, archive(b"\x80\x02}q\0X\1\0\0\0ah\0s."), "no state dict"),
    # Pickles that unfold.
    "doubling": (into_network, doubling, "no state dict|unfolds"),
    "two-million-instructions": (
        into_network, archive(b"\x80\x02" + b"N0" * 10**6 + b"."), "instr",
    ),
    "60000-keys": (into_network, archive({f"{i}": 1 for i in range(60_000)}), "50,000 keys"),
    "deep-tuples": (
        into_network, archive(b"\x80\x02" + b"(" * 50_000 + b"t" * 50_000 + b"."), "no sta",
    ),
    "memo-key-2-to-31": (into_network, archive(b"\x80\x02Nr\xff\xff\xff\x7f."), "memo"),
    "text-of-4-gib": (into_network, archive(b"\x80\x02X\xff\xff\xff\xffab."), "no|not a pickle"),
    "long-of-2-gib": (
        into_network, archive(b"\x80\x02\x8b\xff\xff\xff\x7f."), "not a pickle|LONG4",
    ),
    "frame-of-2-to-63": (
        into_network, archive(b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN."),
        "state dict|pickle",
    ),
    "integer-of-5000-digits": (into_network, archive(b"L" + b"9" * 5000 + b"L\n."), "not a pickle"),
    "pickle-empty": (into_network, archive(b""), "pickle"),
    "pickle-cut": (into_network, archive(pickled(weights())[:-30]), "pickle"),
    "pickle-of-an-array": (
        into_network, archive(pickle.dumps({"fc.weight": memoryview(KERNEL).tobytes()}, 2)),
        "no sta",
    ),
    # Zip files.
    "zip-pickle-twice": (into_network, twice, "data.pkl"),
    "zip-overlapping": (into_network, overlapping, "larger|damaged|name"),
    "zip-deflated": (into_network, archive(packing=zipfile.ZIP_DEFLATED), "compressed"),
    "zip-bomb": (
        into_network, archive(changes={"archive/data/0": bytes(64 * MIB)},
                              packing=zipfile.ZIP_DEFLATED), "compressed",
    ),
    "zip-without-storage": (
        into_network, archive(changes={"archive/data/0": None}), "storage '0' has 0 bytes",
    ),
    "zip-short-storage": (
        into_network, archive(changes={"archive/data/0": KERNEL[:40]}), "has 40 bytes and needs 48",
    ),
    "zip-two-pickles": (
        into_network, archive(changes={"other/data.pkl": pickled(weights())}), "2 members data.pkl",
    ),
    "zip-without-pickle": (
        into_network, archive(changes={"archive/data.pkl": None}), "has a member 'archive/byte",
    ),
    "zip-script": (
        into_network, archive(changes={"archive/data.pkl": None, "archive/code/x.py": b"1"}),
        "has a member 'archive/byteorder'",
    ),
    # Streams.
    "stream-magic": (into_network, stream(magic=7), "begins with 80"),
    "stream-protocol": (into_network, stream(protocol=9), "not a file of torch.save"),
    "stream-keys-number": (into_network, lambda path: stream()(path).replace(
        pickled(["0", "1"]), pickled(5)), "not a file of torch.save"),
    "stream-foreign-key": (into_network, stream(keys=("0", "9")), "belongs to no tensor"),
    "stream-missing-key": (
        into_network, stream(keys=("0",), counts=(12,), data=(KERNEL,)), "missing",
    ),
    "stream-count-negative": (into_network, stream(counts=(-1, 3)), "numbers"),
    "stream-count-2-to-62": (into_network, stream(counts=(2**62, 3)), "needs 12"),
    "stream-cut": (into_network, lambda path: stream()(path)[:-4], "needs 3"),
    "stream-only-magic": (into_network, lambda path: pickled(MAGIC), "pickle"),
    "stream-of-tb": (
        into_network, stream({"fc.weight": tensor(storage(size=2**36, more=(None,)))}),
        "needs 68,7",
    ),
    "stream-key-of-50000-digits": (
        into_network, stream(keys=(10**600, "1")), "belongs to no tensor",
    ),
}  # fmt: skip
