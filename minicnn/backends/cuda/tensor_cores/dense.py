"""The dense layer on tensor cores: a convolution of images of one pixel with 1x1 windows."""

from __future__ import annotations

from math import prod
from typing import Any

from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.backends.cuda.tensor_cores import conv2d
from minicnn.contracts import Spec
from minicnn.shapes import Window2D

PIXEL: dict[str, Any] = {
    "window": Window2D((1, 1), (1, 1), (1, 1), (0, 0), (0, 0)),
    "image": (1, 1),
    "groups": 1,
}


def dense_forward(x: Spec, w: Spec, b: Spec | None) -> KernelPlan:
    return conv2d.conv2d_forward(pixels(x), weights(w), b, **PIXEL)


def dense_backward_input(dy: Spec, w: Spec) -> KernelPlan:
    return conv2d.conv2d_backward_input(pixels(dy), weights(w), **PIXEL)


def dense_backward_weights(dy: Spec, x: Spec) -> KernelPlan:
    return conv2d.conv2d_backward_weights(pixels(dy), pixels(x), **PIXEL)


def pixels(x: Spec) -> Spec:
    """Return (N, ..., I) as (N * ..., 1, 1, I)."""
    return Spec((prod(x.shape[:-1]), 1, 1, x.shape[-1]))


def weights(w: Spec) -> Spec:
    """Return (I, O) as (1, 1, I, O)."""
    return Spec((1, 1, *w.shape))
