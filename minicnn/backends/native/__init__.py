"""The C++ engine: fast kernels with the names of the reference's. Needs `minicnn._core`."""

from minicnn.backends.native.kernels import KERNELS, run
from minicnn.backends.native.program import Arena, Runner
from minicnn.backends.native.threads import isa, num_threads, set_num_threads

__all__ = ["KERNELS", "Arena", "Runner", "isa", "num_threads", "run", "set_num_threads"]
