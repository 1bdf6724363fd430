"""Shapes of outputs when some lengths of the input are unknown, such as those of images.

An operation's shape function computes with integers. So it is asked twice, with two values for
every unknown length: what differs in the output is unknown as well, and what is equal is fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicnn.contracts import Spec
from minicnn.support.structures import leaves, replaced

BATCH_SIZES = (2, 3)
# Multiples of 64, so that images may be halved six times and doubled again.
LENGTHS = (192, 256)


def infer_unknown(function: Callable[[Any], Any], inputs: Any, *, exact: bool) -> Any:
    """Return function(inputs), Specs of outputs, where Specs of inputs have lengths None.

    `exact` says that the function takes a batch size of None as it is.
    """
    unknown = [n is None for spec in leaves(inputs, Spec) for n in spec.shape[int(exact) :]]
    if not any(unknown):
        return function(inputs)
    first, second = (
        function(replaced(inputs, Spec, lambda spec, i=i: _filled(spec, i)))  # type: ignore[misc]
        for i in (0, 1)
    )
    others = leaves(second, Spec)
    return replaced(first, Spec, lambda spec: _common(spec, next(others)))


def _filled(spec: Spec, i: int) -> Spec:
    lengths = (BATCH_SIZES[i], *[LENGTHS[i]] * (len(spec.shape) - 1))
    pairs = zip(spec.shape, lengths, strict=False)
    return Spec(tuple(number if n is None else n for n, number in pairs), spec.dtype)


def _common(a: Spec, b: Spec) -> Spec:
    pairs = zip(a.shape, b.shape, strict=True)
    return Spec(tuple(n if n == m else None for n, m in pairs), a.dtype)  # type: ignore[misc]
