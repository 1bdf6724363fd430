"""A mend of numba's simulator: the threads of a block must all get the same shared array.

The simulator makes an array when the first thread asks for it, but looks and makes in two steps:
two threads that come at once get one each (numba-cuda 0.30). One launch in some thousands then
computes with numbers that nobody wrote.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from numba.cuda.simulator import kernelapi


class MadeOnce(dict[Any, Any]):
    """A dict for `get`, and `[key] = value` by whoever got None; others wait in between."""

    def __init__(self) -> None:
        super().__init__()
        self._making = Lock()

    def get(self, key: Any, default: Any = None) -> Any:
        """The value; None, once, to the one who then must set it."""
        if key in self:
            return self[key]
        self._making.acquire()
        if key in self:
            self._making.release()
        return super().get(key, default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._making.release()


def mend() -> None:
    """From now on shared arrays are made once."""
    make = kernelapi.FakeCUDAShared.__init__

    def __init__(self: Any, dynshared_size: int) -> None:
        make(self, dynshared_size)
        self._allocations = MadeOnce()

    kernelapi.FakeCUDAShared.__init__ = __init__  # type: ignore[method-assign]
