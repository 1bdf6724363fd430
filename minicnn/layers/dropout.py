"""Dropout, which keeps units from relying on each other."""

from __future__ import annotations

from typing import Any

from minicnn import random
from minicnn.checks import check_number
from minicnn.contracts import Shape
from minicnn.layers.apply import RNG_KEY, Apply
from minicnn.layers.base import Layer
from minicnn.operations.dropout import DROPOUT


class Dropout(Layer):
    """Sets a random fraction `rate` of the values to 0 in training; does nothing at inference.

    (N, ...) -> (N, ...). The values that are kept grow by 1 / (1 - rate), so that their mean
    stays. See `minicnn.operations.dropout`.

    >>> Dropout(0.5)(np.ones((1, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(self, rate: float, **options: Any) -> None:
        super().__init__(**options)
        self.rate = check_number(rate, "rate", 0, 1)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return dropout(x) in training, x otherwise."""
        if not training or self.rate == 0:
            return inputs[0]
        # In a network, `minicnn.models.rng_keys` replaces the purpose by one of its own.
        purpose = random.purpose_number(self.name)
        return apply(DROPOUT, inputs[0], RNG_KEY, rate=self.rate, purpose=purpose)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 0: at inference nothing is computed."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rate": self.rate}
