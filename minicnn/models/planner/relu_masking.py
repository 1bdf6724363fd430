"""Gradients that pass a ReLU where they are made, not where they are read.

In x = relu(z), y = conv(x) the gradient by x is written by one kernel, and those behind it read it
together with x, to know where the ReLU let it through. If the first one does that itself, they need
not read x, and the gradient can be written in x's place.
"""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Value

# The gradients of conv2d_relu, and those that read a gradient which has passed the ReLU.
AFTER_GATE = {
    "conv2d_relu_backward_input": "conv2d_backward_input",
    "conv2d_relu_backward_weights": "conv2d_backward_weights",
}


def pass_relus_early(calls: list[Call]) -> list[Call]:
    """Each gradient that only AFTER_GATE's kernels read passes their ReLU when it is written."""
    readers: dict[int, list[Call]] = {}
    for call in calls:
        for value in call.reads:
            readers.setdefault(id(value), []).append(call)
    outputs = {
        id(call.writes[0]): y
        for call in calls
        if f"{call.kernel}_relu" in CONTRACTS
        and (y := _common_relu(call.writes[0], readers)) is not None
    }
    return [_early(call, outputs) for call in calls]


def _common_relu(dy: Value | None, readers: dict[int, list[Call]]) -> Value | None:
    """The ReLU's output through which all readers see `dy`, if there is one."""
    found = readers.get(id(dy), [])
    if not all(call.kernel in AFTER_GATE and call.reads[0] is dy for call in found):
        return None
    (y,) = {id(call.reads[1]): call.reads[1] for call in found}.values() or (None,)
    return y


def _early(call: Call, outputs: dict[int, Value]) -> Call:
    """The call with its ReLUs moved: that in front of it gone, that behind it taken along."""
    kernel, reads, writes, attributes = call
    if kernel in AFTER_GATE and id(reads[0]) in outputs:
        kernel, reads = AFTER_GATE[kernel], (reads[0], *reads[2:])
    if id(writes[0]) in outputs:
        kernel, reads = f"{kernel}_relu", (*reads, outputs[id(writes[0])])
    return Call(kernel, reads, writes, attributes)
