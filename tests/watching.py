"""What reading a stranger's file may do: Python's audit hook listens, and its work is counted."""

from __future__ import annotations

import heapq  # noqa: F401  which collections.Counter imports when it is first used
import sys
import tracemalloc
from contextlib import contextmanager


class Watch:
    """Records what Python is asked to do; such an audit hook can never be removed."""

    # What it may not be asked while a stranger's file is read; and which files are opened.
    KINDS = (
        "exec", "compile", "import", "pickle", "os.exec", "os.fork", "os.system", "os.spawn",
        "os.posix_spawn", "os.remove", "os.rename", "os.link", "os.symlink", "socket.",
        "subprocess.", "ctypes.", "urllib.", "open",
    )  # fmt: skip

    def __init__(self):
        self.heard = None
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.heard is not None and event.startswith(self.KINDS):
            self.heard.append((event, arguments[0] if arguments else None))

    @contextmanager
    def watching(self):
        self.heard = heard = []
        try:
            yield heard
        finally:
            self.heard = None


class Work:
    """Counts calls of Python and C functions, and the peak memory."""

    MAX_CALLS = 1_000_000  # for a file that is small; for a large one 4 times its size more
    MAX_BYTES = 200 << 20  # likewise

    def __init__(self):
        self.calls = self.bytes = 0

    def _count(self, frame, event, argument):
        self.calls += event in ("call", "c_call")

    def __enter__(self):
        tracemalloc.start()
        sys.setprofile(self._count)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    def check(self, size):
        assert self.calls < self.MAX_CALLS + 4 * size
        assert self.bytes < self.MAX_BYTES + 4 * size


def check_message(error, path):
    """Check that the message is one line that begins with the file and contains nothing harmful."""
    message = str(error)
    assert str(path) in message and len(message) <= 300 + len(str(path))
    assert message.isprintable()
