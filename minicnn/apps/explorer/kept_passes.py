"""The passes that are kept: the last ones, as long as they fit into some memory."""

from __future__ import annotations

import threading
from collections import OrderedDict

from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.problems import GONE, Problem

MOST = 32
MAX_BYTES = 600 << 20


class KeptPasses:
    """The passes by their ids, the oldest first; for any threads."""

    def __init__(self, most: int = MOST, max_bytes: int = MAX_BYTES) -> None:
        self._most, self._max_bytes = most, max_bytes
        self._passes: OrderedDict[str, Pass] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, id: str) -> Pass | None:
        """Return the pass with this id, None if it is not kept."""
        with self._lock:
            if id in self._passes:
                self._passes.move_to_end(id)
            return self._passes.get(id)

    def get(self, id: str) -> Pass:
        """Return the pass with this id; raise Problem if it is not kept any more."""
        found = self.find(id)
        if found is None:
            raise Problem("this pass is not kept any more; compute it again", GONE)
        return found

    def add(self, one: Pass) -> None:
        """Keep a pass; the oldest ones go, but never this one."""
        with self._lock:
            self._passes[one.id] = one
            self._passes.move_to_end(one.id)
            while len(self._passes) > 1 and not self._fits():
                self._passes.popitem(last=False)

    def _fits(self) -> bool:
        used = sum(one.nbytes for one in self._passes.values())
        return len(self._passes) <= self._most and used <= self._max_bytes

    def __len__(self) -> int:
        return len(self._passes)
