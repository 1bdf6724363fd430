"""The arguments that all optimizers share: their checks, and their place in signatures."""

from __future__ import annotations

import inspect
from typing import Any

from minicnn.checks import check_int, check_number
from minicnn.errors import ArgumentError


def full_signature(kind: type, base: type) -> inspect.Signature:
    """Return the constructor's signature with the base class's parameters that it takes."""
    own = list(inspect.signature(vars(kind)["__init__"]).parameters.values())[1:]
    shared = list(inspect.signature(vars(base)["__init__"]).parameters.values())[2:]
    if not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in own):
        return inspect.Signature(own)
    names = {p.name for p in own}
    own = [p for p in own if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return inspect.Signature(own + [p for p in shared if p.name not in names])


def optional_number(value: float | None, name: str, *, positive: bool = False) -> float | None:
    """Return None, or a number of at least 0, or above 0 if `positive`."""
    return None if value is None else check_number(value, name, 0.0, open=positive)


def optional_count(value: int | None, name: str, least: int) -> int | None:
    """Return None, or an integer of at least `least`."""
    return None if value is None else check_int(value, name, least)


def checked_momentum(value: Any) -> float:
    """Return the momentum of averages, a number from 0 to 1."""
    momentum = check_number(value, "ema_momentum", 0.0)
    if momentum > 1:
        raise ArgumentError(f"ema_momentum must be a number in [0, 1]; got {momentum:g}")
    return momentum
