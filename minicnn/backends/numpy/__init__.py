"""The reference: every kernel in NumPy, written to be read. Start with `dense.py`."""

from minicnn.backends.numpy.kernels import KERNELS
from minicnn.backends.numpy.program import Arena, Runner

__all__ = ["KERNELS", "Arena", "Runner"]
