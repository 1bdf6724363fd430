"""The gradient of a dense layer's weights, in scratch memory, and the update that uses it.

The update is the last launch, as in the plans of all optimizers: flat_update.py relies on that.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from minicnn.backends.cuda import optimizers
from minicnn.backends.cuda.dense import weights_gradient
from minicnn.backends.cuda.runtime.launch import KernelFactory, KernelPlan, joined
from minicnn.contracts import DENSE_UPDATES, Spec


def _gradient_then_update(
    update: KernelFactory, w: Spec, dy: Spec, x: Spec, *slots: Any, **attributes: Any
) -> KernelPlan:
    both = joined(weights_gradient(dy, x), update(w, w, *slots, **attributes))
    return both._replace(scratch={**both.scratch, "dw": w})


KERNELS: dict[str, KernelFactory] = {
    DENSE_UPDATES[name]: partial(_gradient_then_update, update)
    for name, update in optimizers.KERNELS.items()
}
