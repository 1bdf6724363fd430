"""Convolutions whose kernels must compile well: LeNet's second, and one of a scene's network."""

from __future__ import annotations

from kernel_cases import conv

from minicnn.contracts import Spec
from minicnn.shapes import pool_window

SHAPES = {
    "LeNet": ((64, 12, 12, 20), (5, 5, 20, 50), "valid"),
    "scene": ((32, 48, 48, 64), (3, 3, 64, 128), "same"),
}


def hot_convolutions():
    """(name, kernel, specs of its reads, attributes) of what a training step is made of."""
    for name, (x, w, padding) in SHAPES.items():
        attributes = conv(x[1:3], w[:2], 1, padding)
        out_hw = attributes["window"].out_hw(x[1:3])
        pooled = attributes | {"pool": pool_window(2, None, "valid", out_hw), "activation": "relu"}
        dy = (x[0], *out_hw, w[3])
        dp = (x[0], *pooled["pool"].out_hw(out_hw), w[3])
        X, W, B, Y, P, winner = (*map(Spec, (x, w, w[3:], dy, dp)), Spec(dp, "uint8"))
        yield name, "conv2d_relu_forward", (X, W, B), attributes
        yield name, "conv2d_backward_input", (Y, W), attributes
        yield name, "conv2d_relu_backward_weights", (Y, Y, X), attributes
        yield name, "conv2d_max_pool2d_forward", (X, W, B), pooled
        yield name, "conv2d_max_pool2d_backward_input_relu", (P, winner, W, X), pooled
        yield name, "conv2d_max_pool2d_backward_weights", (P, winner, X), pooled
