"""Products on NVIDIA's tensor cores, in TF32, for the convolutions and dense layers that fit.

fragments.py    which lane of a warp holds which numbers
mma.py          the instructions, as numba intrinsics; emulation.py: in the simulator
tiles.py        the sizes of tiles, and how they lie in shared memory
operands.py     where the factors are, and how they get into shared memory
results.py      what becomes of the sums: bias, ReLU, pooling
product.py      the kernel
conv2d.py, dense.py    the makers; choice.py: when they are used
"""

from minicnn.backends.cuda.tensor_cores.choice import preferred

__all__ = ["preferred"]
