"""The reference engine: every kernel in NumPy, written to be read. Start with `dense.py`."""

from minicnn.backends.numpy.kernels import KERNELS, add_kernel, run
from minicnn.backends.numpy.program import Arena, Runner

__all__ = ["KERNELS", "Arena", "Runner", "add_kernel", "run"]
