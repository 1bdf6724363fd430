"""Which lane of a warp holds which values of one product on the tensor cores.

One instruction, mma.sync m16n8k8, adds the product of A (16, 8) and B (8, 8) to C (16, 8). The 32
lanes of a warp hold the three matrices together: 4 values of A, 2 of B and 4 of C per lane. Which
ones is defined in NVIDIA's "Parallel Thread Execution ISA" (matrix fragments for mma.m16n8k8 with
.tf32). Kernels load and store by these functions, and so does the emulation.
"""

from __future__ import annotations

from minicnn.backends.cuda.runtime.api import device, uint32

ROWS, COLUMNS, DEPTH = 16, 8, 8  # per instruction
LANES = 32

# Constants for index arithmetic, which would be signed with a bare 2.
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
