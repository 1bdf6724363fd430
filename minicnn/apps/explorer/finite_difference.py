"""A gradient checked by trying: the loss with a value that is a bit larger and a bit smaller."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.parts import counted, shown
from minicnn.apps.explorer.reruns import Rerun, Target

# The changes that are tried, relative to the size of the value, until no kink lies between. Below
# them the two losses, which are exact to 16 digits, would differ in too few digits.
STEPS = (1e-4, 1e-5, 1e-6, 1e-7)
AGREEMENT = 1e-4  # relative: more is said to differ
EPSILON = float(np.finfo(np.float32).eps)


def check(one: Pass, target: Target) -> dict[str, Any]:
    """Compare the gradient by one value with a central difference of the loss, in float64.

        (loss(v + h) - loss(v - h)) / (2 h)

    ReLU and the maximum have kinks: if one lies between v - h and v + h, a smaller h is tried.

    Returns
    -------
    dict
        The change `h`, `loss_plus` and `loss_minus`, their `difference` divided by 2 h, the
        engine's `gradient`, the `relative_error` between the two, whether it `agrees`, `kinks`, the
        number of values that changed sides, and a `text`. Fit for JSON.

    Raises
    ------
    Problem : the true class is not known, or no gradient is computed for the value
    """
    gradients = _gradients(one, target)
    gradient = float(gradients[target.place])
    value = _value(one, target)
    base = Rerun(one)
    for relative in STEPS:
        h = relative * max(1.0, abs(value))
        plus, minus = (Rerun(one, base, target, change) for change in (h, -h))
        kinks = _kinks(one, plus, minus)
        if not kinks:
            break
    difference = (plus.loss - minus.loss) / (2 * h)
    # Gradients are float32, and small ones are often differences of large ones.
    rounding = EPSILON * float(np.abs(gradients).max())
    size = max(abs(difference), abs(gradient), rounding)
    apart = abs(difference - gradient)
    error = apart / size if size else 0.0
    agrees = error <= AGREEMENT or apart <= rounding
    return {
        "h": h, "loss_plus": plus.loss, "loss_minus": minus.loss, "difference": difference,
        "gradient": gradient, "relative_error": error, "kinks": kinks, "value": value,
        "agrees": agrees, "text": _text(h, difference, gradient, error, kinks, agrees=agrees),
    }  # fmt: skip


def _gradients(one: Pass, target: Target) -> np.ndarray:
    if target.parameter:
        return one.parameter_gradient(target.parameter)
    return one.gradient(target.step)


def _value(one: Pass, target: Target) -> float:
    array = one.parameter(target.parameter) if target.parameter else one.value(target.step)
    return float(array[target.place])


def _kinks(one: Pass, plus: Rerun, minus: Rerun) -> int:
    """Return how many values are on different sides of a kink in the two runs."""
    count = 0
    for step in one.recording.steps:
        if step.number in plus.changed:
            sides = plus.sides(step)
            if sides is not None:
                count += int((sides != minus.sides(step)).sum())
    return count


def _text(
    h: float, difference: float, gradient: float, error: float, kinks: int, *, agrees: bool
) -> str:
    text = (
        f"With the number larger and smaller by {shown(h)}, the measured slope of the loss is "
        f"{shown(difference)}. Backpropagation gives {shown(gradient)}. "
    )
    if agrees:
        text += f"They agree: the relative error is {shown(error)}"
        text += "." if error <= AGREEMENT else ", which is the rounding error of float32."
    else:
        text += f"They differ: the relative error is {shown(error)}."
    if kinks:
        text += (
            f" Between the two, {counted(kinks, 'value')} crossed a kink of a ReLU or a maximum, "
            "where the slope changes abruptly. Even the smallest step crosses a kink, so the two "
            "slopes may differ."
        )
    return text
