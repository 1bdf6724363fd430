"""The table of families: which module explains which operation."""

from __future__ import annotations

from minicnn.apps.explorer.numbers import (
    convolution,
    dense,
    functions,
    linear,
    normalization,
    pooling,
    softmax,
)
from minicnn.apps.explorer.numbers.other import OTHER
from minicnn.apps.explorer.numbers.parts import Family
from minicnn.contracts import ACTIVATIONS
from minicnn.tensor_contracts import BINARY, UNARY

LINEAR = (
    "broadcast_to", "concatenate", "crop2d", "cumsum", "resample",
    "reshape", "reshape_whole", "slice", "sum", "transpose", "upsample2d", "zero_pad2d",
)  # fmt: skip

FAMILIES: dict[str, Family] = {
    **dict.fromkeys((*ACTIVATIONS, *UNARY, *BINARY), functions.FUNCTIONS),
    **dict.fromkeys(LINEAR, linear.LINEAR),
    "relu": functions.RELU,
    "rescale": functions.RESCALE,
    "add": functions.ADD,
    "multiply": functions.MULTIPLY,
    "conv2d": convolution.CONV2D,
    "conv2d_transpose": convolution.CONV2D_TRANSPOSE,
    "dense": dense.DENSE,
    "bias": dense.BIAS,
    "max_pool2d": pooling.MAXIMA,
    "global_max_pool2d": pooling.MAXIMA,
    "average_pool2d": pooling.MEANS,
    "global_average_pool2d": pooling.MEANS,
    "batch_norm_inference": normalization.BATCH_NORM,
    "group_norm": normalization.GROUP_NORM,
    "local_response_norm": normalization.LOCAL_RESPONSE_NORM,
    "softmax": softmax.SOFTMAX_FAMILY,
}


def family_of(operation: str) -> Family:
    """Return the family of an operation; one that no module knows is explained in general."""
    return FAMILIES.get(operation, OTHER)
