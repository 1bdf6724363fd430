"""The transposed convolution: the kernels of conv2d.py with its arrays in other roles.

The reference's conv2d_transpose.py has the formulas.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d import (
    conv2d_backward_input,
    conv2d_backward_weights,
    conv2d_forward,
)
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.contracts import Spec


def conv2d_transpose_forward(x: Spec, w: Spec, **attributes: Any) -> KernelPlan:
    return conv2d_backward_input(x, w, **attributes).renamed(dx="y", dy="x")


def conv2d_transpose_backward_input(dy: Spec, w: Spec, **attributes: Any) -> KernelPlan:
    return conv2d_forward(dy, w, None, **attributes).renamed(y="dx", x="dy")


def conv2d_transpose_backward_weights(x: Spec, dy: Spec, **attributes: Any) -> KernelPlan:
    plan = conv2d_backward_weights(x, dy, **attributes).renamed(x="dy", dy="x")
    # The plan also writes the gradient of a bias, which nobody needs here.
    return plan._replace(scratch={**plan.scratch, "db": Spec(x.shape[-1:])})
