"""The reference: every kernel in NumPy, written to be read. Start with `dense.py`."""

from minicnn.backends.numpy.kernels import KERNELS
from minicnn.backends.numpy.program import Runner

__all__ = ["KERNELS", "Runner"]
