"""Layers that add noise in training, so that a network learns not to need exact values."""

from __future__ import annotations

import math
from typing import Any

from minicnn.checks import check_number
from minicnn.layers.apply import Apply
from minicnn.layers.dropout import NoiseShape, check_noise_shape, drawn_shape
from minicnn.layers.random_layer import RandomLayer
from minicnn.operations.elementwise import ADD, MULTIPLY, RESCALE
from minicnn.operations.random_arrays import DROPOUT_MASK, RANDOM_NORMAL

# SELU is scale * x for x > 0 and scale * alpha * (exp(x) - 1) below, so never less than this.
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
LEAST_SELU = -SELU_ALPHA * SELU_SCALE


class GaussianNoise(RandomLayer):
    """Adds numbers of a normal distribution around 0 to all values in training.

    (N, ...) -> (N, ...); nothing at inference.

    Parameters
    ----------
    stddev : standard deviation of the noise, >= 0
    seed, options : those of `RandomLayer`

    >>> GaussianNoise(0.1)(np.ones((1, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(self, stddev: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed=seed, **options)
        self.stddev = check_number(stddev, "stddev", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x + noise in training, x otherwise."""
        (x,) = inputs
        if not training or self.stddev == 0:
            return x
        key, purpose = self.random_key(apply)
        noise = apply(RANDOM_NORMAL, key, shape=tuple(x.shape), stddev=self.stddev, **purpose)
        return apply(ADD, x, noise)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(RandomLayer):
    """Multiplies all values by numbers of a normal distribution around 1 in training.

    (N, ...) -> (N, ...); nothing at inference. The standard deviation is sqrt(rate / (1 - rate)),
    that of the factors of `Dropout(rate)`.

    Parameters
    ----------
    rate : 0 <= rate < 1
    seed, options : those of `RandomLayer`

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov. Dropout: a simple way to prevent
    neural networks from overfitting. JMLR 15, 2014.

    Examples
    --------
    >>> GaussianDropout(0.5)(np.ones((1, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed=seed, **options)
        self.rate = check_number(rate, "rate", 0, 1)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x * noise in training, x otherwise."""
        (x,) = inputs
        if not training or self.rate == 0:
            return x
        key, purpose = self.random_key(apply)
        stddev = math.sqrt(self.rate / (1 - self.rate))
        shape = tuple(x.shape)
        noise = apply(RANDOM_NORMAL, key, shape=shape, mean=1.0, stddev=stddev, **purpose)
        return apply(MULTIPLY, x, noise)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(RandomLayer):
    """Dropout for networks with SELU: keeps the mean and the variance of its results.

    (N, ...) -> (N, ...); nothing at inference. In training a random fraction of the values becomes
    s = -1.758, the least value of SELU, and then

    y = a x + b,    a = 1 / sqrt((1 - rate)(1 + rate s^2)),    b = -a rate s

    brings mean and variance back to 0 and 1.

    Parameters
    ----------
    rate : fraction of the values that is dropped, 0 <= rate < 1
    noise_shape : as in `Dropout`
    seed, options : those of `RandomLayer`

    References
    ----------
    Klambauer, Unterthiner, Mayr, Hochreiter. Self-normalizing neural networks. NIPS 2017.

    Examples
    --------
    >>> AlphaDropout(0.5)(np.ones((1, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: NoiseShape | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed=seed, **options)
        self.rate = check_number(rate, "rate", 0, 1)
        self.noise_shape = check_noise_shape(noise_shape)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return a * (x where kept, else s) + b in training, x otherwise."""
        (x,) = inputs
        if not training or self.rate == 0:
            return x
        key, purpose = self.random_key(apply)
        shape, rate, s = tuple(x.shape), self.rate, LEAST_SELU
        drawn = drawn_shape(self.noise_shape, shape)
        mask = apply(DROPOUT_MASK, key, shape=shape, drawn=drawn, rate=rate, **purpose)
        a = 1 / math.sqrt((1 - rate) * (1 + rate * s**2))
        kept = a * (1 - rate)  # times the mask: a where a value is kept
        shifts = apply(RESCALE, mask, scale=-s * kept, offset=a * s - a * rate * s)
        return apply(ADD, apply(MULTIPLY, x, apply(RESCALE, mask, scale=kept)), shifts)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {**super().get_config(), "rate": self.rate}
        return config if self.noise_shape is None else config | {"noise_shape": self.noise_shape}
