"""Malicious or damaged model files, made by hand, and the error that each must raise."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from hashlib import sha256

import numpy as np

from minicnn.errors import (
    ChecksumError,
    FormatError,
    SizeLimitError,
    TruncatedError,
    UnsafeFileError,
    UnsupportedError,
)
from minicnn.models.saving.archive import container, write_archive

CONFIG, WEIGHTS, CLASSES, METADATA = (
    "config.json",
    "weights.safetensors",
    "classes.json",
    "metadata.json",
)


def make_good(path):
    """The bytes of a small archive with all kinds of members."""
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(3)}
    arrays = {"m": np.ones(2, np.float32)}
    write_archive(path, weights, {"config": {"layers": [1, "two"]}, "classes": ["x", "y"]}, arrays)
    return path.read_bytes()


def members_of(data):
    return {name: bytes(content) for name, content in container.unpack(data, "good").items()}


def forge(data, changes, *, metadata=None, digests=None):
    """Replace members of `data`, or remove those that are None, and correct all checksums."""
    members = {name: c for name, c in {**members_of(data), **changes}.items() if c is not None}
    if METADATA in members and METADATA not in changes:
        facts = json.loads(members.pop(METADATA))
        facts["members"] = {name: sha256(c).hexdigest() for name, c in members.items()}
        facts["members"].update(digests or {})
        facts.update(metadata or {})
        members[METADATA] = json.dumps(facts).encode()
    return b"".join(container.pack(members))


def config(text):
    return lambda good: forge(good, {CONFIG: text if isinstance(text, bytes) else text.encode()})


def named(name):
    return lambda good: forge(good, {name: b"{}"})


def stored_name(name):
    """A member with a name that the container's writer refuses to encode."""
    plain = "P" * len(name)
    return lambda good: forge(good, {plain: b"{}"}).replace(plain.encode(), name)


def tensors(header, data=b"", *, size=None):
    """A safetensors member with this header, which may be wrong."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = struct.pack("<Q", len(text) if size is None else size) + text + data
    return lambda good: forge(good, {WEIGHTS: content})


def one(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}}


def rezip(good, compression=zipfile.ZIP_STORED, **attributes):
    """Pack the same members with another zip program."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members_of(good).items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = compression, container.MODE
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.writestr(info, content)
    return file.getvalue()


def zip_bomb(good):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CONFIG, bytes(64 << 20))
    return file.getvalue()


def numpy_pickle(good):
    file = io.BytesIO()
    np.savez(file, a=np.array([print], object))
    return file.getvalue()


def patched(offset_of, offset, code, value):
    """Change one field of a header in `good`; `offset_of` finds the header."""

    def patch(good):
        data = bytearray(good)
        struct.pack_into(code, data, offset_of(good) + offset, value)
        return bytes(data)

    return patch


def local(good):
    return 0


def second(good):
    return good.index(container.LOCAL_MARK, 1)


def central(good):
    return good.index(container.CENTRAL_MARK)


def closing(good):
    return good.rindex(container.END_MARK)


def overlapping(good):
    """An archive with two directory entries for one member."""
    return patched(lambda g: g.index(container.CENTRAL_MARK, central(g) + 1), 42, "<L", 0)(good)


def gap(good):
    return good[: second(good)] + bytes(4) + good[second(good) :]


def twice(good):
    name = CONFIG.encode()
    content = members_of(good)[CONFIG]
    head = good[: 30 + len(name)]
    return head + content + good


def reordered(good):
    members = members_of(good)
    return b"".join(
        container.pack(dict([*list(members.items())[1::-1], *list(members.items())[2:]]))
    )


def many_members(good):
    return b"".join(container.pack({f"m{i}": b"" for i in range(10_000)}))


