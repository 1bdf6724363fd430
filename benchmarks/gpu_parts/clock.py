"""The time that work on a GPU takes, and its energy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

try:
    import pynvml
except ImportError:
    pynvml = None

BLOCKS = 7
WARM_UP = 3  # runs that are not counted: the first compiles, the second records a graph


def seconds_each(
    run: Callable[[], Any], wait: Callable[[], Any], seconds: float = 0.7
) -> dict[str, Any]:
    """Return the median seconds per run, and the joules per run if the GPU counts them.

    The runs are timed in blocks, with one `wait` per block, for about `seconds` altogether.
    """
    for _ in range(WARM_UP):
        run()
    wait()
    once = max(_block(run, wait, 1), 1e-7)
    count = max(1, int(seconds / BLOCKS / once))
    before = joules()
    blocks = [_block(run, wait, count) / count for _ in range(BLOCKS)]
    after = joules()
    found: dict[str, Any] = {"seconds": statistics.median(blocks), "runs": count * BLOCKS}
    if before is not None and after is not None:
        found["joules"] = (after - before) / (count * BLOCKS)
    return found


def _block(run: Callable[[], Any], wait: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    wait()
    return time.perf_counter() - start


def joules() -> float | None:
    """Return the energy that the first GPU has used since the driver started; None if unknown."""
    if pynvml is None:
        return None
    try:
        pynvml.nvmlInit()
        gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1e3
    except pynvml.NVMLError:
        return None


def images_per_second(found: dict[str, Any], images: int) -> dict[str, Any]:
    """Return `found` with images per second, and joules per thousand images if they are known."""
    row = {**found, "images_per_second": images / found["seconds"]}
    if "joules" in found:
        row["joules_per_1000_images"] = 1000 * found["joules"] / images
    return row
