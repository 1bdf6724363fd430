"""Launches recorded once as a CUDA graph and then started together.

A launch from Python costs some 10 microseconds, a small network's kernel 2: recorded, a whole
training step costs one launch. What is recorded must allocate nothing, copy nothing to the host and
run on a stream of its own; the arrays stay where they are as long as the graph lives.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.backends.cuda.runtime.api import SIMULATED, cuda, driver
from minicnn.backends.cuda.runtime.memory import code_of, device_errors

Launches = Callable[[Any], None]  # starts them all on the stream that it is given

NOT_RECORDABLE = range(900, 910)  # CUDA_ERROR_STREAM_CAPTURE_...


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
                self._record()
            self._runs += 1
            if self._graph is None:
                self._launches(self._stream)
            else:
                _check(driver.cuGraphLaunch(self._graph, self._stream.handle))

    def _record(self) -> None:
        """Make the graph; if that cannot be, warn."""
        try:
            self._graph = _executable(self._launches)
        except Exception as err:
            if not isinstance(err, CudaGraphError) and code_of(err) not in NOT_RECORDABLE:
                raise
            message = f"kernels are launched one by one, which is slow: {err}"
            warnings.warn(message, stacklevel=4)
        else:
            weakref.finalize(self, _give_up, self._graph).atexit = False


@contextmanager
def _recording_stream() -> Iterator[Any]:
    """A stream of its own: what others start meanwhile is not to be recorded.

    It does not wait for the default stream; if it did, CUDA would forbid all threads to use that.
    """
    flags = driver.CUstream_flags.CU_STREAM_NON_BLOCKING
    handle = _check(driver.cuStreamCreate(flags))
    try:
        yield cuda.external_stream(int(handle))
    finally:
        driver.cuStreamDestroy(handle)


def _executable(launches: Launches) -> Any:
    """An executable graph of the launches."""
    with cuda.defer_cleanup(), _recording_stream() as stream:
        graph = _captured(launches, stream)
        try:
            return _check(driver.cuGraphInstantiate(graph, 0))
        finally:
            driver.cuGraphDestroy(graph)


def _captured(launches: Launches, stream: Any) -> Any:
    """A graph of the launches; whatever happens, this thread records no more."""
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


def _give_up(graph: Any) -> None:
    """Free it like numba's own: later, if something is being recorded."""
    cuda.current_context().deallocations.add_item(driver.cuGraphExecDestroy, graph)


def _check(answer: tuple[Any, ...]) -> Any:
    """The result of a call of the driver."""
    status, *results = answer
    if status != driver.CUresult.CUDA_SUCCESS:
        raise CudaGraphError(status)
    return results[0] if results else None
