"""LeNet, which reads handwritten digits, in two versions."""

from __future__ import annotations

from minicnn.layers import AveragePooling2D, Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential


def lenet(*, rescale: float = 1 / 256) -> Sequential:
    """LeNet as Caffe defines it, for 28 x 28 gray digits of 0...255; it has 431,080 parameters.

    Two convolutions, each followed by 2 x 2 max pooling, then a dense layer of 500 units with a
    ReLU, and one of 10 units with softmax. The layers have Caffe's names.

    Parameters
    ----------
    rescale : float
        Factor of the pixels; Caffe's is 1/256.

    Returns
    -------
    Sequential
        (N, 28, 28, 1) uint8 or float32, 0...255 -> (N, 10) float32: the probability of each digit.
        Not compiled yet.

    Notes
    -----
    As in Caffe, the initial weights are drawn by its "xavier" rule, and the biases have twice the
    learning rate of the weights. Of the hidden layers only the dense one has an activation; max
    pooling is what makes the convolutions more than one linear map.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86 (11), 1998. Jia et al.: Caffe: Convolutional architecture for fast
    feature embedding, 2014; there in examples/mnist.

    Examples
    --------
    >>> model = lenet()
    >>> model.count_params()
    431080
    """
    model = Sequential(
        [
            Input((28, 28, 1), rescale=rescale),  # (N, 28, 28, 1)
            Conv2D(20, 5, name="conv1"),  # (N, 24, 24, 20)
            MaxPooling2D(2, name="pool1"),  # (N, 12, 12, 20)
            Conv2D(50, 5, name="conv2"),  # (N, 8, 8, 50)
            MaxPooling2D(2, name="pool2"),  # (N, 4, 4, 50)
            Flatten(name="flatten"),  # (N, 800)
            Dense(500, activation="relu", name="ip1"),  # (N, 500)
            Dense(10, activation="softmax", name="ip2"),  # (N, 10)
        ],
        name="lenet",
    )
    for parameter in model.parameters:
        if parameter.name.endswith("/bias"):
            parameter.multiplier = 2.0
    return model


def lenet5(*, rescale: float = 1 / 255) -> Sequential:
    """LeNet-5 as it is usually built, for 28 x 28 gray digits of 0...255; 61,706 parameters.

    It has about a third as many filters as Caffe's LeNet, average pooling, and tanh activations.

    Parameters
    ----------
    rescale : float
        Factor of the pixels; default 1/255.

    Returns
    -------
    Sequential
        (N, 28, 28, 1) uint8 or float32, 0...255 -> (N, 10) float32: the probability of each digit.
        Not compiled yet.

    Notes
    -----
    The network in the paper has 60,000 parameters: each filter of its second convolution reads
    only some of the six channels, its pooling has weights, and its outputs are distances to drawn
    digits. The layers have the paper's names.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86 (11), 1998.

    Examples
    --------
    >>> lenet5().count_params()
    61706
    """
    return Sequential(
        [
            Input((28, 28, 1), rescale=rescale),  # (N, 28, 28, 1)
            Conv2D(6, 5, padding="same", activation="tanh", name="c1"),  # (N, 28, 28, 6)
            AveragePooling2D(2, name="s2"),  # (N, 14, 14, 6)
            Conv2D(16, 5, activation="tanh", name="c3"),  # (N, 10, 10, 16)
            AveragePooling2D(2, name="s4"),  # (N, 5, 5, 16)
            Flatten(name="flatten"),  # (N, 400)
            Dense(120, activation="tanh", name="c5"),  # (N, 120)
            Dense(84, activation="tanh", name="f6"),  # (N, 84)
            Dense(10, activation="softmax", name="output"),  # (N, 10)
        ],
        name="lenet5",
    )
