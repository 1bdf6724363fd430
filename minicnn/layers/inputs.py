"""Where a network begins: the shape of one sample, and pixels brought to a good range."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_choice, check_number, check_one_shape
from minicnn.contracts import Shape, Spec
from minicnn.layers.base import Apply, Layer, SymbolicTensor
from minicnn.ops.elementwise import RESCALE

DTYPES = ("float32", "uint8")


class InputLayer(Layer):
    """Stands for the arrays that a model is given. Made by `Input(...)`.

    >>> InputLayer((28, 28, 1)).tensor().shape
    (None, 28, 28, 1)
    """

    def __init__(self, shape: int | Shape, dtype: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.shape = check_one_shape(shape, "shape")
        self.dtype = check_choice(dtype or DTYPES[0], "dtype", DTYPES)
        self.built = True

    def tensor(self) -> SymbolicTensor:
        """The promise of a batch of such samples."""
        return SymbolicTensor(Spec((None, *self.shape), self.dtype), self, ())  # type: ignore[arg-type]

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """x itself."""
        return inputs[0]

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Nothing is computed."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "shape": self.shape, "dtype": self.dtype}


class Rescaling(Layer):
    """x * scale + offset: 1/255 takes pixels to 0...1. uint8 pixels stay uint8 until here.

    (N, ...) -> (N, ...) float32. See `minicnn.ops.rescale`.

    >>> Rescaling(1 / 5, offset=-1)(np.array([[0, 5]], np.uint8)).tolist()
    [[-1.0, 0.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.scale = check_number(scale, "scale")
        self.offset = check_number(offset, "offset")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """rescale(x)."""
        return apply(RESCALE, inputs[0], scale=self.scale, offset=self.offset)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """A product and an addition."""
        return 2

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def Input(
    shape: int | Shape,
    dtype: str | None = None,
    name: str | None = None,
    rescale: float | None = None,
) -> SymbolicTensor:
    """The beginning of a model: the promise of a batch of samples of this shape.

    Parameters
    ----------
    shape : shape of one sample without the count, (H, W, C) for images
    dtype : "float32" or "uint8"; default "float32". uint8 images may be given in any case
    name : of the InputLayer
    rescale : put a Rescaling layer of this scale behind it; 1/255 takes pixels to 0...1

    Raises
    ------
    ShapeError : the shape has the number of images in it
    ArgumentError : it is not made of integers >= 1

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
