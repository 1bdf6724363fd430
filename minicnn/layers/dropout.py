"""Dropout: no neuron may rely on another one being there."""

from __future__ import annotations

import zlib
from typing import Any

from minicnn.checks import check_number
from minicnn.contracts import Shape
from minicnn.layers.base import RNG_KEY, Apply, Layer
from minicnn.ops.dropout import DROPOUT


class Dropout(Layer):
    """While learning, sets a fraction `rate` of the numbers to 0; else does nothing.

    (N, ...) -> (N, ...). See `minicnn.ops.dropout`.

    >>> Dropout(0.5)(np.ones((1, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(self, rate: float, **options: Any) -> None:
        super().__init__(**options)
        self.rate = check_number(rate, "rate", 0, 1)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """dropout(x) in training, x otherwise."""
        if not training or self.rate == 0:
            return inputs[0]
        # On arrays alone. A network's pass counts its masks: see `minicnn.models.rng_keys`.
        purpose = zlib.crc32(self.name.encode()) & 0x7FFFFFFF
        return apply(DROPOUT, inputs[0], RNG_KEY, rate=self.rate, purpose=purpose)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Nothing, when a model is used."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "rate": self.rate}
