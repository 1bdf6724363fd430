"""Matrix products: C = A B, A^T B or A B^T, and a bias that is added to each row.

    C[r, c] = sum over d of A[r, d] * B[d, c],    r < M, c < N, d < K

A block of threads computes one tile of C; each thread keeps a few values of it in registers. The
block walks along the inner axis in slabs: its threads copy a slab of A and one of B to shared
memory, where each value is read many times. While they multiply these slabs, the next two are on
their way from global memory.

In shared memory d is the slow axis of both slabs. In global memory either axis may be the fast one,
hence `SlabLayout`. Where C has too few tiles to keep a GPU busy, the inner axis is cut into parts,
too: each part's product goes to scratch memory, and a second launch adds the parts in order. So
equal shapes always give equal bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch, blocks_for, elementwise
from minicnn.contracts import Spec

ZERO = float32(0)


class GemmTile(NamedTuple):
    """A block's tile of C, `rows` x `columns`, of which a thread computes `down` x `across`."""

    rows: int
    columns: int
    depth: int  # of the slabs
    down: int
    across: int

    @property
    def threads(self) -> int:
        """Threads per block: `threads_down` x `threads_across`."""
        return self.threads_down * self.threads_across

    @property
    def threads_down(self) -> int:
        """Threads that share a column of the tile."""
        return self.rows // self.down

    @property
    def threads_across(self) -> int:
        """Threads that share a row of the tile."""
        return self.columns // self.across

    def blocks(self, m: int, n: int) -> int:
        """Return the number of tiles that cover an (m, n) matrix."""
        return blocks_for(m, self.rows) * blocks_for(n, self.columns)

    def area(self, m: int, n: int) -> int:
        """Return how many values these tiles compute, with those beyond the matrix's edges."""
        return self.blocks(m, n) * self.rows * self.columns


# Large tiles read less memory, small ones waste less at the edges. Estimates, not measured on a GPU
# (2026-11).
TILES = (
    GemmTile(128, 128, 8, 8, 8),
    GemmTile(64, 128, 8, 8, 4),
    GemmTile(64, 64, 16, 4, 4),
    GemmTile(32, 32, 16, 4, 4),
)
ENOUGH_BLOCKS = 256  # two per multiprocessor of a large GPU; estimate (2026-11)
MIN_PART = 64  # of the inner axis: shorter parts cost more to add than they save (2026-11)
MAX_WASTE = 1.25  # area of a larger tile's blocks, as a multiple of the smallest tile's


class MatrixProduct(NamedTuple):
    """The sizes and layouts of a product, and how it is divided."""

    m: int
    n: int
    k: int
    a_transposed: bool = False  # A lies in memory as (K, M), not (M, K)
    b_transposed: bool = False  # B as (N, K), not (K, N)
    tile: GemmTile = TILES[-1]
    part: int = 0  # how much of the inner axis a block takes; a multiple of the tile's depth

    @property
    def parts(self) -> int:
        """Parts of the inner axis."""
        return blocks_for(self.k, self.part) if self.k else 1


def matrix_product(
    c: str, a: str, b: str, product: MatrixProduct, *, bias: str | None = None, parts: str = "parts"
) -> KernelPlan:
    """Return the launches for arrays of these names; `parts` names the scratch array."""
    if not product.m * product.n:
        return KernelPlan(())
    product = divided(product)
    whole = product.parts == 1
    kernel = product_kernel(product, whole and bias is not None)
    blocks = product.tile.blocks(product.m, product.n) * product.parts
    to, added = (c, bias or a) if whole else (parts, a)  # without a bias, `a` is passed and unused
    first = Launch(kernel, blocks, product.tile.threads, (to, a, b, added))
    if whole:
        return KernelPlan((first,))
    count = product.m * product.n
    adding = parts_kernel(count, product.parts, product.n, bias is not None)
    rest = elementwise(adding, count, (c, parts, bias or parts))
    return KernelPlan((first, *rest.launches), {parts: Spec((product.parts, product.m, product.n))})


