"""The programs of one network: those that were used last, in memory that they share."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from minicnn.backends import current_backend, new_arena
from minicnn.models.execution import Execution
from minicnn.models.planner.shared_arrays import SharedArrays

# As many as a training with validation and a callback that predicts alternates between, each with
# whole batches and a last one that is smaller, and two more.
MAX_PROGRAMS = 8


class Memory:
    """What all programs of a network on one engine use in turn."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self.arena = new_arena(forget)
        self.shared = SharedArrays(forget)


class Programs:
    """The few programs that are kept, by what they are for; they run with `lock` held.

    What a program computes is overwritten by the next one that runs: all lie in one arena, as large
    as the largest needs. Where that grows, the programs in the smaller one are forgotten; so is the
    one that was not used for longest, if there are too many. They are made anew when needed.
    """

    def __init__(self) -> None:
        self._reset()
        _alive.add(self)

    def __len__(self) -> int:
        return len(self._kept)

    def values(self) -> Iterable[Execution]:
        """The programs, those used last at the end."""
        return self._kept.values()

    def clear(self) -> None:
        """Forget them all, and give their memory back."""
        self._kept.clear()
        self._memory.clear()

    def get(self, key: Hashable, make: Callable[[Memory], Execution]) -> Execution:
        """The program of that key for the engine in use; where there is none, `make` makes it."""
        engine = current_backend()
        if engine not in self._memory:
            self._memory[engine] = Memory(self._kept.clear)
        place = engine, key
        if place not in self._kept:
            self._kept[place] = make(self._memory[engine])
        self._kept.move_to_end(place)
        while len(self._kept) > MAX_PROGRAMS:
            self._kept.popitem(last=False)
        return self._kept[place]

    def after_fork(self) -> None:
        """In a child: a thread that held the lock, and was in the middle of a program, is gone."""
        if self.lock.locked():
            self._reset()

    def _reset(self) -> None:
        self.lock = threading.Lock()
        self._kept: OrderedDict[Any, Execution] = OrderedDict()
        self._memory: dict[str, Memory] = {}


_alive: weakref.WeakSet[Programs] = weakref.WeakSet()


def _after_fork() -> None:
    for programs in _alive:
        programs.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
