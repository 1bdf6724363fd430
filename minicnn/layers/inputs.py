"""The input of a network, and a layer that scales pixels."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_choice, check_number, check_one_shape
from minicnn.contracts import Shape, Spec
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer, LayerCall, SymbolicTensor
from minicnn.operations.elementwise import RESCALE

DTYPES = ("float32", "uint8")


class InputLayer(Layer):
    """The first layer of a network, whose output is the array that the model is fed with.

    `Input(...)` creates it.

    >>> InputLayer((28, 28, 1)).tensor().shape
    (None, 28, 28, 1)
    """

    def __init__(self, shape: int | Shape, dtype: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.shape = check_one_shape(shape, "shape")
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

    >>> Rescaling(1 / 5, offset=-1)(np.array([[0, 5]], np.uint8)).tolist()
    [[-1.0, 0.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.scale = check_number(scale, "scale")
        self.offset = check_number(offset, "offset")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return rescale(x)."""
        return apply(RESCALE, inputs[0], scale=self.scale, offset=self.offset)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 2: a product and an addition."""
        return 2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def Input(
    shape: int | Shape,
    dtype: str | None = None,
    name: str | None = None,
    rescale: float | None = None,
) -> SymbolicTensor:
    """Return the input of a model: the symbolic tensor for a batch of samples of this shape.

    Parameters
    ----------
    shape : shape of one sample, (H, W, C) for images
    dtype : "float32" or "uint8"; default "float32". A model takes uint8 images in both cases
    name : of the InputLayer
    rescale : scale of a Rescaling layer that is added; 1/255 brings pixels into 0...1

    Raises
    ------
    ShapeError : the shape includes the batch size
    ArgumentError : a length is not an integer >= 1

    Examples
    --------
    >>> Input((28, 28, 1), rescale=1 / 255).shape
    (None, 28, 28, 1)
    """
    tensor = InputLayer(shape, dtype, name=name).tensor()
    if rescale is None:
        return tensor
    rescaled: SymbolicTensor = Rescaling(rescale)(tensor)
    rescaled.source = tensor
    return rescaled
