"""Integers too large for a float or for conversion to text, passed wherever numbers are taken."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import minicnn as mc
from minicnn import operations
from minicnn.errors import MiniCNNError

HUGE = {
    "2^31": 2**31,
    "2^64": 2**64,
    "10^400": 10**400,
    "-10^400": -(10**400),
    "5000 digits": 10**5000,
}
X = np.ones((2, 5, 5, 2), np.float32)
ARRAYS = {
    "w": np.ones((3, 3, 2, 2), np.float32), "y_true": np.array([0, 1]),
    "y_pred": np.ones((2, 2), np.float32), "logits": np.ones((2, 2), np.float32),
    **dict.fromkeys(("b", "gamma", "beta", "mean", "variance"), np.ones(2, np.float32)),
}  # fmt: skip
OPS = [
    one for name, one in vars(operations).items()
    if inspect.isfunction(one) and "backward" not in name
]  # fmt: skip
CLASSES = [
    getattr(module, name)
    for module in (mc.layers, mc.optimizers, mc.losses, mc.metrics, mc.schedules, mc.initializers)
    for name in getattr(module, "__all__", dir(module))
    if inspect.isclass(getattr(module, name))
    and getattr(module, name).__module__.startswith(module.__name__)
    and not name.startswith("_")  # which is not called from outside
    and name not in ("Registry", "Metric")
    and not issubclass(getattr(module, name), Exception)
]


def arguments(function):
    return [p for p in inspect.signature(function).parameters.values() if p.kind != p.VAR_KEYWORD]


def needed(function, array):
    given = {p.name for p in arguments(function) if p.default is p.empty and p.kind in (0, 1, 3)}
    return {name: ARRAYS.get(name, X) if array else 3 for name in given}


def wrong_calls(function, *, array):
    """Call it with each argument huge in turn; what else than our own errors came of it."""
    found = []
    for argument in arguments(function):
        for text, value in HUGE.items():
            for shape, given in (("", value), ("pair", (value, value)), ("list", [value, 1])):
                try:
                    function(**{**needed(function, array), argument.name: given})
                except MiniCNNError as error:
                    if len(str(error)) > 300:
                        found.append(f"{argument.name}={text} {shape}: {len(str(error))} letters")
                except Exception as error:
                    found.append(f"{argument.name}={text} {shape}: {type(error).__name__}")
    return found


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_ops(op):
    assert wrong_calls(op, array=True) == []


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_layers_optimizers_losses_metrics_schedules(kind):
    assert wrong_calls(kind, array=False) == []
