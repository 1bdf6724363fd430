"""Networks to begin with, as lists of blocks."""

from __future__ import annotations

from typing import Any, NamedTuple

Given = dict[str, Any]  # a block as JSON has it


class Preset(NamedTuple):
    """A network to begin with."""

    name: str
    title: str
    help: str
    blocks: list[Given]


def _conv(filters: int, size: int, padding: str = "valid", activation: str = "linear") -> Given:
    given = {"filters": filters, "kernel_size": size, "padding": padding}
    return {"kind": "conv2d", **given, "activation": activation}


def _dense(units: int, activation: str) -> Given:
    return {"kind": "dense", "units": units, "activation": activation}


MAX_POOL: Given = {"kind": "maxpooling2d", "pool_size": 2}
AVERAGE_POOL: Given = {"kind": "averagepooling2d", "pool_size": 2}
FLATTEN: Given = {"kind": "flatten"}

PRESETS = {
    one.name: one
    for one in (
        Preset(
            "lenet",
            "LeNet",
            "As Caffe defines it for handwritten digits: two convolutions, two dense layers.",
            [_conv(20, 5), MAX_POOL, _conv(50, 5), MAX_POOL, FLATTEN, _dense(500, "relu")],
        ),
        Preset(
            "lenet5",
            "LeNet-5",
            "The network of 1998, as it is usually built: small, with tanh and mean pooling.",
            [
                _conv(6, 5, "same", "tanh"), AVERAGE_POOL, _conv(16, 5, "valid", "tanh"),
                AVERAGE_POOL, FLATTEN, _dense(120, "tanh"), _dense(84, "tanh"),
            ],
        ),
        Preset(
            "small",
            "Small, for photographs",
            "Like the small networks for CIFAR-10: 3 x 3 kernels, ReLU, batch normalization.",
            [
                _conv(16, 3, "same", "linear"), {"kind": "batchnormalization"},
                {"kind": "activation", "activation": "relu"}, MAX_POOL,
                _conv(32, 3, "same", "relu"), MAX_POOL, FLATTEN,
                {"kind": "dropout", "rate": 0.25}, _dense(64, "relu"),
            ],
        ),
    )
}  # fmt: skip
