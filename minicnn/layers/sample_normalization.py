"""Normalization of each sample by its own values: by layer, by groups, by size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_flag, check_int, check_number, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.initializers import Initializer
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.layers.weight_arguments import WeightArguments
from minicnn.operations.group_norm import GROUP_NORM
from minicnn.shapes import is_int

Axes = int | Sequence[int]


class _ScaledNormalization(WeightArguments):
    """A normalization with learned gamma and beta, which each may be left out."""

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: str | Initializer,
        gamma_initializer: str | Initializer,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.epsilon = check_number(epsilon, "epsilon", 0, open=True)
        self.center = check_flag(center, "center")
        self.scale = check_flag(scale, "scale")
        self.set_weight_arguments(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.gamma: Parameter | None = None
        self.beta: Parameter | None = None

    def add_scales(self, shape: Shape) -> None:
        """Create gamma and beta."""
        if self.scale:
            self.gamma = self.add_scale("gamma", shape)
        if self.center:
            self.beta = self.add_scale("beta", shape)

    def add_scale(self, name: str, shape: Shape) -> Parameter:
        """Create a parameter that weight decay leaves alone, whatever its rank."""
        parameter = self.add_ruled(name, shape)
        parameter.decay = False
        return parameter

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 5: two for the mean and the variance, one for each of the other terms."""
        return 5

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self.weight_config("beta", "gamma"),
        }


class LayerNormalization(_ScaledNormalization):
    """Brings the values of each sample, along the last axes, to a learned mean and deviation.

    (N, ..., C) -> (N, ..., C), the same in training and at inference. See
    `minicnn.operations.group_norm`.

    Parameters
    ----------
    axis : the axes that are normalized together, of which gamma and beta have the shape: the last
        one, or several up to the last; default -1, the channels of each pixel
    epsilon : added to the variance; default 0.001
    center, scale : whether beta and gamma are learned; default True
    beta_initializer, gamma_initializer : default "zeros" and "ones"
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint : see
        `minicnn.regularizers` and `minicnn.constraints`; default None
    options : those of `Layer`

    Raises
    ------
    ArgumentError : the axes are not the last ones

    Examples
    --------
    >>> LayerNormalization()(np.array([[1, 3]], np.float32)).round(3).tolist()
    [[-1.0, 1.0]]
    >>> layer = LayerNormalization(axis=[1, 2, 3])
    >>> layer(np.zeros((1, 4, 5, 3), np.float32)).shape, layer.count_params()
    ((1, 4, 5, 3), 120)
    """

    def __init__(
        self,
        axis: Axes = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | Initializer = "zeros",
        gamma_initializer: str | Initializer = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ) -> None:
        weights = (
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
        )
        super().__init__(epsilon, center, scale, *weights, **options)
        self.axis = check_axis(axis)

    def build(self, *input_shapes: Shape) -> None:
        """Create gamma and beta, of the shape of the normalized axes."""
        (shape,) = input_shapes
        self._first = first_of_last_axes(self.axis, shape)
        self.add_scales(known_lengths(shape, self._first))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return gamma * (x - mean) / sqrt(variance + epsilon) + beta."""
        axes = {"sample_axis": self._first, "channel_axis": self._first}
        return apply(GROUP_NORM, inputs[0], self.gamma, self.beta, epsilon=self.epsilon, **axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


class GroupNormalization(_ScaledNormalization):
    """Brings groups of channels of each sample to a mean of 0 and a variance of 1, then scales.

    (N, ..., C) -> (N, ..., C), with C weights gamma and C weights beta; the same in training and at
    inference. See `minicnn.operations.group_norm`.

    Parameters
    ----------
    groups : how many groups the channels are divided into, 1 for one of all channels, -1 for one of
        each; default 32
    axis : that of the channels, the last one; default -1
    epsilon : added to the variance; default 0.001
    center, scale : whether beta and gamma are learned; default True
    beta_initializer, gamma_initializer : default "zeros" and "ones"
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint : see
        `minicnn.regularizers` and `minicnn.constraints`; default None
    options : those of `Layer`

    Raises
    ------
    ArgumentError : the number of groups does not divide that of the channels, or axis is another

    Examples
    --------
    >>> x = np.array([[1, 3, 10, 30]], np.float32)
    >>> GroupNormalization(2)(x).round(2).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | Initializer = "zeros",
        gamma_initializer: str | Initializer = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ) -> None:
        weights = (
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
        )
        super().__init__(epsilon, center, scale, *weights, **options)
        self.groups = groups if groups == -1 else check_int(groups, "groups")
        self.axis = check_last_axis_argument(axis)

    def build(self, *input_shapes: Shape) -> None:
        """Create gamma and beta, (C,) each."""
        (shape,) = input_shapes
        channels = channels_of(shape, self.axis)
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ArgumentError(
                f"groups must divide the number of channels, {channels}; got {self.groups}"
            )
        self.add_scales((channels,))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return group_norm(x)."""
        return apply(
            GROUP_NORM, inputs[0], self.gamma, self.beta, groups=self.groups, epsilon=self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "groups": self.groups, "axis": self.axis}


class RMSNormalization(Layer):
    """Divides the values of each sample, along the last axes, by their root mean square.

    (N, ..., C) -> (N, ..., C), with weights `scale`; the same in training and at inference.

    y = scale * x / sqrt(mean of x^2 + epsilon)

    Parameters
    ----------
    axis : the last axis, or several up to the last; default -1
    epsilon : default 1e-6
    options : those of `Layer`

    References
    ----------
    Zhang, Sennrich. Root mean square layer normalization. NeurIPS 2019.

    Examples
    --------
    >>> RMSNormalization()(np.array([[3, 3]], np.float32)).round(3).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, axis: Axes = -1, epsilon: float = 1e-6, **options: Any) -> None:
        super().__init__(**options)
        self.axis = check_axis(axis)
        self.epsilon = check_number(epsilon, "epsilon", 0, open=True)

    def build(self, *input_shapes: Shape) -> None:
        """Create scale, of the shape of the normalized axes."""
        (shape,) = input_shapes
        self._first = first_of_last_axes(self.axis, shape)
        self.scale = self.add_parameter("scale", known_lengths(shape, self._first), "ones")
        self.scale.decay = False

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return scale * x / sqrt(mean of x^2 + epsilon)."""
        axes = {"sample_axis": self._first, "channel_axis": self._first}
        return apply(
            GROUP_NORM, inputs[0], self.scale, None, epsilon=self.epsilon,
            statistic="mean_square", **axes,
        )  # fmt: skip

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 4: two for the mean square, and two products."""
        return 4

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """Divides the values of each sample, along the last axes, by their norm.

    (N, ..., C) -> (N, ..., C). y = x / max(sqrt(sum of x^2), 1e-12)

    Parameters
    ----------
    axis : the last axis, or several up to the last; default -1
    options : those of `Layer`

    >>> UnitNormalization()(np.array([[3, 4]], np.float32)).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    def __init__(self, axis: Axes = -1, **options: Any) -> None:
        super().__init__(**options)
        self.axis = check_axis(axis)

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse other axes than the last ones."""
        self._first = first_of_last_axes(self.axis, input_shapes[0])

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x / max(norm of x, 1e-12)."""
        axes = {"sample_axis": self._first, "channel_axis": self._first}
        return apply(GROUP_NORM, inputs[0], None, None, epsilon=1e-12, statistic="norm", **axes)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 3: two for the norm, and a product."""
        return 3

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


