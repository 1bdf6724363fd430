"""Optimizers: how the weights follow their gradients."""

from __future__ import annotations

from typing import Any

from minicnn.optimizers import schedules
from minicnn.optimizers.adagrad import Adadelta, Adagrad, Ftrl, RMSprop
from minicnn.optimizers.adam import Adam, Adamax, AdamW, Nadam
from minicnn.optimizers.base import Optimizer
from minicnn.optimizers.learning_rate import Rate
from minicnn.optimizers.sgd import SGD, Lion
from minicnn.optimizers.step_kind import StepKind
from minicnn.support.registry import Registry

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "Rate",
    "StepKind",
    "check_rebuildable",
    "deserialize",
    "find",
    "get",
    "names",
    "schedules",
    "serialize",
]

_CLASSES = (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, Nadam, Lion, Ftrl)
_registry: Registry[Optimizer] = Registry("optimizer", Optimizer, _CLASSES)
serialize, deserialize = _registry.serialize, _registry.deserialize
check_rebuildable, find, names = _registry.check_rebuildable, _registry.find, _registry.names


def get(identifier: str | dict[str, Any] | Optimizer) -> Optimizer:
    """Return an optimizer from its name, from what `serialize` gave, or the object itself.

    >>> get("adam").learning_rate
    0.001
    """
    return _registry.get(identifier)
