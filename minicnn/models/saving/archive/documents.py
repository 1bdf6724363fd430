"""Strict JSON: no NaN, no duplicate keys, only keys that are strings, and limits on all sizes."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, FormatError, SizeLimitError, UnsafeFileError
from minicnn.models.saving.archive.container import shown

MAX_BYTES = 4 << 20  # a history of 10,000 epochs with 10 metrics has 2 MB
MAX_DEPTH = 64
# The number of quotes, brackets and commas limits the memory and work that a text can cause. The
# history of 10,000 epochs with 10 metrics has 100,000.
MAX_MARKS = 1_000_000
INTEGERS = range(-(2**63), 2**64)  # what other readers of JSON keep exactly
LONG_INTEGER = re.compile(rb"[0-9]{19}")
ESCAPED = re.compile(rb"\\.", re.DOTALL)
CHUNK_BYTES = 1 << 20


def dump_document(document: object, name: str) -> bytes:
    """Return lists and dictionaries with string keys as JSON; `name` is for the error messages."""
    check_document(document, name)
    content = json.dumps(document, indent=1, allow_nan=False).encode("ascii")
    if len(content) > MAX_BYTES:
        raise SizeLimitError(f"{name} has {len(content):,} bytes as JSON, over {MAX_BYTES:,}")
    if (marks := _marks(content)) > MAX_MARKS:
        raise SizeLimitError(f"{name} has {marks:,} quotes and commas as JSON, over {MAX_MARKS:,}")
    return content


def check_document(document: object, name: str) -> None:
    """Raise ArgumentError, with the position, for anything that JSON would lose or change."""
    todo: list[tuple[Any, str, int]] = [(document, name, 1)]
    while todo:
        value, place, depth = todo.pop()
        if depth > MAX_DEPTH and isinstance(value, dict | list | tuple):
            raise ArgumentError(f"{name} must be nested at most {MAX_DEPTH} deep; it is deeper")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise ArgumentError(f"{place} must have strings as keys; got {key!r}")
            todo += [(item, f"{place}[{shown(key)}]", depth + 1) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            todo += [(item, f"{place}[{i}]", depth + 1) for i, item in enumerate(value)]
        else:
            _check_scalar(value, place)


def load_document(
    content: bytes | memoryview,
    path: object,
    name: str,
    max_bytes: int = MAX_BYTES,
    max_marks: int = MAX_MARKS,
    writer: str = "minicnn",
) -> Any:
    """Return what `dump_document` was given; `path` and `name` are for the error messages.

    `writer` is the program that wrote such a file.
    """
    if len(content) > max_bytes:
        raise SizeLimitError(f"{path}: {name} has {len(content):,} bytes, over {max_bytes:,}")
    content = bytes(content)
    if (marks := _marks(content)) > max_marks:
        raise SizeLimitError(f"{path}: {name} has {marks:,} quotes and commas, over {max_marks:,}")
    _check_depth(content, path, name)
    try:
        return json.loads(
            str(content, "utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            # Called for each integer, so only if there may be one that is too long.
            parse_int=_integer if LONG_INTEGER.search(content) else None,
        )
    except ValueError as error:
        raise FormatError(path, f"{name} is not the JSON that {writer} writes: {error}") from error


def _check_scalar(value: object, place: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{place} is {value}, which JSON cannot hold; use None")
    if isinstance(value, int) and int(value) not in INTEGERS:
        raise ArgumentError(f"{place} must be an integer of at most 64 bits")
    if not isinstance(value, str | int | float | None):
        raise ArgumentError(
            f"{place} must be a string, a number, a boolean, None, a list or a dictionary; "
            f"got {type(value).__name__}"
        )


def _marks(content: bytes) -> int:
    return sum(map(content.count, b'"[{,'))


def _check_depth(content: bytes, path: object, name: str) -> None:
    """Raise UnsafeFileError if brackets are nested too deeply for the parser, which recurses."""
    if b"\\" in content:
        content = ESCAPED.sub(b"__", content)
    depth = quotes = 0
    for begin in range(0, len(content), CHUNK_BYTES):
        letters = np.frombuffer(content, np.uint8)[begin : begin + CHUNK_BYTES]
        is_quote = letters == ord('"')
        outside = (np.cumsum(is_quote) + quotes) % 2 == 0
        steps = _any_of(letters, b"[{").astype(np.int8) - _any_of(letters, b"]}")
        depths = np.cumsum(steps * outside, dtype=np.int64) + depth
        if depths.max() > MAX_DEPTH:
            position = begin + int(np.argmax(depths > MAX_DEPTH))
            raise UnsafeFileError(path, f"{name} is nested deeper than {MAX_DEPTH}", position)
        depth, quotes = int(depths[-1]), quotes + int(is_quote.sum())


def _any_of(letters: np.ndarray, two: bytes) -> np.ndarray:
    return (letters == two[0]) | (letters == two[1])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {shown(twice)} is there twice")
    return result


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > 20 or (value := int(text)) not in INTEGERS:
        raise ValueError(f"{shown(text)} is an integer of more than 64 bits")
    return value


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{shown(text)} is too large for a float")
    return value
