"""How the C++ engine uses the processor: instruction set and threads."""

from __future__ import annotations

import minicnn._core as _core
from minicnn.checks import check_int
from minicnn.support import environment

LEVELS = ("generic", "avx2", "avx512")

# C++ reads these variables itself; Python warns of values that C++ ignores.
environment.choice("MINICNN_ISA", "the best of this processor", LEVELS)
environment.check_count("MINICNN_NUM_THREADS")


def isa() -> str:
    """Return the instruction set: "generic", "avx2" or "avx512"; MINICNN_ISA can lower it."""
    return _core.isa()


def num_threads() -> int:
    """Return how many threads a kernel may use."""
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """Set how many threads a kernel may use; results do not depend on it, bit for bit.

    The default is MINICNN_NUM_THREADS, else OMP_NUM_THREADS, else the number of processors that
    this process may run on. At most 8 threads are used, and at most one per processor.
    """
    _core.set_num_threads(check_int(threads, "threads"))
