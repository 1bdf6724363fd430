"""Launches recorded once as a CUDA graph and then started together.

A launch from Python costs some 10 microseconds, a small network's kernel 2: recorded, a whole
training step costs one launch. What is recorded must allocate nothing, copy nothing to the host and
run on a stream of its own; the arrays stay where they are as long as the graph lives.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import Any

from minicnn.backends.cuda.api import SIMULATED, cuda, driver
from minicnn.backends.cuda.memory import device_errors, new_stream

Launches = Callable[[Any], None]  # starts them all on the stream that it is given


class CudaGraphError(RuntimeError):
    """The driver refuses; `code` is its number, as numba's errors have it."""

    def __init__(self, status: Any) -> None:
        super().__init__(f"CUDA graph: {status.name}")
        self.code = status


class Recorded:
    """Launches that run one by one the first time, which compiles them, and then as a graph."""

    def __init__(self, launches: Launches, stream: Any) -> None:
        self._launches, self._stream = launches, stream
        self._graph: Any = None
        self._runs = 0

    def __call__(self) -> None:
        """Start them; the stream's later work waits for them."""
        with device_errors():
            if self._runs == 1 and not SIMULATED:
                self._graph = _record(self._launches)
                if self._graph is not None:
                    weakref.finalize(self, driver.cuGraphExecDestroy, self._graph).atexit = False
            self._runs += 1
            if self._graph is None:
                self._launches(self._stream)
            else:
                _check(driver.cuGraphLaunch(self._graph, self._stream.handle))


def _record(launches: Launches) -> Any:
    """An executable graph of the launches; None, and a warning, if they cannot be recorded."""
    mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
    stream = new_stream()  # of its own: what others start meanwhile is not to be recorded
    try:
        with cuda.defer_cleanup():
            _check(driver.cuStreamBeginCapture(stream.handle, mode))
            launches(stream)
            graph = _check(driver.cuStreamEndCapture(stream.handle))
            executable = _check(driver.cuGraphInstantiate(graph, 0))
            _check(driver.cuGraphDestroy(graph))
            return executable
    except CudaGraphError as err:
        warnings.warn(f"kernels are launched one by one, which is slow: {err}", stacklevel=4)
        return None


def _check(answer: tuple[Any, ...]) -> Any:
    """The result of a call of the driver."""
    status, *results = answer
    if status != driver.CUresult.CUDA_SUCCESS:
        raise CudaGraphError(status)
    return results[0] if results else None
