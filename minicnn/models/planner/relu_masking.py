"""Apply a ReLU's mask when the gradient is written, not when it is read.

In x = relu(z), y = conv(x) one kernel writes the gradient dx. The kernels that continue from it
read both dx and x, because dz = dx where x > 0, else 0. If the first kernel applies this mask
itself, the others need not read x, and the gradient can be written in place of x.
"""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Value

# The kernels that mask the gradient they read, and those that read a masked gradient.
WITHOUT_MASK = {
    "conv2d_relu_backward_input": "conv2d_backward_input",
    "conv2d_relu_backward_weights": "conv2d_backward_weights",
}


def apply_relu_masks_early(calls: list[Call]) -> list[Call]:
    """Mask each gradient when it is written, if only kernels of WITHOUT_MASK read it."""
    readers: dict[int, list[Call]] = {}
    for call in calls:
        for value in call.reads:
            readers.setdefault(id(value), []).append(call)
    masks = {
        id(call.writes[0]): y
        for call in calls
        if f"{call.kernel}_relu" in CONTRACTS
        and (y := _common_mask(call.writes[0], readers)) is not None
    }
    return [_with_early_masks(call, masks) for call in calls]


def _common_mask(dy: Value | None, readers: dict[int, list[Call]]) -> Value | None:
    """Return the ReLU's output by which all readers mask `dy`; None if they do not agree."""
    found = readers.get(id(dy), [])
    if not all(call.kernel in WITHOUT_MASK and call.reads[0] is dy for call in found):
        return None
    (y,) = {id(call.reads[1]): call.reads[1] for call in found}.values() or (None,)
    return y


def _with_early_masks(call: Call, masks: dict[int, Value]) -> Call:
    """Return the call with a mask on what it writes, and without one on what it reads."""
    kernel, reads, writes, attributes = call
    if kernel in WITHOUT_MASK and id(reads[0]) in masks:
        kernel, reads = WITHOUT_MASK[kernel], (reads[0], *reads[2:])
    if id(writes[0]) in masks:
        kernel, reads = f"{kernel}_relu", (*reads, masks[id(writes[0])])
    return Call(kernel, reads, writes, attributes)
