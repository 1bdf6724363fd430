"""Reading a net, as text or binary: fields that the schema lacks are skipped with one warning."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

from minicnn.errors import FormatError, SizeLimitError, UnsupportedError
from minicnn.interop.caffe.schema import message
from minicnn.interop.caffe.upgrade import upgraded
from minicnn.support.files import Path, read_text, read_whole

MAX_BYTES_OF_TEXT = 8 << 20  # ResNet-152 has 0.1 MB
# Of what the parser, which is slow, goes through one by one. ResNet-152 has 40,000.
MARKS, MAX_MARKS = "{<:,;\"'\n", 200_000
MAX_BYTES = (1 << 31) - 1  # protobuf's own limit
MAX_LAYERS = 10_000


def read_prototxt(path: Path) -> Any:
    """Return the net of a `.prototxt` file, its layers brought to the newest form.

    Raises
    ------
    FormatError : it is not the text of a net; the message says in which line
    SizeLimitError : it is far longer than that of any net
    """
    text = read_text(path, MAX_BYTES_OF_TEXT)
    marks = sum(map(text.count, MARKS))
    if marks > MAX_MARKS:
        raise SizeLimitError(f"{os.fspath(path)}: has {marks:,} lines, fields and texts, too many "
                             "for a net")  # fmt: skip
    net = message("NetParameter")()
    try:
        unknown = _parse(text, net)
    except _text_errors() as error:
        raise FormatError(path, f"is not the text of a Caffe net: {_where(error)}") from error
    _warn(path, unknown)
    return checked(net, path)


def read_caffemodel(path: Path) -> Any:
    """Return the net of a `.caffemodel` file with its blobs, its layers in the newest form.

    Raises
    ------
    FormatError : it is not a binary net, or it is cut
    """
    return checked(read_message("NetParameter", path), path)


def read_message(name: str, path: Path) -> Any:
    """Return a message of a binary file."""
    from google.protobuf.message import DecodeError

    found = message(name)()
    try:
        found.ParseFromString(read_whole(path, MAX_BYTES))
    except (DecodeError, RuntimeError) as error:
        raise FormatError(path, f"is no {name} of Caffe, or it is cut ({error})") from error
    _warn(path, next(_unknown_fields(found, name), ""))
    return found


def checked(net: Any, path: Path) -> Any:
    """Return the upgraded net; refuse one with nothing in it, or with far too much."""
    count = len(net.layer) + len(net.layers)
    if not 0 < count <= MAX_LAYERS:
        raise FormatError(path, f"a net has 1 to {MAX_LAYERS:,} layers; this has {count:,}")
    if net.layer and net.layers:
        raise FormatError(path, "has layers of the old form, `layers`, and of the new, `layer`")
    if not all(isinstance(text, str) for text in _names(net)):
        raise FormatError(path, "a name in it is not valid UTF-8")
    try:
        return upgraded(net)
    except ValueError as error:
        raise UnsupportedError(path, str(error)) from error


def _names(net: Any) -> Iterator[Any]:
    """Yield all names in a net; protobuf gives those that are not valid UTF-8 as bytes."""
    yield net.name
    yield from net.input
    for layer in [*net.layer, *net.layers]:
        yield from (layer.name, *layer.bottom, *layer.top)
    yield from (layer.type for layer in net.layer)
    for layer in net.layers:
        yield from (layer.layer.name, layer.layer.type)


def _parse(text: str, net: Any) -> str:
    """Parse the text, and return a description of the first unknown field, "" if there is none."""
    from google.protobuf import text_format

    try:
        text_format.Parse(text, net)
        return ""
    except text_format.ParseError as error:
        if "has no field named" not in str(error):
            raise
        unknown = str(error)
    net.Clear()
    text_format.Parse(text, net, allow_unknown_field=True)
    return _where(unknown)


def _text_errors() -> tuple[type[BaseException], ...]:
    from google.protobuf import text_format

    message("NetParameter")  # says how to install what is missing
    return text_format.ParseError, RecursionError, ValueError


def _where(error: object) -> str:
    """Return an error of the text's parser, which begins "line:column : ", in words."""
    place, colon, what = str(error).partition(" : ")
    line = place.split(":")[0]
    said = what if colon and line.isdigit() else str(error)
    # It names types by the package that the schema is in here.
    said = said.replace("minicnn.caffe.", "").replace("Message type", "the message")
    return f"line {line}: {said}" if colon and line.isdigit() else said


def _unknown_fields(found: Any, name: str) -> Iterator[str]:
    """Yield the fields of a binary message that the schema lacks, those of blobs left out."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    for field in UnknownFieldSet(found):
        yield f"field {field.field_number} of {name}"
    for descriptor, value in found.ListFields():
        if descriptor.message_type is None or descriptor.message_type.name == "BlobProto":
            continue
        values = value if hasattr(value, "append") or hasattr(value, "add") else [value]
        for one in values:
            yield from _unknown_fields(one, descriptor.message_type.name)


def _warn(path: Path, unknown: str) -> None:
    if unknown:
        warnings.warn(
            f"{os.fspath(path)}: skipped what minicnn does not know of Caffe; first, {unknown}",
            stacklevel=5,
        )
