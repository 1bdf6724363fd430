"""Keras 1's and 2's spellings: what they called differently is understood, with one warning each.

Today's classes know nothing of it. When minicnn is imported, `install` wraps the constructors and
methods whose arguments had other names (the tables in keras2_words.py), adds the old methods to
Model (keras2_methods.py), and makes the old modules (keras2_modules.py), so that this works:

    from minicnn.layers.core import Dense
    from minicnn.utils import np_utils
    model.add(Convolution2D(32, 3, 3, border_mode="same", input_shape=(28, 28, 1)))
    model.compile(SGD(lr=0.01, decay=1e-6), "categorical_crossentropy")
    model.fit_generator(batches, samples_per_epoch=6000, nb_epoch=3, workers=2)
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from minicnn import layers
from minicnn.checks import known_arguments, warn_caller
from minicnn.compat.keras2_words import Arguments, Row
from minicnn.errors import ArgumentError
from minicnn.shapes import is_int

# The old words that have been warned about.
said: set[str] = set()


def say_once(word: str, text: str) -> None:
    """Warn about an old word, unless that was done before in this process."""
    if word not in said:
        said.add(word)
        warn_caller(text)


def translated(
    name: str, known: set[str], words: Mapping[str, Row], arguments: Arguments
) -> Arguments:
    """Return today's arguments for those of a call, where some have old names.

    Parameters
    ----------
    name : of the class or method, for the warnings
    known : today's arguments
    words : the table of old ones
    arguments : those of the call, by name
    """
    result = dict(arguments)
    for old, (change, today) in words.items():
        if old not in result or (old in known and result[old] is not None):
            continue
        new = change(result.pop(old), result)
        both = [word for word in new if word in arguments]
        if both and old != "decay":
            raise ArgumentError(f"{name} got {both[0]}= and {old}=, which mean the same")
        if set(new) <= known:
            result.update(new)
            say_once(f"{old}=", f"{name}({old}=...) is a word of Keras 2; write {today}")
        else:
            result[old] = arguments[old]  # the error lists today's
    return result


def accept(owner: Any, name: str, words: Mapping[str, Row]) -> None:
    """Wrap a function, method or constructor so that it takes old arguments too."""
    function = vars(owner)[name]
    label = owner.__name__ if name == "__init__" else name

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if words.keys().isdisjoint(kwargs):
            return function(*args, **kwargs)
        names = _names(function)
        first = args[: isinstance(owner, type)]  # self
        kwargs |= dict(zip(names[len(first) : len(args)], args[len(first) :], strict=True))
        known = known_arguments(owner) if name == "__init__" else set(names)
        return function(*first, **translated(label, known, words, _with_rate(function, kwargs)))

    setattr(owner, name, wrapped)


def _names(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's arguments, in their order."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]


def _with_rate(function: Callable[..., Any], kwargs: Arguments) -> Arguments:
    """Return the arguments with the learning rate, which `decay` needs, if it is a default."""
    rate = inspect.signature(function).parameters.get("learning_rate")
    if "decay" not in kwargs or rate is None or kwargs.keys() & {"lr", "learning_rate"}:
        return kwargs
    return {**kwargs, "learning_rate": rate.default}


# Arguments that Keras 1's Convolution2D did not have.
TODAYS = {
    "bias_initializer", "data_format", "dilation_rate", "groups", "kernel_constraint",
    "kernel_initializer", "kernel_regularizer", "padding", "strides", "use_bias",
}  # fmt: skip


def convolution2d(*args: Any, **kwargs: Any) -> Any:
    """Return a Conv2D for Keras 1's `Convolution2D(filters, rows, columns)`, or as today.

    With any of today's words, the third number is today's `strides`.
    """
    if len(args) >= 3 and all(is_int(n) for n in args[:3]) and not TODAYS & kwargs.keys():
        filters, rows, columns, *rest = args
        say_once(
            "Convolution2D",
            f"Convolution2D({filters}, {rows}, {columns}) is a spelling of Keras 1; write "
            f"Conv2D({filters}, ({rows}, {columns}))",
        )
        kwargs |= dict(zip(("init", "activation"), rest, strict=False))
        return layers.Conv2D(filters, (rows, columns), **kwargs)
    return layers.Conv2D(*args, **kwargs)


MERGED = {
    "sum": "add",
    "mul": "multiply",
    "ave": "average",
    "max": "maximum",
    "concat": "concatenate",
}


def merge(
    inputs: Any, mode: str = "sum", concat_axis: int = -1, name: str | None = None, **unknown: Any
) -> Any:
    """Join tensors as Keras 1's `merge` did: mode "sum", "mul", "ave", "max" or "concat"."""
    if mode not in MERGED or unknown:
        raise ArgumentError(
            f"merge takes mode= one of {list(MERGED)}, concat_axis= and name=; got mode={mode!r} "
            f"{sorted(unknown)}. For others write layers.Dot or Lambda"
        )
    today = MERGED[mode]
    say_once(
        "merge", f"merge(mode={mode!r}) is a spelling of Keras 1; write layers.{today}(inputs)"
    )
    options: Arguments = {"axis": concat_axis} if mode == "concat" else {}
    return getattr(layers, today)(inputs, name=name, **options)


def image_dim_ordering() -> str:
    """Return "tf": images are (N, H, W, C); Keras 1's word for "channels_last"."""
    say_once("image_dim_ordering", "image_dim_ordering() is Keras 1's; write image_data_format()")
    return "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Do nothing for "tf"; images cannot be (N, C, H, W) throughout, which was "th"."""
    say_once("image_dim_ordering", "set_image_dim_ordering() is Keras 1's and not needed any more")
    if dim_ordering != "tf":
        raise ArgumentError(
            f"images are (N, H, W, C), which was 'tf'; got {dim_ordering!r}. Transpose arrays with "
            "x.transpose(0, 2, 3, 1), and give layers no channels_first shapes"
        )


# Names of logs in the files' names of ModelCheckpoint, and today's.
LOGS = {"acc": "accuracy", "val_acc": "val_accuracy", "lr": "learning_rate"}


def with_old_logs(path_of: Callable[..., str]) -> Callable[..., str]:
    """Wrap ModelCheckpoint's method that fills in file names, so that it knows {val_acc}."""

    @functools.wraps(path_of)
    def wrapped(checkpoint: Any, logs: dict[str, float], batch: int | None) -> str:
        old = {
            name: logs[today]
            for name, today in LOGS.items()
            if today in logs
            and name not in logs
            and re.search(rf"\{{{name}[}}:!]", str(checkpoint.filepath))
        }
        for name in old:
            say_once(f"{{{name}}}", f"{{{name}}} is a word of Keras 2; write {{{LOGS[name]}}}")
        return path_of(checkpoint, logs | old, batch)

    return wrapped
