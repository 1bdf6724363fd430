"""Every operation as a function: `y, saved = op(...)`, then `op_backward(dy, saved)`.

Arrays are of float32. On the backend "numpy" arrays of float64 are allowed, too, and give results
of float64; the other backends convert them to float32.
"""

from minicnn.operations.activations import (
    elu,
    elu_backward,
    gelu,
    gelu_backward,
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu6,
    relu6_backward,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    silu,
    silu_backward,
    tanh,
    tanh_backward,
)
from minicnn.operations.batch_norm import (
    batch_norm_inference,
    batch_norm_inference_backward,
    batch_norm_training,
    batch_norm_training_backward,
)
from minicnn.operations.batch_norm_dropout import batch_norm_dropout, batch_norm_dropout_backward
from minicnn.operations.conv2d import conv2d, conv2d_backward
from minicnn.operations.conv2d_max_pool2d import conv2d_max_pool2d, conv2d_max_pool2d_backward
from minicnn.operations.conv2d_relu import conv2d_relu, conv2d_relu_backward
from minicnn.operations.conv2d_transpose import conv2d_transpose, conv2d_transpose_backward
from minicnn.operations.dense import bias, bias_backward, dense, dense_backward
from minicnn.operations.dropout import dropout, dropout_backward
from minicnn.operations.elementwise import (
    add,
    add_backward,
    multiply,
    multiply_backward,
    rescale,
    rescale_backward,
)
from minicnn.operations.global_pool import (
    global_average_pool2d,
    global_average_pool2d_backward,
    global_max_pool2d,
    global_max_pool2d_backward,
)
from minicnn.operations.group_norm import group_norm, group_norm_backward
from minicnn.operations.local_response_norm import local_response_norm, local_response_norm_backward
from minicnn.operations.losses import (
    binary_crossentropy,
    binary_crossentropy_backward,
    categorical_crossentropy,
    categorical_crossentropy_backward,
    mean_squared_error,
    mean_squared_error_backward,
    sigmoid_binary_crossentropy,
    sigmoid_binary_crossentropy_backward,
    softmax_categorical_crossentropy,
    softmax_categorical_crossentropy_backward,
    softmax_sparse_categorical_crossentropy,
    softmax_sparse_categorical_crossentropy_backward,
    sparse_categorical_crossentropy,
    sparse_categorical_crossentropy_backward,
)
from minicnn.operations.operation import Operation, Saved, gradients, run
from minicnn.operations.own_kernels import add_kernel
from minicnn.operations.pool import (
    average_pool2d,
    average_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from minicnn.operations.scale_channels import scale_channels, scale_channels_backward
from minicnn.operations.shape import (
    concatenate,
    concatenate_backward,
    reshape,
    reshape_backward,
    zero_pad2d,
    zero_pad2d_backward,
)
from minicnn.operations.softmax import softmax, softmax_backward
from minicnn.operations.upsample import (
    crop2d,
    crop2d_backward,
    upsample2d,
    upsample2d_backward,
)

__all__ = [
    "Operation",
    "Saved",
    "add",
    "add_backward",
    "add_kernel",
    "average_pool2d",
    "average_pool2d_backward",
    "batch_norm_dropout",
    "batch_norm_dropout_backward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "batch_norm_training",
    "batch_norm_training_backward",
    "bias",
    "bias_backward",
    "binary_crossentropy",
    "binary_crossentropy_backward",
    "categorical_crossentropy",
    "categorical_crossentropy_backward",
    "concatenate",
    "concatenate_backward",
    "conv2d",
    "conv2d_backward",
    "conv2d_max_pool2d",
    "conv2d_max_pool2d_backward",
    "conv2d_relu",
    "conv2d_relu_backward",
    "conv2d_transpose",
    "conv2d_transpose_backward",
    "crop2d",
    "crop2d_backward",
    "dense",
    "dense_backward",
    "dropout",
    "dropout_backward",
    "elu",
    "elu_backward",
    "gelu",
    "gelu_backward",
    "global_average_pool2d",
    "global_average_pool2d_backward",
    "global_max_pool2d",
    "global_max_pool2d_backward",
    "gradients",
    "group_norm",
    "group_norm_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "local_response_norm",
    "local_response_norm_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "mean_squared_error",
    "mean_squared_error_backward",
    "multiply",
    "multiply_backward",
    "relu",
    "relu6",
    "relu6_backward",
    "relu_backward",
    "rescale",
    "rescale_backward",
    "reshape",
    "reshape_backward",
    "run",
    "scale_channels",
    "scale_channels_backward",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_binary_crossentropy",
    "sigmoid_binary_crossentropy_backward",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "softmax_categorical_crossentropy",
    "softmax_categorical_crossentropy_backward",
    "softmax_sparse_categorical_crossentropy",
    "softmax_sparse_categorical_crossentropy_backward",
    "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy_backward",
    "tanh",
    "tanh_backward",
    "upsample2d",
    "upsample2d_backward",
    "zero_pad2d",
    "zero_pad2d_backward",
]