DEEP = 100_000
# Reason: (function of a good file's bytes, error, its text).
EXHIBITS = {
    # Not a container of this kind.
    "empty": (lambda good: b"", TruncatedError, "ends after 0 bytes"),
    "text": (lambda good: b"hello", FormatError, "begins with 68 65 6c 6c"),
    "pickle": (lambda good: pickle.dumps(print), FormatError, r"begins with 80 04"),
    "hdf5": (lambda good: b"\x89HDF\r\n\x1a\n" + bytes(99), FormatError, "begins with 89 48 44 46"),
    "empty-zip": (lambda good: good[closing(good) :], FormatError, "begins with 50 4b 05 06"),
    "numpy-with-pickle": (numpy_pickle, FormatError, r"a\.npy"),
    "something-before-the-zip": (lambda good: b"#!/bin/sh\n" + good, FormatError, "begins with 23"),
    # Zip files of other programs, and those that two programs read differently.
    "deflated": (lambda g: rezip(g, zipfile.ZIP_DEFLATED), UnsafeFileError, "compressed .method 8"),
    "lzma": (lambda g: rezip(g, zipfile.ZIP_LZMA), UnsafeFileError, "compressed .method 14"),
    "zip-bomb": (zip_bomb, UnsafeFileError, "compressed .method 8, .* bytes for 67,108,864"),
    "other-dates": (lambda g: rezip(g, date_time=(2024, 1, 1, 0, 0, 0)), FormatError, "the header"),
    "symlink": (lambda g: rezip(g, external_attr=0o120777 << 16), FormatError, "not the directory"),
    "executable": (lambda g: rezip(g, external_attr=0o100755 << 16), FormatError, "not the direct"),
    "comment-of-member": (lambda g: rezip(g, comment=b"hi"), FormatError, "not the directory"),
    "extra-field": (lambda g: rezip(g, extra=b"\x99\x99\x02\0hi"), FormatError, "the header of"),
    "encrypted": (patched(local, 6, "<H", 1), FormatError, "the header of config.json"),
    "sizes-come-later": (patched(local, 6, "<H", 8), FormatError, "the header of config.json"),
    "unicode-flag": (patched(local, 6, "<H", 0x800), FormatError, "the header of config.json"),
    "unknown-method": (patched(local, 8, "<H", 99), UnsafeFileError, "compressed .method 99"),
    "two-sizes": (patched(local, 22, "<L", 1 << 30), UnsafeFileError, "for 1,073,741,824"),
    "no-name": (patched(local, 26, "<H", 0), UnsafeFileError, "has a member ''"),
    "endless-name": (patched(local, 26, "<H", 65535), TruncatedError, "name of a member needs"),
    "another-sum": (patched(local, 14, "<L", 1), ChecksumError, "its header says 00000001"),
    "directory-another-size": (patched(central, 24, "<L", 5), FormatError, "not the directory"),
    "directory-another-name": (patched(central, 46, "<B", 0x43), FormatError, "not the directory"),
    "directory-another-place": (patched(central, 42, "<L", 7), FormatError, "not the directory"),
    "overlapping-members": (overlapping, FormatError, "not the directory"),
    "fewer-members": (patched(closing, 10, "<H", 1), FormatError, "not the directory"),
    "second-disk": (patched(closing, 4, "<H", 1), FormatError, "not the directory"),
    "comment": (patched(closing, 20, "<H", 2), FormatError, "not the directory"),
    "comment-with-text": (
        lambda g: patched(closing, 20, "<H", 2)(g) + b"hi",
        FormatError,
        "not the directory",
    ),
    "something-behind-the-zip": (lambda g: g + b"!", FormatError, "not the directory"),
    "two-zips": (lambda g: g + g, FormatError, "not the directory"),
    "gap-between-members": (gap, FormatError, "not the directory"),
    "member-twice": (twice, UnsafeFileError, "'config.json' is there twice"),
    "ten-thousand-members": (many_members, UnsafeFileError, "more than 64 members"),
    "other-order": (reordered, FormatError, "another order"),
    # Names that lead out of the folder.
    "absolute-name": (named("/etc/passwd"), UnsafeFileError, "member '/etc/passwd'"),
    "upward-name": (named("../../.bashrc"), UnsafeFileError, r"member '\.\./\.\./\.bashrc'"),
    "folder": (named("folder/"), UnsafeFileError, "member 'folder/'"),
    "hidden": (named(".config.json"), UnsafeFileError, r"member '\.config\.json'"),
    "backslashes": (named("..\\x.json"), UnsafeFileError, r"member '\.\.\\\\x\.json'"),
    "drive": (named("C:x.json"), UnsafeFileError, "member 'C:x.json'"),
    "nul": (named("config.json\0.txt"), UnsafeFileError, r"member 'config\.json\\x00\.txt'"),
    "line-end": (named("config.json\n"), UnsafeFileError, r"member 'config\.json\\n'"),
    "terminal-codes": (named("\x1b[2J"), UnsafeFileError, r"member '\\x1b\[2J'"),
    "not-ascii": (stored_name(b"con\xc3\xafig"), UnsafeFileError, r"member 'con\\xc3\\xafig'"),
    "long-name": (named("n" * 5000), UnsafeFileError, r"member 'n+\.\.\.'"),
    # Members that contradict each other.
    "unknown-member": (named("code.py"), FormatError, "none missing, code.py unknown"),
    "pickle-member": (named("weights.pkl"), FormatError, "none missing, weights.pkl unknown"),
    "no-config": (lambda g: forge(g, {CONFIG: None}), FormatError, "config.json missing"),
    "no-weights": (lambda g: forge(g, {WEIGHTS: None}), FormatError, "weights.safetensors missing"),
    "no-metadata": (lambda g: forge(g, {METADATA: None}), FormatError, "has no metadata.json"),
    "wrong-digest": (
        lambda g: forge(g, {}, digests={CONFIG: "0" * 64}),
        ChecksumError,
        "'config.json' has the SHA-256 [0-9a-f]{12}, metadata.json says '000000000000'",
    ),
    "digest-of-nothing": (
        lambda g: forge(g, {}, digests={"x\x1b": ""}),
        ChecksumError,
        r"'x\\x1b' has the SHA-256 None",
    ),
    "digest-is-a-list": (lambda g: forge(g, {}, digests={CONFIG: []}), ChecksumError, "says"),
    "no-digests": (lambda g: forge(g, {}, metadata={"members": None}), FormatError, "must list"),
    "swapped-members": (
        lambda g: b"".join(container.pack({**members_of(g), CLASSES: members_of(g)[CONFIG]})),
        ChecksumError,
        "'classes.json' has the SHA-256",
    ),
    # Versions.
    "newer-format": (
        lambda g: forge(
            g, {"new.bin": b""}, metadata={"format_version": 2, "minicnn_version": "9"}
        ),
        UnsupportedError,
        r"made by minicnn '9' in format 2; this is minicnn [\d.]+, which reads format 1\. Install",
    ),
    "version-0": (lambda g: forge(g, {}, metadata={"format_version": 0}), FormatError, ">= 1"),
    "version-true": (
        lambda g: forge(g, {}, metadata={"format_version": True}),
        FormatError,
        ">= 1",
    ),
    "version-text": (lambda g: forge(g, {}, metadata={"format_version": "1"}), FormatError, ">= 1"),
    "version-1.0": (lambda g: forge(g, {}, metadata={"format_version": 1.0}), FormatError, ">= 1"),
    "metadata-list": (lambda g: forge(g, {METADATA: b"[]"}), FormatError, "format_version"),
    "metadata-number": (lambda g: forge(g, {METADATA: b"1"}), FormatError, "object or list"),
    # Documents.
    "deep-lists": (config("[" * DEEP + "]" * DEEP), UnsafeFileError, "nested deeper than 64"),
    "deep-objects": (config('{"a":' * DEEP), UnsafeFileError, "nested deeper than 64"),
    "deep-behind-a-quote": (config('["\\"",' * 65), UnsafeFileError, "nested deeper than 64"),
    "nan": (config('{"a": NaN}'), FormatError, "NaN is not a JSON number"),
    "minus-infinity": (config('{"a": -Infinity}'), FormatError, "-Infinity is not a JSON number"),
    "overflowing-float": (config('{"a": 1e999}'), FormatError, "'1e999' is too large"),
    "integer-of-100000-digits": (config(f"[{'9' * 100_000}]"), FormatError, "not the JSON"),
    "key-twice": (config('{"a": 1, "\\u0061": 2}'), FormatError, "the key 'a' is there twice"),
    "last-of-many-keys-twice": (
        config("{" + "".join(f'"{i}":1,' for i in range(300_000)) + '"7":1}'),
        FormatError,
        "the key '7' is there twice",
    ),
    "not-utf-8": (config(b'["\xff"]'), FormatError, "not the JSON that minicnn writes"),
    "utf-16": (config('{"a": 1}'.encode("utf-16")), FormatError, "not the JSON"),
    "byte-order-mark": (config('\ufeff{"a": 1}'), FormatError, "not the JSON"),
    "endless-string": (config('["' + '\\"' * 400_000), FormatError, "not the JSON"),
    "only-a-number": (config("7"), FormatError, "config.json must be a JSON object or list"),
    "no-json": (config("__import__('os')"), FormatError, "not the JSON that minicnn writes"),
    "five-megabytes": (config(" " * (5 << 20)), SizeLimitError, "5,242,880 bytes, over 4,194,304"),
    "four-million-commas": (
        config("," * (4 << 20)),
        SizeLimitError,
        "4,194,304 quotes and commas, over",
    ),
    # Arrays.
    "no-header": (lambda g: forge(g, {WEIGHTS: b""}), TruncatedError, "its header needs 8"),
    "header-of-2-to-63": (tensors(b"{}", size=2**63), SizeLimitError, "a header of 9,223,372,036"),
    "header-of-17-mib": (tensors(b"{}", size=17 << 20), SizeLimitError, "over 16,777,216"),
    "header-behind-the-end": (tensors(b"{}", size=3), TruncatedError, "its header needs 11"),
    "header-list": (tensors(b"[]"), FormatError, "must be a JSON object"),
    "header-no-json": (tensors(b"\0\0"), FormatError, "the header of weights.safetensors is not"),
    "header-deep": (tensors(b'{"a":' * DEEP), UnsafeFileError, "nested deeper than 64"),
    "header-of-brackets": (tensors(b"[]," * 5_000_000), SizeLimitError, "10,000,000 quotes"),
    "array-twice": (
        tensors(b'{"a":' + json.dumps(one()["a"]).encode() + b',"a":{}}', bytes(8)),
        FormatError,
        "the key 'a' is there twice",
    ),
    "100001-arrays": (
        tensors({f"{i}": one(shape=(0,), offsets=(0, 0))["a"] for i in range(100_001)}),
        SizeLimitError,
        "declares 100,001 arrays, over 100,000",
    ),
    "array-name-of-2000-bytes": (
        tensors({"n" * 2000: one()["a"]}, bytes(8)),
        FormatError,
        r"'n+\.\.\.' is a name of over 1024 bytes",
    ),
    "entry-is-a-list": (tensors({"a": []}), FormatError, "must have a dtype, a shape and data_off"),
    "entry-without-shape": (tensors({"a": {"dtype": "F32"}}), FormatError, "must have a dtype"),
    "entry-with-code": (tensors(one(code="x"), bytes(8)), FormatError, "must have a dtype"),
    "dtype-object": (tensors(one("object"), bytes(8)), UnsupportedError, "has the dtype 'object'"),
    "dtype-bf16": (tensors(one("BF16", (4,)), bytes(8)), UnsupportedError, "known are BOOL, I8"),
    "dtype-list": (tensors(one(["F32"]), bytes(8)), UnsupportedError, "has the dtype"),
    "negative-axis": (tensors(one(shape=(-2,)), bytes(8)), FormatError, "shape of integers from 0"),
    "axis-of-2.0": (tensors(one(shape=(2.0,)), bytes(8)), FormatError, "shape of integers from 0"),
    "axis-true": (tensors(one(shape=(2, True)), bytes(8)), FormatError, "shape of integers from 0"),
    "axis-nan": (
        tensors(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', bytes(8)),
        FormatError,
        "NaN is not a JSON number",
    ),
    "product-of-2-to-64": (
        tensors(one(shape=(2**31 - 1,) * 3), bytes(8)),
        SizeLimitError,
        "3 axes",
    ),
    "nothing-times-2-to-62": (
        tensors(one(shape=(0, 2**31 - 1, 2**31 - 1), offsets=(0, 0))),
        SizeLimitError,
        "3 axes and 0 elements",
    ),
    "33-axes": (tensors(one(shape=(1,) * 33, offsets=(0, 4)), bytes(4)), SizeLimitError, "33 axes"),
    "more-numbers-than-bytes": (
        tensors(one(shape=(3,)), bytes(8)),
        FormatError,
        "not a safetensors",
    ),
    "offsets-behind-the-end": (
        tensors(one(offsets=(0, 99)), bytes(8)),
        FormatError,
        "not a safetens",
    ),
    "offsets-backwards": (tensors(one(offsets=(8, 0)), bytes(8)), FormatError, "not a safetensors"),
    "offsets-negative": (tensors(one(offsets=(-8, 0)), bytes(8)), FormatError, "not a safetensors"),
    "offsets-as-text": (
        tensors(one(offsets=("0", "8")), bytes(8)),
        FormatError,
        "not a safetensors",
    ),
    "arrays-that-overlap": (
        tensors({"a": one()["a"], "b": one()["a"]}, bytes(8)),
        FormatError,
        "not a safetensors",
    ),
    "a-hole-between-arrays": (
        tensors({"a": one()["a"], "b": one(offsets=(16, 24))["a"]}, bytes(24)),
        FormatError,
        "not a safetensors",
    ),
    "bytes-behind-the-arrays": (tensors(one(), bytes(9)), FormatError, "not a safetensors"),
}
