"""A dense layer's gradient and its use: the product goes to scratch memory, then the update.

The update is the last launch, as of every optimizer's kernel: `flat_update.py` counts on that.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from minicnn.backends.cuda import optimizers
from minicnn.backends.cuda.dense import weights_gradient
from minicnn.backends.cuda.runtime.launch import KernelFactory, KernelPlan, joined
from minicnn.contracts import DENSE_UPDATES, Spec


def _in_turn(
    update: KernelFactory, w: Spec, dy: Spec, x: Spec, *slots: Any, **attributes: Any
) -> KernelPlan:
    both = joined(weights_gradient(dy, x), update(w, w, *slots, **attributes))
    return both._replace(scratch={**both.scratch, "dw": w})


KERNELS: dict[str, KernelFactory] = {
    DENSE_UPDATES[name]: partial(_in_turn, update) for name, update in optimizers.KERNELS.items()
}
