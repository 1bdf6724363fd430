"""Launches that are recorded once as a CUDA graph and then started with one call.

Starting a kernel from Python takes about 10 microseconds, while a kernel of a small network runs
for 2. A graph starts a whole training step with one call. Recorded launches may not allocate memory
or copy to the host, and their arrays must keep their addresses for as long as the graph lives.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.backends.cuda.runtime.api import SIMULATED, cuda, driver
from minicnn.backends.cuda.runtime.memory import code_of, device_errors

Launches = Callable[[Any], None]  # starts all launches on the given stream

NOT_RECORDABLE = range(900, 910)  # CUDA_ERROR_STREAM_CAPTURE_...


class CudaGraphError(RuntimeError):
    """An error of the CUDA driver; `code` is its number, as in numba's errors."""

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
        """Start the launches; work that is put on the stream later waits for them."""
        with device_errors():
            if self._runs == 1 and not SIMULATED:
                self._record()
            self._runs += 1
            if self._graph is None:
                self._launches(self._stream)
            else:
                _check(driver.cuGraphLaunch(self._graph, self._stream.handle))

    def _record(self) -> None:
        """Record the graph, or warn that the launches cannot be recorded."""
        try:
            self._graph = _executable(self._launches)
        except Exception as err:
            if not isinstance(err, CudaGraphError) and code_of(err) not in NOT_RECORDABLE:
                raise
            message = f"kernels are launched one by one, which is slow: {err}"
            warnings.warn(message, stacklevel=4)
        else:
            weakref.finalize(self, _destroy, self._graph).atexit = False


@contextmanager
def _recording_stream() -> Iterator[Any]:
    """Make a new stream, so that nothing that other threads start is recorded.

    It is not synchronized with the default stream; otherwise CUDA would not let any thread use the
    default stream during the recording.
    """
    flags = driver.CUstream_flags.CU_STREAM_NON_BLOCKING
    handle = _check(driver.cuStreamCreate(flags))
    try:
        yield cuda.external_stream(int(handle))
    finally:
        driver.cuStreamDestroy(handle)


def _executable(launches: Launches) -> Any:
    """Record the launches and return an executable graph."""
    with cuda.defer_cleanup(), _recording_stream() as stream:
        graph = _captured(launches, stream)
        try:
            return _check(driver.cuGraphInstantiate(graph, 0))
        finally:
            driver.cuGraphDestroy(graph)


def _captured(launches: Launches, stream: Any) -> Any:
    """Return a graph of the launches; the recording also ends if there is an error."""
    mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
    _check(driver.cuStreamBeginCapture(stream.handle, mode))
    try:
        launches(stream)
    except BaseException:
        _, graph = driver.cuStreamEndCapture(stream.handle)
        if graph is not None:
            driver.cuGraphDestroy(graph)
        raise
    return _check(driver.cuStreamEndCapture(stream.handle))


def _destroy(graph: Any) -> None:
    """Free the graph as numba frees memory: later, if something is being recorded."""
    cuda.current_context().deallocations.add_item(driver.cuGraphExecDestroy, graph)


def _check(returned: tuple[Any, ...]) -> Any:
    """Return the result of a driver call, or raise CudaGraphError."""
    status, *results = returned
    if status != driver.CUresult.CUDA_SUCCESS:
        raise CudaGraphError(status)
    return results[0] if results else None
