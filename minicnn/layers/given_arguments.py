"""The arguments that an object of a user's class was made with, for a `get_config` it lacks."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

PACKAGE = __name__.partition(".")[0]


class ConstructorCall:
    """The arguments of a constructor, in an object in which nobody looks for layers."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs


class GivenArguments(NamedTuple):
    """A constructor's arguments by name, and whether it takes further ones, such as `name`."""

    arguments: dict[str, Any]
    takes_options: bool


def given_arguments(layer: Any) -> GivenArguments | None:
    """Return the arguments of the layer's constructor; None for minicnn's own classes.

    Defaults are included, so that a later change of a default does not change a saved network.
    """
    kind = type(layer)
    if (kind.__init__.__module__ or "").partition(".")[0] == PACKAGE:
        return None
    signature = inspect.signature(kind.__init__)
    call = layer.constructed_with
    bound = signature.bind(layer, *call.args, **call.kwargs)
    bound.apply_defaults()
    found: dict[str, Any] = {}
    takes_options = False
    for name, parameter in list(signature.parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_options = True
            found |= bound.arguments[name]
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            found[name] = bound.arguments[name]
    return GivenArguments(found, takes_options)
