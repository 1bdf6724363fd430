"""A fix for numba's simulator: all threads of a block must get the same shared array.

The simulator makes a shared array when the first thread asks for it, but looks it up and makes it
in two steps: two threads that ask at the same time get two arrays (numba-cuda 0.30). Then about one
launch in a few thousand reads undefined values.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from numba.cuda.simulator import kernelapi


class MakeOnceDict(dict[Any, Any]):
    """A dict in which each value is made once, by several threads that call `get` and then set it.

    The thread that gets None must set the value; other threads wait in `get` until it has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._making = Lock()

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value; `default`, once, to the thread that must then set it."""
        if key in self:
            return self[key]
        self._making.acquire()
        if key in self:
            self._making.release()
        return super().get(key, default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._making.release()


def fix_shared_arrays() -> None:
    """Patch the simulator so that each shared array is made once per block."""
    make = kernelapi.FakeCUDAShared.__init__

    def __init__(self: Any, dynshared_size: int) -> None:
        make(self, dynshared_size)
        self._allocations = MakeOnceDict()

    kernelapi.FakeCUDAShared.__init__ = __init__  # type: ignore[method-assign]
