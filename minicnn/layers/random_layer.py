"""What layers with random numbers have in common: a seed, and numbers that differ by the step."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import random
from minicnn.layers.apply import RNG_KEY, Apply, compute
from minicnn.layers.base import Layer
from minicnn.operations.operation import Operation
from minicnn.operations.random_arrays import SEEDED_KEY
from minicnn.support.auto_names import snake


class RandomLayer(Layer):
    """A layer that draws random numbers in training.

    In a network they are a function of the seed, the step, the layer's place in the network and the
    position of the value. Outside of one, each call of the layer on arrays is a step of its own.

    Parameters
    ----------
    seed : layers of one class with the same seed draw the same numbers, whatever `set_random_seed`
        was given; default None: the numbers depend on its seed, and differ from layer to layer
    options : those of `Layer`
    """

    def __init__(self, *, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.seed = None if seed is None else random.check_seed(seed)
        self._calls = 0  # on arrays, in training

    def run(
        self, apply: Apply, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool
    ) -> Any:
        """Describe the computation of one call; on arrays, with the random numbers of its step."""
        if training and apply is compute:
            apply = _compute_at(self._calls)
            self._calls += 1
        return super().run(apply, args, kwargs, training=training)

    def random_key(self, apply: Apply) -> tuple[Any, dict[str, int]]:
        """Return an operation's RNG key, and its purpose as an argument."""
        if self.seed is None:
            # In a network, `minicnn.models.rng_keys` replaces the purpose by one of its own.
            return RNG_KEY, {"purpose": random.purpose_number(self.name)}
        key = apply(SEEDED_KEY, RNG_KEY, seed=self.seed)
        return key, {"purpose": random.purpose_number(snake(type(self).__name__))}

    def flops_per_value(self, *input_shapes: Any) -> int:
        """Return 0: at inference nothing is computed."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}


def _compute_at(step: int) -> Apply:
    """Return an `apply` that computes on arrays with the random numbers of that step."""

    def apply(operation: Operation, *inputs: Any, **arguments: Any) -> np.ndarray:
        keyed = (random.rng_key(step) if x is RNG_KEY else x for x in inputs)
        return compute(operation, *keyed, **arguments)

    return apply
