"""Dropout, which keeps units from relying on each other: of single values, or of whole channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_axes, check_int, check_number, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.image_layer import check_channels_last
from minicnn.layers.random_layer import RandomLayer
from minicnn.operations.dropout import DROPOUT
from minicnn.operations.elementwise import MULTIPLY
from minicnn.operations.random_arrays import DROPOUT_MASK

NoiseShape = Sequence[int | None]


class Dropout(RandomLayer):
    """Sets a random fraction `rate` of the values to 0 in training; does nothing at inference.

    (N, ...) -> (N, ...). The values that are kept grow by 1 / (1 - rate), so that their mean
    stays. See `minicnn.operations.dropout`.

    Parameters
    ----------
    rate : fraction of the values that is dropped, 0 <= rate < 1
    noise_shape : the shape of the random numbers; along an axis where it is 1, all values are
        dropped together, and None is the input's length; default None: each value for itself
    seed, options : those of `RandomLayer`

    >>> Dropout(0.5)(np.ones((1, 3), np.float32)).tolist()
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
        """Return dropout(x) in training, x otherwise."""
        (x,) = inputs
        if not training or self.rate == 0:
            return x
        key, purpose = self.random_key(apply)
        drawn = self.drawn_shape(x.shape)
        if drawn == tuple(x.shape):
            return apply(DROPOUT, x, key, rate=self.rate, **purpose)
        mask = apply(
            DROPOUT_MASK, key, shape=tuple(x.shape), drawn=drawn, rate=self.rate, **purpose
        )
        return apply(MULTIPLY, x, mask)

    def drawn_shape(self, shape: Shape) -> Shape:
        """Return the shape of the random numbers for an input of that shape."""
        return drawn_shape(self.noise_shape, shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {**super().get_config(), "rate": self.rate}
        return config if self.noise_shape is None else config | {"noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    """Sets whole channels of a sample to 0."""

    axes = ""

    def __init__(
        self, rate: float, seed: int | None, name: str | None, dtype: Any, **options: Any
    ) -> None:
        super().__init__(rate, None, seed, name=name, **options)
        if dtype not in (None, "float32"):
            raise ArgumentError(f"dtype must be float32, in which layers compute; got {dtype!r}")

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input of another rank."""
        check_axes(input_shapes[0], "x", self.axes)

    def drawn_shape(self, shape: Shape) -> Shape:
        """Return (N, 1, ..., C): one number for each channel of a sample."""
        return (shape[0], *[1] * (len(shape) - 2), shape[-1])


class SpatialDropout1D(_SpatialDropout):
    """Sets a random fraction `rate` of the channels to 0 in training, each as a whole.

    (N, T, C) -> (N, T, C); nothing at inference. The channels that are kept grow by 1 / (1 - rate).

    Parameters
    ----------
    rate : fraction of the channels that is dropped, 0 <= rate < 1
    seed, name, dtype, options : those of `RandomLayer`; dtype None or "float32"

    >>> y = SpatialDropout1D(0.5)(np.ones((9, 2, 3), np.float32), training=True)
    >>> bool((y[:, 0] == y[:, 1]).all()), sorted(set(y.ravel().tolist()))
    (True, [0.0, 2.0])
    """

    axes = "NTC"

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(rate, seed, name, dtype, **options)


class SpatialDropout2D(_SpatialDropout):
    """Sets a random fraction `rate` of the channels of images to 0 in training, each as a whole.

    (N, H, W, C) -> (N, H, W, C); nothing at inference. The channels that are kept grow by
    1 / (1 - rate). Neighbors are alike in early layers, so dropping single pixels would take little
    away from the next layer.

    Parameters
    ----------
    rate : fraction of the channels that is dropped, 0 <= rate < 1
    data_format : "channels_last" or None, which is the same
    seed, name, dtype, options : those of `RandomLayer`; dtype None or "float32"

    References
    ----------
    Tompson, Goroshin, Jain, LeCun, Bregler. Efficient object localization using convolutional
    networks. CVPR 2015.

    Examples
    --------
    >>> y = SpatialDropout2D(0.5)(np.ones((9, 2, 1, 3), np.float32), training=True)
    >>> bool((y[:, 0] == y[:, 1]).all()), sorted(set(y.ravel().tolist()))
    (True, [0.0, 2.0])
    """

    axes = "NHWC"

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(rate, seed, name, dtype, **options)
        check_channels_last(data_format)


def check_noise_shape(noise_shape: Any) -> NoiseShape | None:
    """Return the lengths of a noise_shape, integers >= 1 or None, in a tuple."""
    if noise_shape is None:
        return None
    if not isinstance(noise_shape, (list, tuple)):
        raise ArgumentError(f"noise_shape must be a list of lengths; got {quoted(noise_shape)}")
    return tuple(None if n is None else check_int(n, "noise_shape") for n in noise_shape)


def drawn_shape(noise_shape: NoiseShape | None, shape: Shape) -> Shape:
    """Return the shape of the random numbers for an input of that shape."""
    if noise_shape is None:
        return tuple(shape)
    fits = len(noise_shape) == len(shape) and all(
        n in (None, 1, m) for n, m in zip(noise_shape, shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"noise_shape must have, for each axis of x, its length, 1 or None; got "
            f"{quoted(noise_shape)} for x of shape {shape_text(shape)}"
        )
    return tuple(m if n is None else n for n, m in zip(noise_shape, shape, strict=True))
