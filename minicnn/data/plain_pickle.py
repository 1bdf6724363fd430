"""Reading pickles that hold data and nothing else.

A pickle is a small program for a machine with a stack, and the usual machine may call any function
that a file names. This one knows the instructions for numbers, texts, lists, dictionaries and
arrays of numbers; whatever else a file asks for, it is refused. So nothing in it can run.

A program may also repeat itself: what it put aside once, it can unfold a thousand times. So the
instructions are counted, and the bytes of all that they make.
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

# CIFAR-100, the longest batch in use, has a quarter of a million.
MAX_INSTRUCTIONS = 1_000_000
# Numbers may be chosen so that a dictionary of them compares each with each.
MAX_KEYS = 1000
# What all instructions together may make: 64 MiB, or 20 times the file if that is more.
ALWAYS_MADE = 64 << 20
MAX_MADE = 20
OBJECT_BYTES = 64  # of an empty list or dictionary, the largest things that one byte can ask for
CONSTANTS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
NOTHING = {"PROTO", "FRAME", "STOP"}


def loads(data: bytes, path: object = "<bytes>") -> Any:
    """What a pickle of plain data holds; texts of Python 2 are read as Latin-1.

    Raises
    ------
    UnsafeFileError : it asks for anything but numbers, texts, lists, dictionaries and arrays
    SizeLimitError : it unfolds to more than 64 MiB and 20 times its size, or is a program of more
        than a million instructions
    FormatError : it is no pickle, or ends early

    Examples
    --------
    >>> import pickle
    >>> import numpy as np
    >>> loads(pickle.dumps({"labels": [1, 2], "data": np.arange(3)}, protocol=2))
    {'labels': [1, 2], 'data': array([0, 1, 2])}
    """
    machine = Machine(path, max(ALWAYS_MADE, MAX_MADE * len(data)))
    position = 0
    try:
        for opcode, argument, place in pickletools.genops(data):
            position = place or 0
            machine.step(opcode.name, argument)
        return machine.result()
    except (UnsafeFileError, SizeLimitError):
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise FormatError(path, f"is no pickle of plain data ({error})", position) from error


class Machine:
    """The stack, and what was put aside to be used again."""

    def __init__(self, path: object, max_bytes: int) -> None:
        self.path, self.max_bytes = path, max_bytes
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.instructions = self.keys = self.bytes_made = 0
        self.unbuilt = 0  # arrays and dtypes that still wait for their state

    def step(self, name: str, argument: Any) -> None:
        """One instruction."""
        self.instructions += 1
        if self.instructions > MAX_INSTRUCTIONS:
            raise SizeLimitError(f"{self.path}: has more than {MAX_INSTRUCTIONS:,} instructions")
        self.make(OBJECT_BYTES)
        if name in CONSTANTS:
            self.stack.append(argument)
        elif name in INSTRUCTIONS:
            INSTRUCTIONS[name](self, argument)
        elif name not in NOTHING:
            raise UnsafeFileError(self.path, f"has the instruction {name}, which no data needs")

    def make(self, size: int) -> None:
        """Ask for so many bytes before they are used."""
        self.bytes_made += size
        if self.bytes_made > self.max_bytes:
            raise SizeLimitError(
                f"{self.path}: unfolds to more than {self.max_bytes:,} bytes, which no file of "
                "its size needs"
            )

    def result(self) -> Any:
        """What the program leaves on the stack."""
        if self.unbuilt:
            raise ValueError("an array has no numbers")
        return self.stack.pop()

    def pop(self) -> Any:
        """The top of the stack."""
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """What is above the last mark."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def name(self, module: Any, attribute: Any) -> None:
        """Push a name, if it is one that arrays need."""
        if not isinstance(module, str) or not isinstance(attribute, str):
            raise ValueError("a name is no text")
        if (module, attribute) not in NAMES:
            asked = f"{module}.{attribute}"
            raise UnsafeFileError(self.path, f"asks for {asked}, which is no data")
        self.stack.append(NAMES[module, attribute])


def _reduce(machine: Machine, _: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise UnsafeFileError(machine.path, "calls something that is no function for data")
    if function is ENCODE:
        text, _encoding = arguments
        machine.make(len(text))
        machine.stack.append(text.encode("latin-1"))
    elif function is BYTES and not arguments:
        machine.stack.append(b"")
    elif function in (ARRAY, DTYPE):
        machine.unbuilt += 1
        machine.stack.append(Unbuilt(function, arguments))
    else:
        raise ValueError(f"{function.meaning} is made in another way than NumPy's")


def _build(machine: Machine, _: Any) -> None:
    """Give an array or a dtype its state; where it was put aside, the built one takes its place."""
    state, unbuilt = machine.pop(), machine.pop()
    if not isinstance(unbuilt, Unbuilt):
        raise UnsafeFileError(machine.path, "sets the state of something that is no array")
    if unbuilt.function is DTYPE:
        built: Any = make_dtype(unbuilt.arguments, state)
    else:
        machine.make(array_bytes(state))
        built = make_array(state)
    machine.unbuilt -= 1
    machine.stack.append(built)
    place = unbuilt.place
    if machine.memo.get(place) is unbuilt:
        machine.memo[place] = built


def _put(machine: Machine, place: Any) -> None:
    place, top = len(machine.memo) if place is None else place, machine.stack[-1]
    # Larger ones may be chosen so that each is compared with each.
    if not 0 <= place <= MAX_INSTRUCTIONS:
        raise ValueError(f"something is put aside at a place beyond {MAX_INSTRUCTIONS:,}")
    if isinstance(top, Unbuilt):
        top.place = place
    machine.memo[place] = top


def _set(machine: Machine, pairs: list[Any]) -> None:
    keys = pairs[::2]
    if len(pairs) % 2 or not all(isinstance(key, (str, bytes, int)) for key in keys):
        raise ValueError("keys are texts or numbers")
    machine.keys += len(keys)
    if machine.keys > MAX_KEYS:
        raise SizeLimitError(f"{machine.path}: has more than {MAX_KEYS:,} keys in dictionaries")
    machine.stack[-1].update(zip(keys, pairs[1::2], strict=True))


def _set_one(machine: Machine, _: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _set(machine, [key, value])


def _append(machine: Machine, items: list[Any]) -> None:
    if not isinstance(machine.stack[-1], list):
        raise ValueError("items are added to what is no list")
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


def _get(machine: Machine, place: Any) -> None:
    found = machine.memo[place]
    if isinstance(found, Unbuilt):
        raise ValueError("an array is used before it has its numbers")
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
}
