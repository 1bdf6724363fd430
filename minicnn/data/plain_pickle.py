"""Reading pickles that hold data and nothing else.

A pickle is a small program for a machine with a stack, and the usual machine may call any function
that a file names. This one knows the instructions for numbers, texts, lists, dictionaries and
arrays of numbers; whatever else a file asks for, it is refused. So nothing in it can run.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.errors import FormatError, UnsafeFileError

NUMBERS = re.compile(r"[<>|=]?[uif][1248]")
MOST_ARRAYS = 1000

# The functions that pickled arrays are made with. They are not called: see `_reduce` and `_build`.
ARRAY, ARRAY_TYPE, DTYPE, ENCODE = "an array", "the type of arrays", "a dtype", "bytes of a text"
NAMES = {
    "numpy.core.multiarray _reconstruct": ARRAY,
    "numpy._core.multiarray _reconstruct": ARRAY,
    "numpy ndarray": ARRAY_TYPE,
    "numpy dtype": DTYPE,
    "_codecs encode": ENCODE,
}
CONSTANTS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
NOTHING = {"PROTO", "FRAME", "STOP"}


class Name:
    """One of the names above, on the stack."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


class Unbuilt:
    """An array or a dtype before its state is known."""

    def __init__(self, meaning: str, arguments: tuple[Any, ...]) -> None:
        self.meaning, self.arguments = meaning, arguments


def loads(data: bytes, path: object = "<bytes>") -> Any:
    """What a pickle of plain data holds; texts of Python 2 are read as Latin-1.

    Raises
    ------
    UnsafeFileError : it asks for anything but numbers, texts, lists, dictionaries and arrays
    FormatError : it is no pickle, or ends early

    Examples
    --------
    >>> import pickle
    >>> loads(pickle.dumps({"labels": [1, 2], "data": np.arange(3)}, protocol=2))
    {'labels': [1, 2], 'data': array([0, 1, 2])}
    """
    machine = Machine(path)
    position = 0
    try:
        for opcode, argument, place in pickletools.genops(data):
            position = place or 0
            machine.step(opcode.name, argument)
        return machine.stack.pop()
    except UnsafeFileError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise FormatError(path, f"is no pickle of plain data ({error})", position) from error


class Machine:
    """The stack, and what was put aside to be used again."""

    def __init__(self, path: object) -> None:
        self.path = path
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.arrays = 0

    def step(self, name: str, argument: Any) -> None:
        """One instruction."""
        if name in CONSTANTS:
            self.stack.append(argument)
        elif name in INSTRUCTIONS:
            INSTRUCTIONS[name](self, argument)
        elif name not in NOTHING:
            raise UnsafeFileError(self.path, f"has the instruction {name}, which no data needs")

    def pop(self) -> Any:
        """The top of the stack."""
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """What is above the last mark."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def name(self, text: str) -> None:
        """Push a name, if it is one that arrays need."""
        if text not in NAMES:
            raise UnsafeFileError(self.path, f"asks for {text.replace(' ', '.')}, which is no data")
        self.stack.append(Name(NAMES[text]))


def _reduce(machine: Machine, _: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise UnsafeFileError(machine.path, "calls something that is no function for data")
    if function.meaning == ENCODE:
        machine.stack.append(arguments[0].encode("latin-1"))
    else:
        machine.stack.append(Unbuilt(function.meaning, arguments))


def _build(machine: Machine, _: Any) -> None:
    state, unbuilt = machine.pop(), machine.pop()
    if not isinstance(unbuilt, Unbuilt):
        raise UnsafeFileError(machine.path, "sets the state of something that is no array")
    if unbuilt.meaning == DTYPE:
        built: Any = _dtype(unbuilt.arguments[0], state[1])
    elif unbuilt.meaning == ARRAY:
        built = _array(*state)
    else:
        raise ValueError("an array is made without its type")
    machine.arrays += 1
    if machine.arrays > MOST_ARRAYS:
        raise ValueError(f"more than {MOST_ARRAYS} arrays")
    machine.stack.append(built)
    # It was put aside before it had its state.
    machine.memo = {k: built if v is unbuilt else v for k, v in machine.memo.items()}


def _dtype(text: str, order: str) -> np.dtype:
    if not NUMBERS.fullmatch(text) or order not in "<>|=":
        raise ValueError(f"dtype {text!r} is no number")
    return np.dtype(text).newbyteorder(order)  # type: ignore[arg-type]


def _array(version: Any, shape: Any, dtype: Any, fortran: Any, data: Any) -> np.ndarray:
    del version
    if not isinstance(dtype, np.dtype):
        raise ValueError("an array without a dtype")
    data = data.encode("latin-1") if isinstance(data, str) else data
    numbers = np.frombuffer(data, dtype)
    return numbers.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))


def _put(machine: Machine, place: Any) -> None:
    machine.memo[len(machine.memo) if place is None else place] = machine.stack[-1]


def _set(machine: Machine, pairs: list[Any]) -> None:
    keys = pairs[::2]
    if len(pairs) % 2 or not all(isinstance(key, (str, bytes, int)) for key in keys):
        raise ValueError("keys are texts or numbers")
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
    machine.name(f"{module} {attribute}")


def _get(machine: Machine, place: Any) -> None:
    machine.stack.append(machine.memo[place])


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
    "GLOBAL": lambda machine, text: machine.name(text),
    "STACK_GLOBAL": _name_of_two,
    "REDUCE": _reduce,
    "BUILD": _build,
}
