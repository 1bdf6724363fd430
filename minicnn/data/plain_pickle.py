"""A safe reader of pickles that contain plain data only.

A pickle is a program for a stack machine, and Python's own machine calls any function that the file
names. This one only has the instructions for numbers, strings, lists, dictionaries and numeric
arrays, and refuses everything else, so no code of the file can run.

A small program can also build huge objects, by using what it stored once a thousand times. So the
instructions are counted, and the bytes of all objects that they build.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

from minicnn.data.pickled_arrays import (
    ARRAY,
    BYTES,
    DTYPE,
    ENCODE,
    NAMES,
    Name,
    Unbuilt,
    array_bytes,
    make_array,
    make_dtype,
)
from minicnn.errors import FormatError, SizeLimitError, UnsafeFileError

# The batch of CIFAR-100, the longest one known, has a quarter of a million.
MAX_INSTRUCTIONS = 1_000_000
# Keys can be chosen to have equal hashes, so that a dictionary compares each with all others.
MAX_KEYS = 1000
# All objects together may take 64 MiB, or 20 times the size of the file if that is more.
ALWAYS_ALLOWED = 64 << 20
MAX_GROWTH = 20
OBJECT_BYTES = 64  # of an empty list or dictionary, the largest objects that one byte can build
CONSTANTS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
NO_EFFECT = {"PROTO", "FRAME", "STOP"}


def loads(data: bytes, path: object = "<bytes>") -> Any:
    """Return the object in a pickle of plain data; strings of Python 2 are decoded as Latin-1.

    Parameters
    ----------
    data : the content of the file
    path : for the error messages

    Raises
    ------
    UnsafeFileError : it contains anything but numbers, strings, lists, dictionaries and arrays
    SizeLimitError : its objects take more than 64 MiB and 20 times its size, or it has more than a
        million instructions
    FormatError : it is not a pickle, or is incomplete

    Examples
    --------
    >>> import pickle
    >>> import numpy as np
    >>> loads(pickle.dumps({"labels": [1, 2], "data": np.arange(3)}, protocol=2))
    {'labels': [1, 2], 'data': array([0, 1, 2])}
    """
    return Machine(path, max(ALWAYS_ALLOWED, MAX_GROWTH * len(data))).run(data)


class Machine:
    """The stack machine: its stack, its marks and its memo of stored objects.

    A subclass may know further names, and what they build: `known`, `built`, `persistent` and
    `with_state` say.
    """

    max_keys = MAX_KEYS

    def __init__(self, path: object, max_bytes: int) -> None:
        self.path, self.max_bytes = path, max_bytes
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.instructions = self.keys = self.bytes_made = 0
        self.unbuilt = 0  # number of arrays and dtypes whose state has not come yet

    def run(self, data: Any) -> Any:
        """Return the object of a pickle, of bytes or of a file that is read up to its end."""
        position = 0
        try:
            for opcode, argument, place in pickletools.genops(data):
                position = place or 0
                self.step(opcode.name, argument)
            return self.result()
        except (UnsafeFileError, SizeLimitError):
            raise
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
            text = f"is not a pickle of plain data ({error})"
            raise FormatError(self.path, text, position) from error

    def step(self, name: str, argument: Any) -> None:
        """Execute one instruction, or refuse it."""
        self.instructions += 1
        if self.instructions > MAX_INSTRUCTIONS:
            raise SizeLimitError(f"{self.path}: has more than {MAX_INSTRUCTIONS:,} instructions")
        self.allocate(OBJECT_BYTES)
        if name in CONSTANTS:
            self.stack.append(argument)
        elif name in INSTRUCTIONS:
            INSTRUCTIONS[name](self, argument)
        elif name not in NO_EFFECT:
            raise UnsafeFileError(
                self.path, f"has the instruction {name}, which plain data does not need"
            )

    def allocate(self, size: int) -> None:
        """Count the bytes of an object before it is built; raise SizeLimitError if too many."""
        self.bytes_made += size
        if self.bytes_made > self.max_bytes:
            raise SizeLimitError(
                f"{self.path}: unfolds to more than {self.max_bytes:,} bytes, too many for a file "
                "of its size"
            )

    def result(self) -> Any:
        """Return the object that the program left on the stack."""
        if self.unbuilt:
            raise ValueError("an array has no data")
        return self.stack.pop()

    def pop(self) -> Any:
        """Remove and return the top of the stack."""
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Remove and return all objects above the last mark."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def name(self, module: Any, attribute: Any) -> None:
        """Push one of the functions and classes that arrays need; refuse all others."""
        if not isinstance(module, str) or not isinstance(attribute, str):
            raise ValueError("a name is not a string")
        found = self.known(module, attribute)
        if found is None:
            asked = f"{module}.{attribute}"
            raise UnsafeFileError(self.path, f"asks for {asked}, which is not plain data")
        self.stack.append(found)

    def known(self, module: str, attribute: str) -> Name | None:
        """Return the placeholder for a function or class; None if it is not known."""
        return NAMES.get((module, attribute))

    def built(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        """Return what a call of a further name builds."""
        raise ValueError(f"{function.meaning} is built in another way than NumPy does")

    def persistent(self, reference: Any) -> Any:
        """Return the object outside of the pickle that it refers to."""
        raise UnsafeFileError(
            self.path, "has the instruction BINPERSID, which plain data does not need"
        )

    def with_state(self, built: Any, state: Any) -> Any:
        """Return an object of a further kind after its state was set."""
        raise UnsafeFileError(self.path, "sets the state of something that is not an array")


def _reduce(machine: Machine, _: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise UnsafeFileError(machine.path, "calls a function that plain data does not need")
    if function is ENCODE:
        text, _encoding = arguments
        machine.allocate(len(text))
        machine.stack.append(text.encode("latin-1"))
    elif function is BYTES and not arguments:
        machine.stack.append(b"")
    elif function in (ARRAY, DTYPE):
        machine.unbuilt += 1
        machine.stack.append(Unbuilt(function, arguments))
    else:
        machine.stack.append(machine.built(function, arguments))


def _build(machine: Machine, _: Any) -> None:
    """Build an array or a dtype from its state; in the memo it replaces the unbuilt one."""
    state, unbuilt = machine.pop(), machine.pop()
    if not isinstance(unbuilt, Unbuilt):
        machine.stack.append(machine.with_state(unbuilt, state))
        return
    if unbuilt.function is DTYPE:
        built: Any = make_dtype(unbuilt.arguments, state)
    else:
        machine.allocate(array_bytes(state))
        built = make_array(state)
    machine.unbuilt -= 1
    machine.stack.append(built)
    key = unbuilt.memo_key
    if machine.memo.get(key) is unbuilt:
        machine.memo[key] = built


def _put(machine: Machine, key: Any) -> None:
    """Store the top of the stack in the memo."""
    key, top = len(machine.memo) if key is None else key, machine.stack[-1]
    # Larger keys can be chosen to have equal hashes, as those of dictionaries.
    if not 0 <= key <= MAX_INSTRUCTIONS:
        raise ValueError(f"an object is stored in the memo under a key beyond {MAX_INSTRUCTIONS:,}")
    if isinstance(top, Unbuilt):
        top.memo_key = key
    machine.memo[key] = top


def _set(machine: Machine, pairs: list[Any]) -> None:
    keys = pairs[::2]
    if len(pairs) % 2 or not all(isinstance(key, (str, bytes, int)) for key in keys):
        raise ValueError("the keys of a dictionary are not strings or integers")
    machine.keys += len(keys)
    # Of strings and of smaller integers no two have hashes that were chosen to be equal.
    chosen = any(isinstance(key, int) and abs(key) >= 1 << 32 for key in keys)
    most = MAX_KEYS if chosen else machine.max_keys
    if machine.keys > most:
        raise SizeLimitError(f"{machine.path}: has more than {most:,} keys in dictionaries")
    machine.stack[-1].update(zip(keys, pairs[1::2], strict=True))


def _set_one(machine: Machine, _: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _set(machine, [key, value])


def _append(machine: Machine, items: list[Any]) -> None:
    if not isinstance(machine.stack[-1], list):
        raise ValueError("items are appended to something that is not a list")
    machine.stack[-1].extend(items)


def _new_dict(machine: Machine, _: Any) -> None:
    pairs = machine.pop_to_mark()
    machine.stack.append({})
    _set(machine, pairs)


def _tuple_of(count: int) -> Callable[[Machine, Any], None]:
    def instruction(machine: Machine, _: Any) -> None:
        items = tuple(machine.pop() for _ in range(count))
        machine.stack.append(items[::-1])

    return instruction


def _name_of_two(machine: Machine, _: Any) -> None:
    attribute, module = machine.pop(), machine.pop()
    machine.name(module, attribute)


def _get(machine: Machine, key: Any) -> None:
    found = machine.memo[key]
    if isinstance(found, Unbuilt):
        raise ValueError("an array is used before it has its data")
    machine.stack.append(found)


INSTRUCTIONS: dict[str, Callable[[Machine, Any], None]] = {
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "NONE": lambda machine, _: machine.stack.append(None),
    "NEWTRUE": lambda machine, _: machine.stack.append(True),
    "NEWFALSE": lambda machine, _: machine.stack.append(False),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "DICT": _new_dict,
    "LIST": lambda machine, _: machine.stack.append(machine.pop_to_mark()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_to_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: _append(machine, machine.pop_to_mark()),
    "SETITEM": _set_one,
    "SETITEMS": lambda machine, _: _set(machine, machine.pop_to_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    "GLOBAL": lambda machine, text: machine.name(*text.split(" ", 1)),
    "STACK_GLOBAL": _name_of_two,
    "REDUCE": _reduce,
    "BUILD": _build,
    "BINPERSID": lambda machine, _: machine.stack.append(machine.persistent(machine.pop())),
}
