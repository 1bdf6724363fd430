"""The input of a network, and a layer that scales pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice, check_int, check_number, check_one_shape
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import aligned
from minicnn.layers.symbolic import LayerCall, SymbolicTensor
from minicnn.operations.batch_norm import BATCH_NORM_INFERENCE
from minicnn.operations.elementwise import RESCALE

DTYPES = ("float32", "uint8")


class InputLayer(Layer):
    """The first layer of a network, whose output is the array that the model is fed with.

    `Input(...)` creates it.

    >>> InputLayer((28, 28, 1)).tensor().shape
    (None, 28, 28, 1)
    """

    def __init__(
        self,
        shape: int | Shape | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        *,
        batch_shape: Shape | None = None,
        input_shape: Shape | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        given = shape if shape is not None else input_shape
        if given is None and isinstance(batch_shape, (list, tuple)):
            given = tuple(batch_shape)[1:]
        self.shape = _sample_shape(given)
        if batch_size is not None:
            check_int(batch_size, "batch_size")  # programs are made for every batch size
        self.dtype = check_choice(dtype or DTYPES[0], "dtype", DTYPES)
        self.built = True

    def tensor(self) -> SymbolicTensor:
        """Return the symbolic tensor for a batch of such samples."""
        return SymbolicTensor(Spec((None, *self.shape), self.dtype), LayerCall(self, ()))  # type: ignore[arg-type]

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x unchanged."""
        return inputs[0]

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 0: nothing is computed."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "shape": self.shape, "dtype": self.dtype}


class Rescaling(Layer):
    """Computes x * scale + offset; a scale of 1/255 brings pixels into 0...1.

    (N, ...) -> (N, ...) float32. uint8 images stay uint8 in memory until they reach this layer.
    See `minicnn.operations.rescale`.

    Parameters
    ----------
    scale, offset : numbers, or lists of one number per channel; the default offset is 0
    options : those of `Layer`

    >>> Rescaling(1 / 5, offset=-1)(np.array([[0, 5]], np.uint8)).tolist()
    [[-1.0, 0.0]]
    >>> Rescaling([1, 2, 10])(np.array([[1, 1, 1]])).tolist()
    [[1.0, 2.0, 10.0]]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.scale = _number_or_numbers(scale, "scale")
        self.offset = _number_or_numbers(offset, "offset")
        self.is_per_channel = isinstance(self.scale, tuple) or isinstance(self.offset, tuple)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Rescale arrays, of integers too, or add the layer to a network."""
        first = args[0] if args else None
        if isinstance(first, np.ndarray) and first.dtype.kind in "uib" and first.dtype != np.uint8:
            args = (first.astype(np.float32), *args[1:])
        return super().__call__(*args, **kwargs)

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing but the scales and offsets of the channels, if they differ."""
        if self.is_per_channel:
            channels = input_shapes[0][-1]
            self._scale = _per_channel(self.scale, channels, "scale")
            self._offset = _per_channel(self.offset, channels, "offset")
            self._zeros = _per_channel(0.0, channels, "zero")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return rescale(x)."""
        (x,) = inputs
        if not self.is_per_channel:
            return apply(RESCALE, x, scale=self.scale, offset=self.offset)
        if np.dtype(x.dtype) == np.uint8:
            x = apply(RESCALE, x, scale=1.0)
        # scale * (x - 0) / sqrt(0 + 1) + offset
        zeros = self._zeros
        return apply(BATCH_NORM_INFERENCE, x, self._scale, self._offset, zeros, zeros, epsilon=1.0)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 2: a product and an addition."""
        return 2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _number_or_numbers(value: Any, name: str) -> float | tuple[float, ...]:
    """Return a finite number, or several in a tuple."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return check_number(value, name)
    if not value:
        raise ArgumentError(f"{name} must be a number or one per channel; got an empty list")
    return tuple(check_number(one, name) for one in value)


def _per_channel(value: float | tuple[float, ...], channels: int, name: str) -> np.ndarray:
    """Return one number per channel."""
    if isinstance(value, tuple) and len(value) not in (1, channels):
        raise ShapeError(f"{name} has {len(value)} numbers, but the input has {channels} channels")
    array = aligned((channels,), "float32")
    array[...] = value
    return array


def Input(
    shape: int | Shape | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    batch_shape: Shape | None = None,
    name: str | None = None,
    *,
    rescale: float | None = None,
) -> SymbolicTensor:
    """Return the input of a model: the symbolic tensor for a batch of samples of this shape.

    Parameters
    ----------
    shape : shape of one sample, (H, W, C) for images; None for a length that may differ from
        batch to batch, as in (None, None, 3)
    batch_size : accepted, but a model takes batches of every size
    dtype : "float32" or "uint8"; default "float32". A model takes uint8 images in both cases
    sparse : False or None; there are no sparse tensors
    batch_shape : the shape with the batch size first, in place of `shape`
    name : of the InputLayer
    rescale : scale of a Rescaling layer that is added; 1/255 brings pixels into 0...1

    Raises
    ------
    ShapeError : the shape includes the batch size
    ArgumentError : a length is neither an integer >= 1 nor None

    Examples
    --------
    >>> Input((28, 28, 1), rescale=1 / 255).shape
    (None, 28, 28, 1)
    >>> Input((None, None, 3)).shape
    (None, None, None, 3)
    """
    if sparse:
        raise ArgumentError("there are no sparse tensors in image networks; leave out sparse")
    layer = InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name)
    tensor = layer.tensor()
    if rescale is None:
        return tensor
    rescaled: SymbolicTensor = Rescaling(rescale)(tensor)
    rescaled.source = tensor
    return rescaled


def _sample_shape(shape: Any) -> Shape:
    """Return the shape of one sample after a check; lengths between the ends may be None."""
    if not isinstance(shape, (list, tuple)) or None not in shape:
        return check_one_shape(shape, "shape")
    if shape[0] is None and len(shape) == 4:
        raise ShapeError(
            f"shape is that of one sample, without the batch size: {tuple(shape[1:])}; got "
            f"{tuple(shape)}"
        )
    known = check_one_shape([1 if n is None else n for n in shape], "shape")
    return tuple(None if n is None else m for n, m in zip(shape, known, strict=True))  # type: ignore[misc]
