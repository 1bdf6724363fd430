"""Matrix products: C = A B, A^T B or A B^T, and a bias added to each row.

A block of threads makes one tile of C, each thread a few numbers of it, which it keeps in
registers. The block walks along the inner axis in slabs: its threads bring a slab of A and one of B
to shared memory, where each number is read many times, and while they multiply these two, the next
two are on their way from memory.

    C[r, c] = sum over d of A[r, d] * B[d, c],    r < M, c < N, d < K

In shared memory both slabs lie with d as the slow axis. In global memory either axis may be the
fast one, hence `Layout`. Where the tiles of C are too few to keep a GPU busy, the inner axis is cut
into parts too: each part's product goes to scratch memory, and a second launch adds them up in
order. So the same shapes always give the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch, blocks_for, elementwise
from minicnn.contracts import Spec

ZERO = float32(0)


class GemmTile(NamedTuple):
    """What one block makes of C: `rows` x `columns`, `down` x `across` numbers a thread."""

    rows: int
    columns: int
    depth: int  # of the slabs
    down: int
    across: int

    @property
    def threads(self) -> int:
        return self.rows // self.down * (self.columns // self.across)

    def blocks(self, m: int, n: int) -> int:
        """Tiles that cover an (m, n) matrix."""
        return blocks_for(m, self.rows) * blocks_for(n, self.columns)

    def area(self, m: int, n: int) -> int:
        """Numbers that are computed, with those that fall over the edge of the matrix."""
        return self.blocks(m, n) * self.rows * self.columns


# From the one that reads least from memory to the one that leaves least over at the edges.
# Estimates, not measured on a GPU (2026-11).
TILES = (
    GemmTile(128, 128, 8, 8, 8),
    GemmTile(64, 128, 8, 8, 4),
    GemmTile(64, 64, 16, 4, 4),
    GemmTile(32, 32, 16, 4, 4),
)
ENOUGH_BLOCKS = 256  # two for each multiprocessor of a large GPU; estimate (2026-11)
MIN_PART = 64  # of the inner axis: shorter ones cost more to add up than they save (2026-11)
WASTE = 1.25  # a larger tile may compute so much more than the smallest one


class MatrixProduct(NamedTuple):
    """Sizes and layouts of a product, and how it is cut."""

    m: int
    n: int
    k: int
    a_transposed: bool = False  # A lies in memory as (K, M), not (M, K)
    b_transposed: bool = False  # B as (N, K), not (K, N)
    tile: GemmTile = TILES[-1]
    part: int = 0  # how much of the inner axis a block takes; a multiple of the tile's depth

    @property
    def parts(self) -> int:
        return blocks_for(self.k, self.part) if self.k else 1


def matrix_product(
    c: str, a: str, b: str, product: MatrixProduct, *, bias: str | None = None, parts: str = "parts"
) -> KernelPlan:
    """The launches for arrays of these names; `parts` is the scratch array, if one is needed."""
    if not product.m * product.n:
        return KernelPlan(())
    product = cut(product)
    whole = product.parts == 1
    kernel = product_kernel(product, whole and bias is not None)
    blocks = product.tile.blocks(product.m, product.n) * product.parts
    to, added = (c, bias or a) if whole else (parts, a)  # without a bias A stands there, unread
    first = Launch(kernel, blocks, product.tile.threads, (to, a, b, added))
    if whole:
        return KernelPlan((first,))
    count = product.m * product.n
    adding = parts_kernel(count, product.parts, product.n, bias is not None)
    rest = elementwise(adding, count, (c, parts, bias or parts))
    return KernelPlan((first, *rest.launches), {parts: Spec((product.parts, product.m, product.n))})


def cut(product: MatrixProduct) -> MatrixProduct:
    """Choose the tile, and the parts of the inner axis: enough blocks, little waste."""
    m, n, k = product.m, product.n, product.k
    most = max(k // MIN_PART, 1)
    smallest = TILES[-1].area(m, n)
    fitting = [
        tile
        for tile in TILES
        if tile.blocks(m, n) * most >= ENOUGH_BLOCKS and tile.area(m, n) <= WASTE * smallest
    ]
    tile = fitting[0] if fitting else TILES[-1]
    wanted = min(blocks_for(ENOUGH_BLOCKS, tile.blocks(m, n)), most)
    slabs = blocks_for(blocks_for(k, wanted), tile.depth)
    return product._replace(tile=tile, part=slabs * tile.depth)


class SlabLayout(NamedTuple):
    """Where a slab's numbers lie: `edge` is the axis that it shares with C, `depth` the inner."""

    edges: int  # of the whole matrix
    depths: int
    deep: bool  # the inner axis is the fast one in global memory
    width: int  # of the slab, along the edge
    depth: int

    @property
    def pitch(self) -> int:
        """Numbers from one depth to the next in shared memory: no two threads use one bank."""
        return self.width + (32 // self.depth if self.deep else 0)


@cached
def slab_functions(layout: SlabLayout) -> tuple[Any, Any]:
    """Device functions for the slab's e-th number: fetch it, and where it goes in shared memory.

    Numbers are counted along global memory, so that neighboring threads read neighbors.
    """
    edges, depths, deep, width, depth = layout
    pitch = layout.pitch

    @device
    def place(e):
        if deep:
            return e // uint32(depth), e % uint32(depth)
        return e % uint32(width), e // uint32(width)

    @device
    def fetch(matrix, e, first_edge, first_depth, end):
        edge, inner = place(e)
        edge, inner = first_edge + edge, first_depth + inner
        if edge >= uint32(edges) or inner >= end:
            return ZERO
        return matrix[edge * uint32(depths) + inner if deep else inner * uint32(edges) + edge]

    @device
    def target(e):
        edge, inner = place(e)
        return inner * uint32(pitch) + edge

    return fetch, target


@cached
def product_kernel(product: MatrixProduct, with_bias: bool) -> Any:
    m, n, k, a_transposed, b_transposed, tile, part = product
    rows, columns, depth, down, across = tile
    layout_a = SlabLayout(m, k, not a_transposed, rows, depth)
    layout_b = SlabLayout(n, k, b_transposed, columns, depth)
    fetch_a, target_a = slab_functions(layout_a)
    fetch_b, target_b = slab_functions(layout_b)
    pitch_a, pitch_b = layout_a.pitch, layout_b.pitch
    size_a, size_b = pitch_a * depth, pitch_b * depth
    threads, slabs = tile.threads, part // depth
    each_a, each_b, each_c = rows * depth // threads, columns * depth // threads, down * across
    threads_down, threads_across = rows // down, columns // across
    tiles_down, tiles_across = blocks_for(m, rows), blocks_for(n, columns)

    @jit
    def multiplied(c, a, b, bias):
        slab_a = cuda.shared.array(size_a, float32)
        slab_b = cuda.shared.array(size_b, float32)
        next_a = cuda.local.array(each_a, float32)
        next_b = cuda.local.array(each_b, float32)
        from_a = cuda.local.array(down, float32)
        from_b = cuda.local.array(across, float32)
        sums = cuda.local.array(each_c, float32)

        t, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        x, y = t % uint32(threads_across), t // uint32(threads_across)
        column0 = block % uint32(tiles_across) * uint32(columns)
        row0 = block // uint32(tiles_across) % uint32(tiles_down) * uint32(rows)
        number = block // uint32(tiles_across * tiles_down)
        first = number * uint32(part)
        end = min(first + uint32(part), uint32(k))

        for i in range(each_c):
            sums[i] = ZERO
        for i in range(each_a):
            next_a[i] = fetch_a(a, t + uint32(i * threads), row0, first, end)
        for i in range(each_b):
            next_b[i] = fetch_b(b, t + uint32(i * threads), column0, first, end)

        for _ in range(slabs):
            for i in range(each_a):
                slab_a[target_a(t + uint32(i * threads))] = next_a[i]
            for i in range(each_b):
                slab_b[target_b(t + uint32(i * threads))] = next_b[i]
            cuda.syncthreads()

            first += uint32(depth)
            for i in range(each_a):
                next_a[i] = fetch_a(a, t + uint32(i * threads), row0, first, end)
            for i in range(each_b):
                next_b[i] = fetch_b(b, t + uint32(i * threads), column0, first, end)

            for d in range(depth):
                for i in range(down):
                    from_a[i] = slab_a[uint32(d * pitch_a + i * threads_down) + y]
                for j in range(across):
                    from_b[j] = slab_b[uint32(d * pitch_b + j * threads_across) + x]
                for i in range(down):
                    for j in range(across):
                        sums[i * across + j] += from_a[i] * from_b[j]
            cuda.syncthreads()

        for i in range(down):
            row = row0 + y + uint32(i * threads_down)
            for j in range(across):
                column = column0 + x + uint32(j * threads_across)
                if row < uint32(m) and column < uint32(n):
                    total = sums[i * across + j]
                    if with_bias:
                        total += bias[column]
                    c[(number * uint32(m) + row) * uint32(n) + column] = total

    return multiplied


@cached
def parts_kernel(count: int, parts: int, n: int, with_bias: bool) -> Any:
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
