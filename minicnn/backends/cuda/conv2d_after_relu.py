"""Gradients of a convolution's input that also pass the ReLU before it, as dx is written."""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d import geometry, input_gradient
from minicnn.backends.cuda.conv2d_indices import masked_by_relu, unmasked
from minicnn.backends.cuda.pool_argmax import masked_by_argmax
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.contracts import Spec
from minicnn.shapes import Window2D


def conv2d_backward_input_relu(dy: Spec, w: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    g = geometry(w, **attributes)
    return input_gradient(g, dy.shape[0], unmasked(g), "dy", relu=True)


def conv2d_relu_backward_input_relu(
    dy: Spec, y: Spec, w: Spec, x: Spec, **attributes: Any
) -> KernelPlan:
    g = geometry(w, **attributes)
    return input_gradient(g, dy.shape[0], masked_by_relu(g), "y", relu=True)


def conv2d_max_pool2d_backward_input_relu(
    dy: Spec, argmax: Spec, w: Spec, x: Spec, *, pool: Window2D, **attributes: Any
) -> KernelPlan:
    g = geometry(w, **attributes)
    return input_gradient(g, dy.shape[0], masked_by_argmax(g, pool), "argmax", relu=True)
