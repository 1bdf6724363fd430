"""Damaged copies of files: as bytes, or one value of what is in them, with all else right.

Zip files, JSON, messages of protobuf and texts in braces are known; a part of the mutants of each
is damaged without regard to what it is.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import zipfile
from collections.abc import Iterator
from typing import Any

NUMBERS = (0, 1, 127, 128, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
VALUES: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 1e308, "", "x", "../x", "/etc/passwd", "os.system", [], [[]],
    {}, {"class_name": "Lambda", "config": {}}, {"class_name": "Dense", "config": {"units": 10**9}},
    [1, 2, 3], {"a": {"b": 1}}, "\ud800", "a" * 5000,
]  # fmt: skip


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Return the file, damaged: as a whole, or in one member of a zip file."""
    if data[:4] == b"PK\x03\x04" and dice.random() < 0.75:
        with contextlib.suppress(zipfile.BadZipFile, ValueError):
            return _mutated_zip(data, dice)
    if _fields(data) and dice.random() < 0.7:
        return _mutated_fields(data, dice)
    if b"{" in data and dice.random() < 0.6 and data.isascii():
        return _mutated_text(data, dice)
    return damaged(data, dice)


def _fields(data: bytes) -> list[tuple[int, int, Any]]:
    """Return the fields of a message of protobuf, (number, kind, value); [] if it is none."""
    fields, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, after = _varint(data, at)
        kind, size = tag & 7, {1: 8, 5: 4}.get(tag & 7, 0)
        if tag < 8 or kind not in (0, 1, 2, 5) or after > len(data):
            return []
        if kind == 2:
            at, size = after, value
        if kind and at + size > len(data):
            return []
        fields.append((tag >> 3, kind, data[at : at + size] if kind else value))
        at = at + size if kind else after
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and the place behind it, which is behind the end if it is cut."""
    value = 0
    for place, byte in enumerate(data[at : at + 10]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    return 0, len(data) + 1


def _encoded(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _mutated_fields(data: bytes, dice: random.Random) -> bytes:
    """Return a message with one field changed, at any depth; all lengths are right."""
    fields = _fields(data)
    if not fields:
        return damaged(data, dice)
    which = dice.randrange(len(fields))
    number, kind, value = fields[which]
    match dice.randrange(10):
        case 0:
            del fields[which]
        case 1:
            fields.insert(dice.randrange(len(fields)), fields[which])
        case 2:
            fields[which] = (dice.randrange(1, 30), kind, value)
        case _ if kind == 0:
            fields[which] = (number, 0, dice.choice([*NUMBERS, value ^ 1, value + 1]) % 2**64)
        case _:
            fields[which] = (number, kind, _mutated_fields(value, dice))
    parts = []
    for number, kind, value in fields:
        content = _encoded(value) if kind == 0 else value
        parts += [_encoded(number << 3 | kind), _encoded(len(content)) * (kind == 2), content]
    return b"".join(parts)


def _mutated_text(data: bytes, dice: random.Random) -> bytes:
    """Return a text with one to three of its words or numbers exchanged, removed or repeated."""
    words = re.split(rb"([A-Za-z0-9_.]+)", data)  # every second one
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(words) // 2) * 2 + 1
        number = str(dice.choice([*NUMBERS, -1, 1e30])).encode()
        other = words[dice.randrange(len(words) // 2) * 2 + 1]
        words[at] = dice.choice([b"", other, number if words[at].isdigit() else other, number])
    return b"".join(words)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Return the bytes with some bits, bytes, lengths or pieces changed."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) + 1)
        if dice.random() < 0.4:  # what describes the rest is at the ends
            at = min(at, dice.randrange(600))
        match dice.randrange(7):
            case 0:
                del changed[at : at + dice.choice([1, 9, 10**6])]
            case 1:
                changed[at:at] = changed[: dice.randint(1, 40)]
            case 2:
                width = dice.choice([1, 2, 4, 8])
                number = dice.choice(NUMBERS) % 256**width
                changed[at : at + width] = number.to_bytes(width, dice.choice(["little", "big"]))
            case 3:
                for byte in changed[at : at + 1]:
                    changed[at] = byte ^ 1 << dice.randrange(8)
            case 4:
                other = dice.randrange(len(changed) + 1)
                changed[at : at + 16] = changed[other : other + 16]
            case _:
                changed[at : at + 1] = bytes([dice.randrange(256)])
    return bytes(changed)


def _mutated_zip(data: bytes, dice: random.Random) -> bytes:
    """Return the zip file with one member damaged, and checksums that are right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info: archive.read(info) for info in archive.infolist()}
    chosen = dice.choice(list(members))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for info, content in members.items():
            archive.writestr(info, _changed(content, dice) if info is chosen else content)
    return file.getvalue()


def _changed(content: bytes, dice: random.Random) -> bytes:
    try:
        document = json.loads(content)
    except ValueError:
        return damaged(content, dice)
    if dice.random() < 0.2:
        return damaged(content, dice)
    return json.dumps(_exchanged(document, dice)).encode()


def _exchanged(document: Any, dice: random.Random) -> Any:
    """Return a document in which one to three values are replaced, removed or repeated."""
    for _ in range(dice.randint(1, 3)):
        ways = [way for way in _places(document) if way]
        if not ways:
            return dice.choice(VALUES)
        *way, last = dice.choice(ways)
        inner = document
        for key in way:
            inner = inner[key]
        match dice.randrange(4):
            case 0:
                del inner[last]
            case 1 if isinstance(inner, list):
                inner.insert(last, dice.choice(VALUES))
            case 1:
                inner[dice.choice(["name", "class_name", "config", "module"])] = dice.choice(VALUES)
            case _:
                inner[last] = dice.choice(VALUES)
        document = json.loads(json.dumps(document))  # no value is shared
    return document


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield before
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*before, key))
