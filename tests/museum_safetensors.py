"""Hostile files of safetensors: headers that are too large, or that contradict the data."""

from __future__ import annotations

import json
import struct
from typing import Any

from museum_torch import BIAS, KERNEL, into_network

MIB = 1 << 20


def safetensors(header: Any, data: bytes = KERNEL + BIAS, size: int | None = None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return lambda path: struct.pack("<Q", len(text) if size is None else size) + text + data


def entry(shape: Any = (3, 4), offsets: Any = (0, 48), dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


SMALL = entry((3,), (48, 60))


def header(weight: Any = None, **more: Any) -> dict[str, Any]:
    return {"fc.weight": entry() if weight is None else weight, "fc.bias": SMALL, **more}


def one(*arguments: Any, **more: Any):
    return safetensors(header(entry(*arguments, **more)))


def text_of(weight: str) -> bytes:
    """The text of a header with a text in the place of the weight."""
    return f'{{"fc.weight":{weight},"fc.bias":{json.dumps(SMALL)}}}'.encode()


NOT_SAFE = "is not a safetensors file"
HONEST = {"weights": (into_network, safetensors(header()))}
EXHIBITS = {
    "header-of-100-mb": (into_network, safetensors(b"{", size=100 << 20), "header"),
    "header-of-2-to-63": (into_network, safetensors(b"{}", size=2**63), "begins with 00"),
    "header-of-20-mib-of-spaces": (
        into_network, safetensors(text_of(json.dumps(entry())) + b" " * (20 * MIB)), "header",
    ),
    "header-cut": (into_network, lambda path: safetensors(header())(path)[:60], "header"),
    "header-deep": (
        into_network, safetensors(text_of("[" * 50_000 + "]" * 50_000)), "nested deeper",
    ),
    "header-key-twice": (
        into_network,
        safetensors(text_of(json.dumps(entry())).replace(b'"fc.bias"', b'"fc.weight"')),
        "'fc.weight' is there twice",
    ),
    "header-not-utf-8": (into_network, safetensors(b'{"\xff":' + text_of("1")[1:]), "JSON"),
    "header-100001-tensors": (
        into_network, safetensors({f"{i}": entry((0,), (0, 0)) for i in range(100_001)}, b""),
        "declares 100,001",
    ),
    "shape-nan": (into_network, safetensors(text_of(
        '{"dtype":"F32","shape":[NaN,4],"data_offsets":[0,48]}')), "NaN"),
    "shape-infinity": (into_network, safetensors(text_of(
        '{"dtype":"F32","shape":[1e999,4],"data_offsets":[0,48]}')), "too large"),
    "dims-float": (into_network, one((3.0, 4)), "fc.weight"),
    "dims-negative": (into_network, one((-3, -4)), "fc.weight"),
    "dims-true": (into_network, one((True, 12)), "fc.weight"),
    "dims-text": (into_network, one("34"), "fc.weight"),
    "dims-2-to-64-plus-1": (into_network, one((274177, 67280421310721)), "fc.weight"),
    "dims-2-to-63": (into_network, one((2**62, 4, 4)), "fc.weight"),
    "dims-2-to-64-and-0": (into_network, one((2**64, 0), (0, 0)), "more than 64 bits"),
    "dims-of-tb": (into_network, one((2**20, 2**20)), NOT_SAFE),
    "dims-1000": (into_network, one((1,) * 1000, (0, 4)), "fc.weight"),
    "offsets-out-of-range": (into_network, one((3, 4), (1000, 1048)), NOT_SAFE),
    "offsets-negative": (into_network, one((3, 4), (-48, 0)), NOT_SAFE),
    "offsets-backwards": (into_network, one((3, 4), (48, 0)), NOT_SAFE),
    "offsets-overlap": (into_network, one((3, 4), (12, 60)), NOT_SAFE),
    "offsets-hole": (
        into_network,
        safetensors(header(**{"fc.bias": entry((3,), (52, 64))}), KERNEL + bytes(4) + BIAS),
        NOT_SAFE,
    ),
    "offsets-float": (into_network, one((3, 4), (0.0, 48.0)), NOT_SAFE),
    "offsets-three": (into_network, one((3, 4), (0, 24, 48)), NOT_SAFE),
    "offsets-2-to-64": (into_network, one((3, 4), (2**64, 2**64 + 48)), "more than 64 bits"),
    "data-behind-the-end": (
        into_network, safetensors(header(), KERNEL + BIAS + b"x" * 9), NOT_SAFE,
    ),
    "data-cut": (into_network, safetensors(header(), KERNEL + BIAS[:-1]), NOT_SAFE),
    "dtype-unknown": (into_network, one(dtype="PICKLE"), "the dtype 'PICKLE'"),
    "dtype-number": (into_network, one(dtype=5), "the dtype '5'"),
    "dtype-of-8-bytes": (into_network, one(dtype="F64"), NOT_SAFE),
    "entry-number": (into_network, safetensors({"fc.weight": 5, "fc.bias": SMALL}), "fc.weight"),
    "metadata-list": (into_network, safetensors(header(__metadata__=[1])), NOT_SAFE),
}  # fmt: skip
