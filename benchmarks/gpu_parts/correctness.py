"""Every CUDA kernel against the reference in float64, at three shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import minicnn as mc
from gpu_parts.cases import SIZES, TINY, Call, Size, calls
from gpu_parts.options import Item, Options
from minicnn.backends import numpy as reference
from minicnn.backends.cuda import KERNELS

UNIT = 2.0**-24  # half the distance of neighboring float32 values at 1
TF32_UNIT = 2.0**-11  # the same for TF32; sums are float32
# The share of positions of a maximum that may differ because sums are rounded differently.
MAX_OTHER_POSITIONS = {"float32": 1e-3, "tf32": 2e-2}
PRODUCTS = ("conv2d", "dense")  # the kernels that TF32 changes


def items(options: Options) -> list[Item]:
    """Return one item per kernel, with all sizes; if a kernel fails, the next one is run."""
    by_kernel: dict[str, list[tuple[Size, Call]]] = {}
    for size in TINY if options.simulate else SIZES:
        for call in calls(size):
            by_kernel.setdefault(call.kernel, []).append((size, call))
    wanted = options.kernels or ("",)
    found = []
    for kernel, sized in by_kernel.items():
        if any(part in kernel for part in wanted):
            found.append(Item(kernel, partial(worst_of, sized, "float32")))
            if kernel.startswith(PRODUCTS) and not options.simulate:
                found.append(Item(f"{kernel}, tf32", partial(worst_of, sized, "tf32")))
    return found


def worst_of(sized: Sequence[tuple[Size, Call]], precision: str) -> dict[str, Any]:
    """Return the call whose error is largest, relative to what rounding allows."""
    mc.set_precision(precision)
    rows = []
    for size, call in sized:
        error, allowed = compare(call, precision)
        rows.append({"off": error, "allowed": allowed, "case": call.case, "size": str(size)})
    worst = max(rows, key=lambda row: _excess(row["off"], row["allowed"]))
    return {**worst, "agrees": _excess(worst["off"], worst["allowed"]) <= 1, "calls": len(rows)}


def compare(call: Call, precision: str) -> tuple[float, float]:
    """Return (largest error / largest value, what is allowed) for the worst of the results."""
    found = KERNELS[call.kernel](*call.reads, **call.attributes)
    wanted = reference.KERNELS[call.kernel](*_widened(call), **call.attributes)
    pairs = [
        _compared(a, right, call.reads, precision)
        for a, right in zip(found, wanted, strict=True)
        if right is not None
    ]
    return max(pairs, key=lambda pair: _excess(*pair))


def _widened(call: Call) -> list[np.ndarray | None]:
    # Adam divides by the root of a mean of squares, which may be 0 in float32 but not in float64.
    if call.kernel.endswith("_update"):
        return call.reads
    return [
        x.astype(np.float64) if x is not None and x.dtype == np.float32 else x for x in call.reads
    ]


def _compared(found: Any, right: np.ndarray, reads: list[Any], precision: str) -> tuple[float, ...]:
    if right.dtype.kind != "f":
        return float((found != right).mean()), MAX_OTHER_POSITIONS[precision]
    largest = float(np.abs(right).max(initial=0.0))
    off = float(np.abs(found - right).max(initial=0.0))
    # A sum has at most as many terms as there are values per channel in the largest input.
    terms = max((x.size for x in reads if x is not None), default=1) / max(right.shape[-1], 1)
    allowed = UNIT * (64 + 2 * math.sqrt(terms))
    if precision == "tf32":
        allowed += 4 * TF32_UNIT
    return off / largest if largest > 0 else off, allowed


def _excess(error: float, allowed: float) -> float:
    return math.inf if math.isnan(error) else error / allowed
