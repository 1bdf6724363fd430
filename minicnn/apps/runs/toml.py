"""TOML files of plain values: strings, integers, finite numbers, booleans, lists and tables.

Every value that can be written can be read back unchanged; the error for any other names it.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from minicnn.errors import ArgumentError, FormatError
from minicnn.support.files import Path, read_text

MAX_BYTES = 1 << 16
MAX_DEPTH = 16
MAX_DOTS = 200  # per line: Python's parser takes n * n steps for a key of n parts
MAX_INTEGER = 2**63 - 1  # TOML readers must support 64-bit integers
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

Table = Mapping[str, Any]


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    FormatError : the file is not TOML, or has dates, NaN, integers over 64 bits or deep nesting
    SizeLimitError : the file is larger than 64 KiB
    """
    text = read_text(path, MAX_BYTES)
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MAX_DOTS:
            raise FormatError(path, f"line {number} has more than {MAX_DOTS} dots")
    try:
        table = tomllib.loads(text)
        check_plain(table, "the file")
    except RecursionError as err:
        raise FormatError(path, "cannot be read as TOML: it is nested too deeply") from err
    except (
        ValueError
    ) as err:  # invalid TOML, an integer of 5,000 digits, or a value that check_plain refuses
        raise FormatError(path, f"cannot be read as TOML: {err}") from err
    return table


def check_plain(value: Any, name: str) -> None:
    """Raise ArgumentError for a value that these TOML files cannot hold, and say where it is."""
    todo: list[tuple[Any, str, int]] = [(value, name, 1)]
    while todo:
        one, place, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise ArgumentError(f"{name} must be nested at most {MAX_DEPTH} levels deep")
        if isinstance(one, Mapping):
            for key in one:
                _check_text(key, f"each name in {place}")
            todo += [(item, _below(place, name, key), depth + 1) for key, item in one.items()]
        elif isinstance(one, (list, tuple)):
            todo += [(item, place, depth + 1) for item in one]
        else:
            _check_scalar(one, place)


def toml_line(name: str, value: Any) -> str:
    """Return the line `name = value` of a TOML file."""
    return f"{_key(name)} = {_toml(value)}"


def toml_comment(text: str) -> list[str]:
    """Return the text as comment lines, with control characters escaped."""
    return [f"# {''.join(map(_escaped_in_comment, line))}" for line in text.splitlines()]


def _below(place: str, top: str, key: str) -> str:
    return key if place == top else f"{place}.{key}"


def _check_scalar(value: Any, place: str) -> None:
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, Integral):
        if not -MAX_INTEGER <= int(value) <= MAX_INTEGER:
            raise ArgumentError(f"{place} must be an integer of at most 64 bits")
    elif not isinstance(value, Real):
        raise ArgumentError(
            f"{place} must be a string, a number, a boolean, a list or a table; "
            f"got {type(value).__name__}"
        )
    elif not math.isfinite(value):
        raise ArgumentError(f"{place} must be a finite number; got {value}")


def _check_text(value: Any, place: str) -> None:
    if not isinstance(value, str):
        raise ArgumentError(f"{place} must be a string; got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as err:
        raise ArgumentError(
            f"{place} must be valid UTF-8; got {ascii(value)[:60]}. Rename the file or folder, or "
            "use a link to it"
        ) from err


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _toml(name)


def _toml(value: Any) -> str:
    """Return a value in TOML's notation."""
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, Mapping):
        return f"{{{', '.join(toml_line(key, one) for key, one in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(int(value) if isinstance(value, Integral) else float(value))


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def _escaped_in_comment(letter: str) -> str:
    return letter if letter.isprintable() else f"\\x{ord(letter):02x}"
