"""The fields of a block of a network: what may be entered, and the words for what may not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from minicnn.errors import ArgumentError
from minicnn.shapes import is_int
from minicnn.support.text import quoted

INTEGER, NUMBER, CHOICE = "integer", "number", "choice"


class Field(NamedTuple):
    """One number or choice of a block, or of a training.

    Parameters
    ----------
    name : as in Keras: "filters"
    title : what the page calls it
    kind : "integer", "number" or "choice"
    default : its value if none is given
    minimum, maximum : of a number; both may be reached
    choices : the words of a choice
    help : one sentence that says what it does
    """

    name: str
    title: str
    kind: str
    default: Any
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    help: str = ""

    def checked(self, value: Any) -> Any:
        """Return a value that was given for this field, as a layer takes it.

        Raises
        ------
        ArgumentError : it is of another kind, or out of range; the message says what is needed

        >>> Field("filters", "Kernels", INTEGER, 20, 1, 256).checked(20)
        20
        """
        if self.kind == CHOICE:
            if value not in self.choices:
                raise self._wrong(f"one of {', '.join(self.choices)}", value)
            return value
        if not _is_number(value) or not self.minimum <= value <= self.maximum:
            raise self._wrong(f"from {self.minimum:.10g} to {self.maximum:.10g}", value)
        if self.kind == INTEGER and not is_int(value):
            raise self._wrong("a whole number", value)
        return value

    def description(self) -> dict[str, Any]:
        """Return the field as the page gets it."""
        return self._asdict()

    def _wrong(self, needed: str, value: Any) -> ArgumentError:
        return ArgumentError(f"{self.title} must be {needed}; got {quoted(value, 30)}")


def checked_fields(fields: tuple[Field, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of all fields, defaults for those that are not given.

    Raises
    ------
    ArgumentError : a value does not fit its field, or there is no such field
    """
    unknown = sorted(set(given) - {field.name for field in fields})
    if unknown:
        names = ", ".join(field.name for field in fields) or "none"
        raise ArgumentError(f"there is no field {quoted(unknown[0], 30)} here; the fields: {names}")
    return {field.name: field.checked(given.get(field.name, field.default)) for field in fields}


def _is_number(value: Any) -> bool:
    """Return whether a value of JSON is a finite number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
