"""The arguments of a layer that say how its weights begin and what is demanded of them.

Each weight, such as the kernel, has an initializer, a regularizer and a constraint: the attributes
`kernel_initializer`, `kernel_regularizer` and `kernel_constraint`.
"""

from __future__ import annotations

from typing import Any

from minicnn import initializers
from minicnn.checks import check_choice
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.layers.weight_rules import constraints, regularizers

TABLES: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


class WeightArguments(Layer):
    """Base class of layers whose weights have initializers, regularizers and constraints."""

    def __init__(self, activity_regularizer: Any = None, **options: Any) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **options)

    def set_weight_arguments(self, **arguments: Any) -> None:
        """Set attributes like `kernel_regularizer`, each from a name, a class or an object."""
        for name, value in arguments.items():
            setattr(self, name, TABLES[name.rpartition("_")[2]].get(value))

    def add_ruled(self, name: str, shape: Shape, rules: str = "", **options: Any) -> Parameter:
        """Add a parameter with the arguments that were set for it, or those of `rules`."""
        rules = rules or name
        return self.add_parameter(
            name,
            shape,
            getattr(self, f"{rules}_initializer"),
            regularizer=getattr(self, f"{rules}_regularizer", None),
            constraint=getattr(self, f"{rules}_constraint", None),
            **options,
        )

    def weight_config(self, *weights: str) -> dict[str, Any]:
        """Return the arguments of these weights, and `activity_regularizer`, JSON-able."""
        found = {
            f"{weight}_{kind}": table.serialize(getattr(self, f"{weight}_{kind}", None))
            for kind, table in TABLES.items()
            for weight in weights
        }
        return {**found, "activity_regularizer": regularizers.serialize(self.activity_regularizer)}


def refuse_other(value: Any, name: str, default: Any, reason: str) -> None:
    """Raise ArgumentError unless an argument of Keras that means nothing here has its default."""
    if value != default:
        raise ArgumentError(f"{name} must be {default!r}: {reason}")


def check_data_format(value: Any) -> str:
    """Return the order of an image's axes; None means "channels_last"."""
    formats = ("channels_last", "channels_first")
    return check_choice(formats[0] if value is None else value, "data_format", formats)
