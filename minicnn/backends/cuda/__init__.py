"""The GPU engine: the reference's kernels as CUDA kernels, compiled by numba."""

from minicnn.backends.cuda.kernels import KERNELS
from minicnn.backends.cuda.many_steps import Runner

__all__ = ["KERNELS", "Runner"]
