"""A cache of a network's programs: the most recently used ones, in memory that they share."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from minicnn.backends import current_backend, new_arena
from minicnn.models.planner.shared_arrays import SharedArrays

# Enough for a training with validation and a callback that predicts, each with full batches and a
# smaller last one. A step of several processes has three programs, for shards of two sizes and for
# the update, and these in three kinds if gradients of several batches are added up.
MAX_PROGRAMS = 16
T = TypeVar("T")


class Memory:
    """The memory that all programs of a network on one engine use in turn."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self.arena = new_arena(forget)
        self.shared = SharedArrays(forget)


class Programs:
    """The most recently used programs of a network; they run while `lock` is held.

    All lie in one arena, as large as the largest of them needs, so each run overwrites the arrays
    of the one before. When the arena grows, the programs in the old one are dropped. When there are
    too many, the least recently used one is dropped. A dropped program is planned again when it is
    needed.
    """

    def __init__(self) -> None:
        self._reset()
        _alive.add(self)

    def __len__(self) -> int:
        return len(self._cache)

    def values(self) -> Iterable[Any]:
        """Return the programs, the most recently used one last."""
        return self._cache.values()

    def clear(self) -> None:
        """Drop all programs and free their memory."""
        self._cache.clear()
        self._memory.clear()

    def get(self, key: Hashable, make: Callable[[Memory], T]) -> T:
        """Return the program of that key for the current engine; `make` makes one that is new."""
        engine = current_backend()
        if engine not in self._memory:
            self._memory[engine] = Memory(self._cache.clear)
        full_key = engine, key
        program: T | None = self._cache.get(full_key)
        if program is None:
            program = self._cache[full_key] = make(self._memory[engine])
        self._cache.move_to_end(full_key)
        while len(self._cache) > MAX_PROGRAMS:
            self._cache.popitem(last=False)
        return program

    def after_fork(self) -> None:
        """Start afresh in a child process if a thread that does not exist there held the lock."""
        if self.lock.locked():
            self._reset()

    def _reset(self) -> None:
        self.lock = threading.Lock()
        self._cache: OrderedDict[Any, Any] = OrderedDict()
        self._memory: dict[str, Memory] = {}


_alive: weakref.WeakSet[Programs] = weakref.WeakSet()


def _after_fork() -> None:
    for programs in _alive:
        programs.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
