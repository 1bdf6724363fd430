"""The classes of Caffe's messages, which the package protobuf makes from the tables of `fields`."""

from __future__ import annotations

import functools
from typing import Any

from minicnn.installed import missing_extra
from minicnn.interop.caffe.fields import ENUMS, MESSAGES

PACKAGE = "minicnn.caffe"
SCALARS = {"bool": 8, "bytes": 12, "float": 2, "int32": 5, "int64": 3, "string": 9, "uint32": 13}
ENUM, MESSAGE = 14, 11  # numbers of kinds of fields in protobuf
OPTIONAL, REPEATED = 1, 3


@functools.cache
def message(name: str) -> Any:
    """Return the class of a message by its name in `fields`.

    Raises
    ------
    MissingExtraError : the package protobuf is not installed
    """
    try:
        from google.protobuf import message_factory
    except ImportError as error:
        raise missing_extra("Caffe's files need the package protobuf", "caffe") from error
    found = _pool().FindMessageTypeByName(f"{PACKAGE}.{name}")
    return message_factory.GetMessageClass(found)


@functools.cache
def _pool() -> Any:
    """Return a pool of its own, so that another schema of Caffe in the process does not clash."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(name="minicnn_caffe.proto", package=PACKAGE)
    for name, values in ENUMS.items():
        # Each in a message of its own, as two of them may have a value of the same name.
        kind = file.message_type.add(name=f"{name}Values").enum_type.add(name=name)
        for number, value in enumerate(values):
            kind.value.add(name=value, number=number)
    for name, lines in MESSAGES.items():
        described = file.message_type.add(name=name)
        for line in lines.split(";"):
            _add_field(described, line.split())
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _add_field(described: Any, words: list[str]) -> None:
    name, number, kind = words[0], int(words[1]), words[2].removesuffix("*")
    field = described.field.add(name=name, number=number)
    field.label = REPEATED if words[2].endswith("*") else OPTIONAL
    if kind in SCALARS:
        field.type = SCALARS[kind]
    elif kind in ENUMS:
        field.type, field.type_name = ENUM, f".{PACKAGE}.{kind}Values.{kind}"
    else:
        field.type, field.type_name = MESSAGE, f".{PACKAGE}.{kind}"
    if len(words) > 3:
        field.default_value = words[4]
