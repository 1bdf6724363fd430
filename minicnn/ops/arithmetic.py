"""Arithmetic of tensors: sums, products and what else has an operator in Python."""

from __future__ import annotations

from typing import Any

from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.elementwise import ADD, MULTIPLY


@tensor_function
def add(x1: Any, x2: Any) -> Any:
    """Return x1 + x2."""
    return apply_operation(ADD, x1, x2)


@tensor_function
def multiply(x1: Any, x2: Any) -> Any:
    """Return x1 * x2."""
    return apply_operation(MULTIPLY, x1, x2)