def divided(product: MatrixProduct) -> MatrixProduct:
    """Return the product with a tile and parts that make enough blocks and waste little."""
    m, n, k = product.m, product.n, product.k
    max_parts = max(k // MIN_PART, 1)
    smallest = TILES[-1].area(m, n)
    fitting = [
        tile
        for tile in TILES
        if tile.blocks(m, n) * max_parts >= ENOUGH_BLOCKS
        and tile.area(m, n) <= MAX_WASTE * smallest
    ]
    tile = fitting[0] if fitting else TILES[-1]
    wanted = min(blocks_for(ENOUGH_BLOCKS, tile.blocks(m, n)), max_parts)
    slabs = blocks_for(blocks_for(k, wanted), tile.depth)
    return product._replace(tile=tile, part=slabs * tile.depth)


class SlabLayout(NamedTuple):
    """The layout of a slab: its `edge` is the axis that it shares with C, `depth` the inner one."""

    edges: int  # of the whole matrix
    depths: int
    deep: bool  # the inner axis is the fast one in global memory
    width: int  # of the slab, along the edge
    depth: int

    @property
    def pitch(self) -> int:
        """Values from one depth to the next in shared memory, without bank conflicts."""
        return self.width + (32 // self.depth if self.deep else 0)

    @property
    def size(self) -> int:
        """Values of shared memory."""
        return self.pitch * self.depth


def slab_layouts(product: MatrixProduct) -> tuple[SlabLayout, SlabLayout]:
    """Return the layouts of the slabs of A and B."""
    m, n, k, a_transposed, b_transposed, tile, _ = product
    return (
        SlabLayout(m, k, not a_transposed, tile.rows, tile.depth),
        SlabLayout(n, k, b_transposed, tile.columns, tile.depth),
    )


@cached
def slab_functions(layout: SlabLayout, threads: int) -> tuple[Any, Any]:
    """Return device functions that fetch a thread's values of a slab, and store them.

    fetch copies from global memory to registers, store from registers to shared memory. The values
    are numbered along global memory, so neighboring threads read neighboring values.
    """
    edges, depths, deep, width, depth = layout
    pitch, each = layout.pitch, width * depth // threads

    @device
    def position(e):
        if deep:
            return e // uint32(depth), e % uint32(depth)
        return e % uint32(width), e // uint32(width)

    @device
    def value_at(matrix, edge, inner, end):
        if edge >= uint32(edges) or inner >= end:
            return ZERO
        return matrix[edge * uint32(depths) + inner if deep else inner * uint32(edges) + edge]

    @device
    def fetch(values, matrix, first_edge, first_depth, end, t):
        for i in range(each):
            edge, inner = position(t + uint32(i * threads))
            values[i] = value_at(matrix, first_edge + edge, first_depth + inner, end)

    @device
    def store(slab, values, t):
        for i in range(each):
            edge, inner = position(t + uint32(i * threads))
            slab[inner * uint32(pitch) + edge] = values[i]

    return fetch, store


@cached
def multiplier(tile: GemmTile, pitch_a: int, pitch_b: int) -> Any:
    """Return a device function: sums[i, j] += A[row i, d] B[d, column j] for each d of the slabs.

    The rows and columns are those of the thread at (x, y) of its block.
    """
    down, across, threads_down, threads_across = (
        tile.down, tile.across, tile.threads_down, tile.threads_across,
    )  # fmt: skip
    depth = tile.depth

    @device
    def multiply(sums, slab_a, slab_b, x, y):
        from_a = cuda.local.array(down, float32)
        from_b = cuda.local.array(across, float32)
        for d in range(depth):
            for i in range(down):
                from_a[i] = slab_a[uint32(d * pitch_a + i * threads_down) + y]
            for j in range(across):
                from_b[j] = slab_b[uint32(d * pitch_b + j * threads_across) + x]
            for i in range(down):
                for j in range(across):
                    sums[i * across + j] += from_a[i] * from_b[j]

    return multiply


@cached
def writer(product: MatrixProduct, with_bias: bool) -> Any:
    """Return a device function that writes a thread's sums to part number `part` of C."""
    m, n, tile = product.m, product.n, product.tile
    down, across, threads_down, threads_across = (
        tile.down, tile.across, tile.threads_down, tile.threads_across,
    )  # fmt: skip

    @device
    def write(c, bias, sums, part, row0, column0, x, y):
        for i in range(down):
            row = row0 + y + uint32(i * threads_down)
            for j in range(across):
                column = column0 + x + uint32(j * threads_across)
                if row < uint32(m) and column < uint32(n):
                    total = sums[i * across + j]
                    if with_bias:
                        total += bias[column]
                    c[(part * uint32(m) + row) * uint32(n) + column] = total

    return write


@cached
def product_kernel(product: MatrixProduct, with_bias: bool) -> Any:
    """Return the kernel of the product, or of its parts: kernel(c, a, b, bias)."""
    tile, threads, (layout_a, layout_b) = product.tile, product.tile.threads, slab_layouts(product)
    rows, columns, depth, part, k = tile.rows, tile.columns, tile.depth, product.part, product.k
    fetch_a, store_a = slab_functions(layout_a, threads)
    fetch_b, store_b = slab_functions(layout_b, threads)
    multiply, write = multiplier(tile, layout_a.pitch, layout_b.pitch), writer(product, with_bias)
    size_a, size_b, slabs = layout_a.size, layout_b.size, part // depth
    each_a, each_b, each_c = (
        rows * depth // threads,
        columns * depth // threads,
        tile.down * tile.across,
    )
    tiles_down, tiles_across = blocks_for(product.m, rows), blocks_for(product.n, columns)
    threads_across = tile.threads_across

    @jit
    def multiplied(c, a, b, bias):
        slab_a = cuda.shared.array(size_a, float32)
        slab_b = cuda.shared.array(size_b, float32)
        next_a = cuda.local.array(each_a, float32)
        next_b = cuda.local.array(each_b, float32)
        sums = cuda.local.array(each_c, float32)
        for i in range(each_c):
            sums[i] = ZERO

        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        x, y = t % uint32(threads_across), t // uint32(threads_across)
        column0 = block % uint32(tiles_across) * uint32(columns)
        row0 = block // uint32(tiles_across) % uint32(tiles_down) * uint32(rows)
        part_number = block // uint32(tiles_across * tiles_down)
        first = part_number * uint32(part)
        end = min(first + uint32(part), uint32(k))

        fetch_a(next_a, a, row0, first, end, t)
        fetch_b(next_b, b, column0, first, end, t)
        for _ in range(slabs):
            store_a(slab_a, next_a, t)
            store_b(slab_b, next_b, t)
            cuda.syncthreads()
            first += uint32(depth)
            fetch_a(next_a, a, row0, first, end, t)
            fetch_b(next_b, b, column0, first, end, t)
            multiply(sums, slab_a, slab_b, x, y)
            cuda.syncthreads()
        write(c, bias, sums, part_number, row0, column0, x, y)

    return multiplied


@cached
def parts_kernel(count: int, parts: int, n: int, with_bias: bool) -> Any:
    """Return a kernel that adds the parts' products and the bias; one thread per value of C."""

    @jit
    def added(c, products, bias):
        i = uint32(cuda.grid(1))
        if i < count:
            total = products[i]
            for part in range(1, parts):
                total += products[uint32(part) * uint32(count) + i]
            if with_bias:
                total += bias[i % uint32(n)]
            c[i] = total

    return added
