"""A dense layer's gradient and its use: the product goes to scratch memory, then the update.

The update is the last launch, as of every optimizer's kernel: `flat_update.py` counts on that.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.dense import weights_gradient
from minicnn.backends.cuda.optimizers import adam_update, rmsprop_update, sgd_update
from minicnn.backends.cuda.runtime.launch import KernelFactory, KernelPlan, joined
from minicnn.contracts import Spec


def dense_sgd_update(w: Spec, dy: Spec, x: Spec, *slots: Any, **attributes: Any) -> KernelPlan:
    return _in_turn(sgd_update, w, dy, x, *slots, **attributes)


def dense_adam_update(w: Spec, dy: Spec, x: Spec, *slots: Any, **attributes: Any) -> KernelPlan:
    return _in_turn(adam_update, w, dy, x, *slots, **attributes)


def dense_rmsprop_update(w: Spec, dy: Spec, x: Spec, *slots: Any, **attributes: Any) -> KernelPlan:
    return _in_turn(rmsprop_update, w, dy, x, *slots, **attributes)


def _in_turn(
    update: KernelFactory, w: Spec, dy: Spec, x: Spec, *slots: Any, **attributes: Any
) -> KernelPlan:
    both = joined(weights_gradient(dy, x), update(w, w, *slots, **attributes))
    return both._replace(scratch={**both.scratch, "dw": w})
