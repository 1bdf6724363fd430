"""The input of a network, and a layer that scales pixels."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_choice, check_int, check_number, check_one_shape
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import LayerCall, SymbolicTensor
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
