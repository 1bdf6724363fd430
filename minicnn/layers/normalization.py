"""Normalization layers, which keep values in a range that the next layer learns well from."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import initializers
from minicnn.checks import check_axes, check_flag, check_number
from minicnn.contracts import Shape
from minicnn.initializers import Initializer
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter, aligned
from minicnn.layers.sample_normalization import channels_of, check_last_axis_argument
from minicnn.layers.weight_arguments import WeightArguments, refuse_other
from minicnn.operations.batch_norm import BATCH_NORM_INFERENCE, BATCH_NORM_TRAINING
from minicnn.operations.local_response_norm import LOCAL_RESPONSE_NORM, check_neighborhood


class BatchNormalization(WeightArguments):
    """Brings each channel to a learned mean and standard deviation.

    (N, ..., C) -> (N, ..., C), with C weights gamma and C weights beta. In training the batch's own
    mean and variance are used, and running averages of them are kept, which inference uses. With
    `trainable = False` training uses the running averages too. See
    `minicnn.operations.batch_norm_training` and `batch_norm_inference`.

    Parameters
    ----------
    axis : that of the channels, which is the last one: -1, or 3 for images; default -1
    momentum : weight of the old value in a running average; default 0.99
    epsilon : added to the variance; default 0.001
    center, scale : whether beta and gamma are learned; default True
    beta_initializer, gamma_initializer : default "zeros" and "ones"
    moving_mean_initializer, moving_variance_initializer : default "zeros" and "ones"
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint : see
        `minicnn.regularizers` and `minicnn.constraints`; default None
    renorm, renorm_clipping, renorm_momentum, synchronized : must have their defaults: there is no
        batch renormalization, and where several processes train together, mean and variance are
        those of a part of the batch (see `minicnn.distributed.init`)
    options : those of `Layer`

    >>> BatchNormalization()(np.zeros((1, 74, 74, 32), np.float32)).shape
    (1, 74, 74, 32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | Initializer = "zeros",
        gamma_initializer: str | Initializer = "ones",
        moving_mean_initializer: str | Initializer = "zeros",
        moving_variance_initializer: str | Initializer = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        refuse_other(renorm, "renorm", False, "there is no batch renormalization")
        refuse_other(renorm_clipping, "renorm_clipping", None, "there is no batch renormalization")
        refuse_other(renorm_momentum, "renorm_momentum", 0.99, "there is no batch renormalization")
        refuse_other(synchronized, "synchronized", False, "each shard has its own statistics")
        self.axis = check_last_axis_argument(axis)
        self.momentum = check_number(momentum, "momentum", 0, 1)
        self.epsilon = check_number(epsilon, "epsilon", 0, open=True)
        self.center = check_flag(center, "center")
        self.scale = check_flag(scale, "scale")
        self.set_weight_arguments(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, *input_shapes: Shape) -> None:
        """Create gamma, beta and the running statistics, (C,) each."""
        (shape,) = input_shapes
        channels = (channels_of(shape, self.axis),)
        self.gamma = self._scale("gamma", channels, self.scale, 1.0)
        self.beta = self._scale("beta", channels, self.center, 0.0)
        self.moving_mean = self.add_ruled("moving_mean", channels, trainable=False)
        self.moving_variance = self.add_ruled("moving_variance", channels, trainable=False)

    def _scale(
        self, name: str, shape: Shape, learned: bool, otherwise: float
    ) -> Parameter | np.ndarray:
        """Return a new parameter, or if it is not learned the constant that changes no value."""
        if learned:
            return self.add_ruled(name, shape)
        constant = aligned(shape, "float32")
        constant[...] = otherwise
        return constant

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return batch_norm_training(x) in training, batch_norm_inference(x) otherwise."""
        reads = (inputs[0], self.gamma, self.beta, self.moving_mean, self.moving_variance)
        if training and self.trainable:
            arguments = {"momentum": self.momentum, "epsilon": self.epsilon}
            return apply(BATCH_NORM_TRAINING, *reads, None, **arguments)
        return apply(BATCH_NORM_INFERENCE, *reads, epsilon=self.epsilon)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 2: a product and an addition, once the statistics are known."""
        return 2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        moving_mean, moving_variance = (
            getattr(self, f"moving_{name}_initializer") for name in ("mean", "variance")
        )
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self.weight_config("beta", "gamma"),
            "moving_mean_initializer": initializers.serialize(moving_mean),
            "moving_variance_initializer": initializers.serialize(moving_variance),
        }


class LocalResponseNormalization(Layer):
    """Divides each value by a measure of its neighbor channels, by Caffe's formula.

    (N, H, W, C) -> (N, H, W, C). See `minicnn.operations.local_response_norm`.

    >>> LocalResponseNormalization()(np.zeros((1, 27, 27, 96), np.float32)).shape
    (1, 27, 27, 96)
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.arguments = check_neighborhood(size, alpha, beta, k)

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input that is not a batch of images."""
        check_axes(input_shapes[0], "x", "NHWC")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return local_response_norm(x)."""
        return apply(LOCAL_RESPONSE_NORM, inputs[0], **self.arguments)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return a square and an addition per neighbor, a power and a product."""
        return 2 * self.arguments["size"] + 2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **self.arguments}
