"""Operations that ONNX has one operator for, where we have several: found and put together.

A pattern ends at a step and reaches back over results that nothing else reads. What it finds is
one step with a name of its own, or with more inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minicnn.interop.onnx.writer_trace import Recording, Step, Value
from minicnn.layers.activation_functions import SELU_ALPHA, SELU_SCALE

Made = dict[int, Step]  # the step that makes a value, by the value's number
Pattern = Callable[[Step, Made], Step | None]


def with_patterns(recording: Recording) -> list[Step]:
    """Return the steps with each pattern as one step."""
    made: Made = {}
    for step in recording.steps:
        found: Step | None = step
        while found is not None:
            step = found
            matches = (pattern(step, made) for pattern in PATTERNS.get(step.kernel, ()))
            found = next((one for one in matches if one is not None), None)
        made[step.value.number] = step
    return _needed(list(made.values()), recording.outputs)


def _needed(steps: list[Step], outputs: list[Value]) -> list[Step]:
    """Return the steps whose results are read, or are outputs."""
    wanted = {value.number for value in outputs}
    found = []
    for step in reversed(steps):
        if step.value.number in wanted:
            found.append(step)
            wanted |= {value.number for value in step.reads if value is not None}
    return found[::-1]


def _before(step: Step, made: Made, kernel: str, place: int = 0, uses: int = 1) -> Step | None:
    """Return the step that makes an input, if it is of that kernel and nothing else reads it."""
    value = step.reads[place]
    if value is None or value.uses > uses:
        return None
    found = made.get(value.number)
    return found if found is not None and found.kernel == kernel else None


def _is(step: Step, **attributes: Any) -> bool:
    return all(step.attributes.get(name) == value for name, value in attributes.items())


def _as(step: Step, kernel: str, *reads: Value | None, **attributes: Any) -> Step:
    exact = ({**step.exact[0], **attributes}, {**step.exact[1], **attributes})
    return step._replace(kernel=kernel, reads=reads, attributes=attributes, exact=exact)


def _selu(step: Step, made: Made) -> Step | None:
    elu = _before(step, made, "elu")
    if elu is None or not _is(elu, alpha=SELU_ALPHA) or not _is(step, scale=SELU_SCALE, offset=0.0):
        return None
    return _as(step, "selu", *elu.reads)


def _mean(step: Step, made: Made) -> Step | None:
    """Find a sum along axes that is divided by the number of values."""
    total = _before(step, made, "sum")
    if total is None or total.use is not step.use or not _is(step, offset=0.0):
        return None
    lengths = [total.reads[0].shape[axis] for axis in total.attributes["axes"]]  # type: ignore[union-attr]
    if None in lengths or step.attributes["scale"] != 1 / math.prod(lengths):
        return None
    return total._replace(kernel="mean", value=step.value)


def _hard_sigmoid(step: Step, made: Made) -> Step | None:
    top = _before(step, made, "relu6") if _is(step, scale=1 / 6, offset=0.0) else None
    line = top and _before(top, made, "rescale")
    if line is None or not _is(line, scale=1.0, offset=3.0):
        return None
    return _as(step, "hard_sigmoid", *line.reads)


def _hard_silu(step: Step, made: Made) -> Step | None:
    for i in (0, 1):
        factor = _before(step, made, "hard_sigmoid", i)
        if factor is not None and factor.reads[0] is step.reads[1 - i]:
            return _as(step, "hard_silu", *factor.reads)
    return None


def _softsign(step: Step, made: Made) -> Step | None:
    line = _before(step, made, "rescale", 1)
    size = line and _before(line, made, "absolute")
    if line is None or size is None or not _is(line, scale=1.0, offset=1.0):
        return None
    return _as(step, "softsign", *size.reads) if size.reads[0] is step.reads[0] else None


def _prelu(step: Step, made: Made) -> Step | None:
    """Find relu(x) - alpha * relu(-x)."""
    above, minus = _before(step, made, "relu"), _before(step, made, "rescale", 1)
    product = minus and _is(minus, scale=-1.0, offset=0.0) and _before(minus, made, "multiply")
    below = product and _before(product, made, "relu")
    negative = below and _before(below, made, "rescale")
    if above is None or not product or not negative or not _is(negative, scale=-1.0, offset=0.0):
        return None
    if negative.reads[0] is not above.reads[0]:
        return None
    return _as(step, "prelu", above.reads[0], product.reads[1])


def _biased(step: Step, made: Made) -> Step | None:
    """Find a transposed convolution whose bias is added."""
    bias, conv = step.reads[1], _before(step, made, "conv2d_transpose")
    if conv is None or bias is None or bias.array is None or conv.use is not step.use:
        return None
    return conv._replace(reads=(*conv.reads, bias), value=step.value)


def _joined(step: Step, made: Made) -> Step | None:
    """Find what is joined in turn, to join all at once."""
    first = _before(step, made, "concatenate")
    if first is None or first.use is not step.use or not _is(first, axis=step.attributes["axis"]):
        return None
    return step._replace(reads=(*first.reads, *step.reads[1:]))


PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "rescale": (_selu, _hard_sigmoid, _mean),
    "multiply": (_hard_silu,),
    "divide": (_softsign,),
    "add": (_prelu,),
    "bias": (_biased,),
    "concatenate": (_joined,),
}
