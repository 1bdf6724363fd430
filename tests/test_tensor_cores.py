"""The kernels for tensor cores: in the simulator with emulated instructions, else on a GPU.

All but the instructions is the code that a GPU runs: loads, stores, indices, stages. Numbers that
TF32 can hold are multiplied exactly, so the results agree as closely as those of float32 kernels.
"""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import Case, arrays, conv, conv_pool
from test_contracts import calls
from test_cuda_kernels import assert_agrees

import minicnn as mc
from minicnn.backends import device

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda import kernels
from minicnn.backends.cuda.api import SIMULATED
from minicnn.backends.cuda.tensor_cores import choice, conv2d, emulation
from minicnn.backends.cuda.tensor_cores.tiles import TILES, Layout, Product, Tile, best_tile

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
simulated = pytest.mark.skipif(not SIMULATED, reason="the emulation is the simulator's")

ONE_WARP = Tile(32, 16, 8, 16, stages=2)
FOUR_WARPS = Tile(64, 16, 16, 8, stages=3)


@pytest.fixture
def tf32(monkeypatch):
    """A GPU with tensor cores, and no shape too small for them."""
    if SIMULATED:
        monkeypatch.setattr(choice, "capability", lambda: (8, 0))
    monkeypatch.setattr(choice, "LEAST_PRODUCTS", 0)
    monkeypatch.setattr(choice, "LEAST_COLUMNS", 1)
    monkeypatch.setattr(conv2d, "LEAST_STEPS", 1)
    before = mc.config.get_precision()
    mc.set_precision("tf32")
    yield monkeypatch
    mc.set_precision(before)


# --- the instruction ---------------------------------------------------------------------------

# NVIDIA's figures for m16n8k8 with .tf32: (lane, number) -> (row, column)
FIGURES = {
    "a": {(0, 0): (0, 0), (0, 1): (8, 0), (0, 2): (0, 4), (5, 0): (1, 1), (31, 3): (15, 7)},
    "b": {(0, 0): (0, 0), (0, 1): (4, 0), (5, 0): (1, 1), (5, 1): (5, 1), (31, 1): (7, 7)},
    "c": {(0, 0): (0, 0), (0, 1): (0, 1), (0, 2): (8, 0), (5, 0): (1, 2), (31, 3): (15, 7)},
}


@simulated
@pytest.mark.parametrize("matrix", FIGURES)
def test_lanes_hold_what_the_figures_show(matrix):
    rows, columns = (np.broadcast_to(p, (32, p.shape[1])) for p in emulation.fragments()[matrix])
    for place, wanted in FIGURES[matrix].items():
        assert (rows[place], columns[place]) == wanted
    assert len({*zip(rows.flat, columns.flat, strict=True)}) == rows.size  # each number once


@simulated
def test_the_lanes_multiply_matrices():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-9, 9, shape).astype(np.float32) for shape in ((16, 8), (8, 8)))
    places = emulation.fragments()
    held = np.concatenate([a[places["a"]], b[places["b"]]], 1)
    c = np.zeros((16, 8), np.float32)
    c[places["c"]] = emulation.product(held)
    np.testing.assert_array_equal(c, a @ b)


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        (1 + 2**-11, 1 + 2**-10),  # a tie goes away from zero
        (-1 - 2**-11, -1 - 2**-10),
        (1 + 2**-11 - 2**-23, 1),
        (2 - 2**-23, 2),
        (np.inf, np.inf),
        (np.nan, np.nan),
    ],
)
def test_rounding(x, wanted):
    bits = np.uint32(emulation.rounded(np.float32(x)))
    np.testing.assert_array_equal(bits.view(np.float32), np.float32(wanted))


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("tile", TILES, ids=str)
def test_a_fragment_touches_every_bank_once(tile, inside):
    for outer in (tile.rows, tile.columns):
        layout = Layout(outer, tile.depth, inside)
        banks = {
            (i * layout.outer_step + k * layout.depth_step) % 32 for i in range(8) for k in range(4)
        }
        assert len(banks) == 32
        assert layout.pitch % 4 == 0  # 16-byte copies


@pytest.mark.parametrize("tile", TILES, ids=str)
def test_the_stages_fit_into_shared_memory(tile):
    size = sum(
        max(Layout(outer, tile.depth, inside).size for inside in (True, False))
        for outer in (tile.rows, tile.columns)
    )
    assert 4 * tile.stages * size <= 48 * 1024


# --- the kernels -------------------------------------------------------------------------------

CASES = {
    "by ones": Case(
        "conv2d", arrays(x=(2, 5, 6, 3), w=(3, 2, 3, 5), b=(5,)), conv((5, 6), (3, 2))
    ),
    "by fours, without bias": Case(
        "conv2d", arrays(x=(1, 6, 6, 4), w=(3, 3, 4, 20), b=None), conv((6, 6), 3, 1, "same")
    ),
    "strided, dilated, uneven padding": Case(
        "conv2d", arrays(x=(2, 9, 8, 4), w=(2, 3, 4, 8), b=(8,)),
        conv((9, 8), (2, 3), (2, 1), ((1, 0), (0, 2)), (1, 2)),
    ),
    "relu": Case(
        "conv2d_relu", arrays(x=(2, 5, 6, 4), w=(3, 3, 4, 8), b=(8,)), conv((5, 6), 3, 1, "same")
    ),
    "relu, by ones, without bias": Case(
        "conv2d_relu", arrays(x=(1, 6, 5, 2), w=(2, 2, 2, 7), b=None), conv((6, 5), 2)
    ),
    "pool, relu": Case(
        "conv2d_max_pool2d", arrays(x=(2, 8, 7, 4), w=(3, 3, 4, 8), b=(8,)),
        conv_pool("relu", (8, 7)),
    ),
    "pool, linear, same": Case(
        "conv2d_max_pool2d", arrays(x=(2, 6, 5, 2), w=(3, 3, 2, 5), b=None),
        conv_pool("linear", (6, 5), "same"),
    ),
    "dense": Case("dense", arrays(x=(5, 19), w=(19, 20), b=(20,))),
    "dense, by fours": Case("dense", arrays(x=(37, 12), w=(12, 8), b=None)),
}  # fmt: skip


def to_tf32(array):
    if array is None or array.dtype != np.float32:
        return array
    bits = (array.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return bits.view(np.float32)


def chosen(case, samples=None):
    """(kernel, arrays) of a case's kernels that the tensor cores compute."""
    for kernel, known in calls(case, np.float32, samples=samples):
        if kernel in choice.MAKERS:
            yield kernel, {name: to_tf32(a) for name, a in known.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_the_reference(tf32, case):
    if SIMULATED:  # a thread of the system is dear
        tf32.setattr("minicnn.backends.cuda.tensor_cores.tiles.TILES", (ONE_WARP,))
    for kernel, known in chosen(case):
        assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("name", ["by fours, without bias", "pool, relu"])
def test_warps_share_a_tile(tf32, name):
    tf32.setattr("minicnn.backends.cuda.tensor_cores.tiles.TILES", (FOUR_WARPS,))
    for kernel, known in chosen(CASES[name]):
        assert_agrees(kernel, known, CASES[name].attributes)


@pytest.mark.parametrize("name", ["by ones", "pool, relu", "dense"])
def test_an_empty_batch_is_no_special_case(tf32, name):
    for kernel, known in chosen(CASES[name], samples=0):
        assert_agrees(kernel, known, CASES[name].attributes)
