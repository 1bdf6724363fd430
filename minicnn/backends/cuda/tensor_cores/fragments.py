"""Which lane of a warp holds which numbers of one product on the tensor cores.

One instruction, mma.sync m16n8k8, adds to C (16 rows, 8 columns) the product of A (16 rows, 8
deep) and B (8 deep, 8 columns). The 32 lanes hold the three matrices together: each lane 4 numbers
of A, 2 of B and 4 of C. The maps are NVIDIA's ("Parallel Thread Execution ISA", matrix fragments
for mma.m16n8k8 with .tf32); kernels load and store by them, and so does the emulation.
"""

from __future__ import annotations

from minicnn.backends.cuda.runtime.api import device, uint32

ROWS, COLUMNS, DEPTH = 16, 8, 8  # of one instruction
LANES = 32

# Constants of index arithmetic: with a bare 2 it would be signed.
ONE, TWO, THREE, FOUR, EIGHT = uint32(1), uint32(2), uint32(3), uint32(4), uint32(8)


@device
def a_row(lane, i):
    return (lane >> TWO) + (i & ONE) * EIGHT


@device
def a_depth(lane, i):
    return (lane & THREE) + (i >> ONE) * FOUR


@device
def b_depth(lane, i):
    return (lane & THREE) + i * FOUR


@device
def b_column(lane):
    return lane >> TWO


@device
def c_row(lane, i):
    return (lane >> TWO) + (i >> ONE) * EIGHT


@device
def c_column(lane, i):
    return (lane & THREE) * TWO + (i & ONE)
