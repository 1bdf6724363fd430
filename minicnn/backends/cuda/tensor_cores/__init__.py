"""Convolutions and dense layers on NVIDIA's tensor cores, in TF32, where the shapes allow it.

fragments.py    which lane of a warp holds which values
mma.py          the instructions, as numba intrinsics; emulation.py: the same for the simulator
tiles.py        sizes of tiles, and their layout in shared memory
operands.py     where the values of the factors are, and how they are copied to shared memory
results.py      how sums are stored: with bias, ReLU or pooling
product.py      the kernel
conv2d.py, dense.py    the kernel factories; choice.py: when they are used
"""

from minicnn.backends.cuda.tensor_cores.choice import preferred

__all__ = ["preferred"]
