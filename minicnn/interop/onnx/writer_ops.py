"""The table from our operations on single values to ONNX's operators.

Each function writes the nodes of one step. They take their inputs in any order of axes, as long as
it is the same for all, so none of them needs a transposition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.interop.onnx.writer_layouts import Layouts
from minicnn.interop.onnx.writer_trace import Step

Write = Callable[[Layouts, Step], None]  # writes one step
Formula = Callable[..., str]  # (layouts, step, *tensors) -> the result's tensor
TABLE: dict[str, Write] = {}


def writes(*kernels: str) -> Callable[[Write], Write]:
    """Enter a function into the table under the names of our operations."""

    def enter(function: Write) -> Write:
        TABLE.update(dict.fromkeys(kernels, function))
        return function

    return enter


def by_value(*kernels: str) -> Callable[[Formula], Formula]:
    """Enter a formula of single values, which does not care in which order the axes are."""

    def enter(function: Formula) -> Formula:
        def write(layouts: Layouts, step: Step) -> None:
            names, laid = layouts.together([v for v in step.reads if v is not None])
            layouts.put(step.value, laid._replace(tensor=function(layouts, step, *names)))

        TABLE.update(dict.fromkeys(kernels, write))
        return function

    return enter


def fixed(layouts: Layouts, step: Step, name: str) -> Any:
    """Return an attribute; raise if it depends on the sizes of the inputs."""
    value = step.attributes[name]
    if value is None:
        raise layouts.refused(
            f"its {name} depends on the sizes of the inputs, which the file has not"
        )
    return value


# --- one operator each --------------------------------------------------------------------------

OPERATORS = {
    "absolute": "Abs", "cos": "Cos", "exp": "Exp", "log": "Log", "reciprocal": "Reciprocal",
    "sin": "Sin", "softplus": "Softplus", "sqrt": "Sqrt", "ceil": "Ceil", "floor": "Floor",
    "round": "Round", "sign": "Sign", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh",
    "add": "Add", "multiply": "Mul", "divide": "Div", "maximum": "Max", "minimum": "Min",
    "power": "Pow", "subtract": "Sub", "where": "Where",
    # Patterns of several steps: see writer_patterns.
    "hard_silu": "HardSwish", "softsign": "Softsign", "selu": "Selu", "prelu": "PRelu",
}  # fmt: skip


@by_value(*OPERATORS)
def _operator(layouts: Layouts, step: Step, *tensors: str) -> str:
    return layouts.emit(OPERATORS[step.kernel], *tensors)


@writes("stop_gradient")
def _as_it_is(layouts: Layouts, step: Step) -> None:
    (x,) = step.reads
    layouts.put(step.value, layouts.laid(x))  # type: ignore[arg-type]


# --- activations --------------------------------------------------------------------------------


@by_value("leaky_relu")
def _leaky_relu(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("LeakyRelu", x, alpha=float(step.attributes["negative_slope"]))


@by_value("elu")
def _elu(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("Elu", x, alpha=float(step.attributes["alpha"]))


@by_value("hard_sigmoid")
def _hard_sigmoid(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@by_value("relu6")
def _relu6(layouts: Layouts, step: Step, x: str) -> str:
    return _clipped(layouts, x, 0.0, 6.0)


@by_value("clip")
def _clip(layouts: Layouts, step: Step, x: str) -> str:
    return _clipped(layouts, x, step.attributes["minimum"], step.attributes["maximum"])


def _clipped(layouts: Layouts, x: str, low: float, high: float) -> str:
    if low > high:  # a number below both bounds is above the upper one when it is at the lower one
        x, low = layouts.emit("Max", x, layouts.number(low, "low")), -math.inf
    bounds = [
        "" if math.isinf(bound) else layouts.number(bound, name)
        for bound, name in ((low, "min"), (high, "max"))
    ]
    while bounds and not bounds[-1]:
        bounds.pop()
    return layouts.emit("Clip", x, *bounds)


@by_value("silu")
def _silu(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("Mul", x, layouts.emit("Sigmoid", x))


@by_value("gelu")
def _gelu(layouts: Layouts, step: Step, x: str) -> str:
    """Write x * (1 + erf(x / sqrt(2))) / 2, or with tanh in place of erf, approximately."""
    if step.attributes["approximate"]:
        cube = layouts.emit("Mul", layouts.emit("Mul", x, x), x)
        cube = layouts.emit("Mul", cube, layouts.number(0.044715, "cube"))
        inner = layouts.number(math.sqrt(2 / math.pi), "inner")
        curve = layouts.emit("Tanh", layouts.emit("Mul", layouts.emit("Add", x, cube), inner))
    else:
        curve = layouts.emit("Erf", layouts.emit("Div", x, layouts.number(math.sqrt(2), "width")))
    curve = layouts.emit("Add", curve, layouts.number(1.0, "one"))
    return layouts.emit("Mul", layouts.emit("Mul", x, curve), layouts.number(0.5, "half"))


# --- arithmetic ---------------------------------------------------------------------------------


@by_value("rescale")
def _rescale(layouts: Layouts, step: Step, x: str) -> str:
    scale, offset = fixed(layouts, step, "scale"), fixed(layouts, step, "offset")
    (read,) = step.reads
    if read is not None and read.dtype != step.value.dtype:
        x = cast(layouts, x, step.value.dtype)
    if scale != 1 or offset == 0:
        x = layouts.emit("Mul", x, layouts.number(scale, "scale"))
    return x if offset == 0 else layouts.emit("Add", x, layouts.number(offset, "offset"))


@by_value("square")
def _square(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("Mul", x, x)


@by_value("rsqrt")
def _rsqrt(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("Reciprocal", layouts.emit("Sqrt", x))


@by_value("fixed_power")
def _fixed_power(layouts: Layouts, step: Step, x: str) -> str:
    return layouts.emit("Pow", x, layouts.number(fixed(layouts, step, "exponent"), "exponent"))


@by_value("expm1")
def _expm1(layouts: Layouts, step: Step, x: str) -> str:
    """Write e^x - 1, near 0 as 2 t / (1 - t) with t = tanh(x / 2), which loses no digits there."""
    one, half = layouts.number(1.0, "one"), layouts.number(0.5, "half")
    t = layouts.emit("Tanh", layouts.emit("Mul", x, half))
    near = layouts.emit("Div", layouts.emit("Add", t, t), layouts.emit("Sub", one, t))
    far = layouts.emit("Sub", layouts.emit("Exp", x), one)
    is_near = layouts.emit("Less", layouts.emit("Abs", x), half)
    return layouts.emit("Where", is_near, near, far)


@by_value("log1p")
def _log1p(layouts: Layouts, step: Step, x: str) -> str:
    """Write log(1 + x) as x log(u) / (u - 1) with u = 1 + x, as rounded, and as x where u is 1."""
    one = layouts.number(1.0, "one")
    u = layouts.emit("Add", x, one)
    rest = layouts.emit("Sub", u, one)
    log = layouts.emit("Log", u)
    quotient = layouts.emit("Mul", log, layouts.emit("Div", x, rest))
    near = layouts.emit("Equal", rest, layouts.number(0.0, "zero"))
    far = layouts.emit("Equal", u, x)
    return layouts.emit("Where", near, x, layouts.emit("Where", far, log, quotient))


# --- integers and truth values ------------------------------------------------------------------

COMPARISONS = {
    "equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less",
    "less_equal": "LessOrEqual", "not_equal": "Equal",
}  # fmt: skip
INTEGERS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "maximum": "Max", "minimum": "Min",
    "negative": "Neg", "absolute": "Abs", "sign": "Sign", "mod": "Mod", "isnan": "IsNaN",
    "isinf": "IsInf",
}  # fmt: skip
TRUTH = {
    "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not",
    "add": "Or", "maximum": "Or", "multiply": "And", "minimum": "And", "equal": "Equal",
    "not_equal": "Xor",
}  # fmt: skip


@by_value("compare", "elementwise")
def _function(layouts: Layouts, step: Step, *tensors: str) -> str:
    """Write a function of NumPy that is known by its name."""
    name = step.attributes["function"]
    of_truth = step.reads[0] is not None and step.reads[0].dtype == "bool"
    if of_truth and name in TRUTH:
        return layouts.emit(TRUTH[name], *tensors)
    if not of_truth and name in COMPARISONS:
        found = layouts.emit(COMPARISONS[name], *tensors)
        return layouts.emit("Not", found) if name == "not_equal" else found
    if not of_truth and name in INTEGERS:
        return layouts.emit(INTEGERS[name], *tensors)
    if not of_truth and name == "floor_divide":
        rest = layouts.emit("Mod", *tensors)
        return layouts.emit("Div", layouts.emit("Sub", tensors[0], rest), tensors[1])
    if name == "isfinite":
        wrong = [layouts.emit(op, *tensors) for op in ("IsNaN", "IsInf")]
        return layouts.emit("Not", layouts.emit("Or", *wrong))
    dtypes = ", ".join(v.dtype for v in step.reads if v is not None)
    raise layouts.refused(f"ONNX has no operator for numpy.{name} of {dtypes}")


@by_value("cast")
def _cast(layouts: Layouts, step: Step, x: str) -> str:
    return cast(layouts, x, step.attributes["dtype"])


def cast(layouts: Layouts, x: str, dtype: str) -> str:
    """Add a node that gives a tensor another dtype."""
    onnx = layouts.graph.onnx
    return layouts.emit("Cast", x, to=onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
