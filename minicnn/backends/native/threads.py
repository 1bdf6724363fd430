"""How the C++ engine uses the processor."""

from __future__ import annotations

import minicnn._core as _core
from minicnn.checks import check_int
from minicnn.support import environment

LEVELS = ("generic", "avx2", "avx512")

# C++ reads these itself; what it cannot use is told here.
environment.choice("MINICNN_ISA", "the best of this processor", LEVELS)
environment.check_count("MINICNN_NUM_THREADS")


def isa() -> str:
    """The instruction set in use: "generic", "avx2" or "avx512"; MINICNN_ISA can lower it."""
    return _core.isa()


def num_threads() -> int:
    """Threads that a kernel may use."""
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """Use so many threads. Results are the same, bit for bit, for any number.

    The default is MINICNN_NUM_THREADS, else OMP_NUM_THREADS, else the processors that this process
    may run on. More than the machine has processors, and more than 8, are not used.
    """
    _core.set_num_threads(check_int(threads, "threads"))
