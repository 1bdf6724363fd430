"""Convolution and ReLU: the products of conv2d.py, with ReLU in the epilogue or as dy is read."""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d import (
    convolution,
    geometry,
    geometry_of_images,
    input_gradient,
    weights_gradient,
)
from minicnn.backends.cuda.conv2d_indices import masked_by_relu
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.contracts import Spec


def conv2d_relu_forward(x: Spec, w: Spec, b: Spec | None, **attributes: Any) -> KernelPlan:
    g = geometry(w, **attributes)
    return convolution(g, x.shape[0], "y", bias=b is not None, relu=True)


def conv2d_relu_backward_input(dy: Spec, y: Spec, w: Spec, **attributes: Any) -> KernelPlan:
    g = geometry(w, **attributes)
    return input_gradient(g, dy.shape[0], masked_by_relu(g), "y")


def conv2d_relu_backward_weights(dy: Spec, y: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    g = geometry_of_images(x, dy, **attributes)
    return weights_gradient(g, x.shape[0], masked_by_relu(g), "y")
