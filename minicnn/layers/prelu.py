"""The activation whose slopes are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.weight_arguments import WeightArguments
from minicnn.operations.activations import RELU
from minicnn.operations.arrange import BROADCAST_TO
from minicnn.operations.elementwise import ADD, MULTIPLY, RESCALE
from minicnn.shapes import is_int


class PReLU(WeightArguments):
    """Leaves positive values as they are and multiplies the others by slopes that are learned.

    (N, ...) -> (N, ...), with a slope alpha for each value of a sample, or fewer with
    `shared_axes`: y = max(x, 0) - alpha * max(-x, 0).

    Parameters
    ----------
    alpha_initializer : default "zeros"
    alpha_regularizer, alpha_constraint : see `minicnn.regularizers` and `minicnn.constraints`;
        default None
    shared_axes : axes along which all values have the same slope, counted from 1; [1, 2] gives an
        image one slope per channel. Default None
    options : those of `Layer`

    >>> PReLU(alpha_initializer="ones")(np.array([[-1, 2]], np.float32)).tolist()
    [[-1.0, 2.0]]

    References
    ----------
    He, Zhang, Ren, Sun. Delving deep into rectifiers. ICCV 2015.
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.set_weight_arguments(
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        self.shared_axes: list[int] | None = None
        if shared_axes is not None:
            given = list(shared_axes) if isinstance(shared_axes, Sequence) else [shared_axes]
            if not all(is_int(axis) and axis >= 1 for axis in given):
                raise ArgumentError(
                    f"shared_axes must be integers from 1; got {quoted(shared_axes)}"
                )
            self.shared_axes = [int(axis) for axis in given]

    def build(self, *input_shapes: Shape) -> None:
        """Create alpha, in the shape of a sample with length 1 along the shared axes."""
        (shape,) = input_shapes
        shared = self.shared_axes or []
        if any(axis >= len(shape) for axis in shared):
            raise ShapeError(f"shared_axes={shared}, but the input is {shape_text(shape)}")
        lengths = [1 if axis in shared else n for axis, n in enumerate(shape)][1:]
        if None in lengths:
            raise ShapeError(
                f"alpha needs axes of known length; got {shape_text(shape)}: add the others to "
                "shared_axes"
            )
        self.alpha = self.add_ruled("alpha", tuple(lengths))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return relu(x) - alpha * relu(-x)."""
        x = inputs[0]
        slopes = apply(BROADCAST_TO, self.alpha, shape=tuple(x.shape))
        below = apply(MULTIPLY, apply(RELU, apply(RESCALE, x, scale=-1.0)), slopes)
        return apply(ADD, apply(RELU, x), apply(RESCALE, below, scale=-1.0))

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 2: a comparison and a product."""
        return 2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            **self.weight_config("alpha"),
            "shared_axes": self.shared_axes,
        }