def check_axis(axis: Any) -> int | list[int]:
    """Return one axis, or a list of axes, of which -1 is the last."""
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if not axes or not all(is_int(one) for one in axes):
        raise ArgumentError(f"axis must be an integer or a list of integers; got {quoted(axis)}")
    axes = [int(one) for one in axes]
    return axes if isinstance(axis, (list, tuple)) else axes[0]


def check_last_axis_argument(axis: Any) -> int:
    """Return the one axis of the channels."""
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    if not is_int(axis):
        raise ArgumentError(f"axis must be an integer; got {quoted(axis)}")
    return int(axis)


def first_of_last_axes(axis: int | Sequence[int], shape: Shape) -> int:
    """Return the first of the axes, which must be the last ones of an array of that shape."""
    rank = len(shape)
    given = [axis] if isinstance(axis, int) else list(axis)
    axes = sorted({one + rank if one < 0 else one for one in given})
    if axes != list(range(rank - len(axes), rank)) or axes[0] < 1:
        last = f"-1 or {rank - 1}" if rank > 1 else "-1"
        raise ArgumentError(
            f"axis must be the last axis of an input of shape {shape_text(shape)}, {last}, or "
            f"several up to the last and without the batch, since values that lie side by side are "
            f"normalized together; got {quoted(axis)}. Move the axis with Permute"
        )
    return axes[0]


def known_lengths(shape: Shape, first: int) -> Shape:
    """Return the lengths from axis `first` on, for which there are weights."""
    if None in shape[first:]:
        raise ShapeError(
            f"the axes that have weights must have known lengths; got shape {shape_text(shape)}"
        )
    return tuple(shape[first:])


def channels_of(shape: Shape, axis: int) -> int:
    """Return the number of channels, whose axis must be the last one."""
    if len(shape) < 2:
        raise ShapeError(f"x must have axes (N, ..., C); got shape {shape_text(shape)}")
    last = len(shape) - 1
    if axis not in (-1, last):
        raise ArgumentError(
            f"axis must be -1 or {last}, the channels of an input of shape {shape_text(shape)}; "
            f"got {axis}. The channels of images are last here: move them with Permute, or "
            "np.moveaxis(x, 1, -1)"
        )
    return shape[last]
