"""The kernels for tensor cores: in the simulator with emulated instructions, else on a GPU.

All but the instructions is the code that a GPU runs: loads, stores, indices, stages. Numbers that
TF32 can hold are multiplied exactly, so the results agree as closely as those of float32 kernels.
"""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import Case, arrays, conv, conv_pool
from test_contracts import OTHERS, calls, other_arrays
from test_cuda_kernels import assert_agrees

import minicnn as mc
from minicnn.backends import device

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda import kernels
from minicnn.backends.cuda.runtime.api import SIMULATED
from minicnn.backends.cuda.tensor_cores import choice, conv2d, emulation, tiles
from minicnn.backends.cuda.tensor_cores.dense import PIXEL as ONE_PIXEL
from minicnn.backends.cuda.tensor_cores.tiles import (
    TILES,
    MmaTile,
    ProductSize,
    SharedLayout,
    best_tile,
)
from minicnn.contracts import CONTRACTS, Spec

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
PIXEL = ONE_PIXEL["window"]
simulated = pytest.mark.skipif(not SIMULATED, reason="the emulation is the simulator's")

ONE_WARP = MmaTile(32, 8, 8, 8, stages=2)


@pytest.fixture
def tf32(monkeypatch):
    """Simulate a GPU with tensor cores, which are used for all shapes."""
    if SIMULATED:
        monkeypatch.setattr(choice, "capability", lambda: (8, 0))
    monkeypatch.setattr(choice, "MIN_PRODUCTS", 0)
    monkeypatch.setattr(choice, "MIN_COLUMNS", 1)
    monkeypatch.setattr(conv2d, "MIN_STEPS", 1)
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
    assert len({*zip(rows.flat, columns.flat, strict=True)}) == rows.size  # each value once


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
        (1 + 2**-11, 1 + 2**-10),  # ties round away from zero
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
        layout = SharedLayout(outer, tile.depth, inside)
        banks = {
            (i * layout.outer_step + k * layout.depth_step) % 32 for i in range(8) for k in range(4)
        }
        assert len(banks) == 32
        assert layout.pitch % 4 == 0  # 16-byte copies


@pytest.mark.parametrize("tile", TILES, ids=str)
def test_the_stages_fit_into_shared_memory(tile):
    size = sum(
        max(SharedLayout(outer, tile.depth, inside).size for inside in (True, False))
        for outer in (tile.rows, tile.columns)
    )
    assert 4 * tile.stages * size <= 48 * 1024


# --- the kernels -------------------------------------------------------------------------------

CASES = {
    "by ones": Case("conv2d", arrays(x=(2, 4, 4, 3), w=(3, 2, 3, 5), b=(5,)), conv((4, 4), (3, 2))),
    "by fours, without bias": Case(
        "conv2d", arrays(x=(1, 3, 4, 4), w=(3, 3, 4, 12), b=None), conv((3, 4), 3, 1, "same")
    ),
    "strided, dilated, uneven padding": Case(
        "conv2d", arrays(x=(1, 6, 5, 4), w=(2, 2, 4, 8), b=(8,)),
        conv((6, 5), 2, (2, 1), ((1, 0), (0, 2)), (1, 2)),
    ),
    "relu": Case(
        "conv2d_relu", arrays(x=(1, 5, 4, 4), w=(2, 3, 4, 4), b=(4,)), conv((5, 4), (2, 3))
    ),
    "relu, without bias": Case(
        "conv2d_relu", arrays(x=(1, 3, 3, 2), w=(2, 2, 2, 7), b=None), conv((3, 3), 2)
    ),
    "pool, relu": Case(
        "conv2d_max_pool2d", arrays(x=(2, 6, 5, 4), w=(3, 3, 4, 4), b=(4,)),
        conv_pool("relu", (6, 5)),
    ),
    "pool, linear, same": Case(
        "conv2d_max_pool2d", arrays(x=(1, 5, 4, 2), w=(3, 3, 2, 5), b=None),
        conv_pool("linear", (5, 4), "same"),
    ),
    "dense": Case("dense", arrays(x=(5, 19), w=(19, 10), b=(10,))),
    "dense, by fours": Case("dense", arrays(x=(33, 12), w=(12, 8), b=None)),
}  # fmt: skip
MANY_WARPS = {
    "in columns, three stages": ("relu", MmaTile(32, 16, 8, 8, stages=3)),
    "in rows, two layers a step": ("by ones", MmaTile(64, 8, 16, 8, stages=2)),
}


def to_tf32(array):
    if array is None or array.dtype != np.float32:
        return array
    bits = (array.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return bits.view(np.float32)


def chosen(case, samples=None):
    """Yield (kernel, arrays) for a case's kernels that the tensor cores compute."""
    for kernel, known in calls(case, np.float32, samples=samples):
        if kernel in choice.KERNEL_FACTORIES:
            yield kernel, {name: to_tf32(a) for name, a in known.items()}


def assert_all_agree(case, samples=None):
    for kernel, known in chosen(case, samples):
        reads = [known.get(name.rstrip("?")) for name in CONTRACTS[kernel].reads]
        specs = [None if a is None else Spec(a.shape, a.dtype.name) for a in reads]
        strided = case.attributes.get("window", PIXEL).stride != (1, 1)
        wanted = not (strided and "backward_input" in kernel)
        assert choice.fits(kernel, *specs, **case.attributes) == wanted
        if kernel in kernels.KERNELS:
            assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_the_reference(tf32, case):
    if SIMULATED:  # its threads are slow
        tf32.setattr(tiles, "TILES", (ONE_WARP,))
    assert_all_agree(case)


@pytest.mark.parametrize(("name", "tile"), MANY_WARPS.values(), ids=MANY_WARPS)
def test_warps_share_a_tile(tf32, name, tile):
    tf32.setattr(tiles, "TILES", (tile,))
    assert_all_agree(CASES[name])


@pytest.mark.parametrize("name", ["by ones", "pool, relu", "dense"])
def test_an_empty_batch_is_no_special_case(tf32, name):
    assert_all_agree(CASES[name], samples=0)


def test_moments_are_those_of_the_pooled_image(tf32):
    kernel, absent, attributes = OTHERS["conv2d_max_pool2d with moments"]
    if SIMULATED:
        tf32.setattr(tiles, "TILES", (ONE_WARP,))
    known = {name: to_tf32(a) for name, a in other_arrays(kernel, absent, np.float32).items()}
    assert_agrees(kernel, known, attributes)


# --- when they are used ------------------------------------------------------------------------

X, W = Spec((32, 32, 32, 16)), Spec((3, 3, 16, 32))
SAME = conv((32, 32), 3, 1, "same")


@pytest.fixture
def wanted(monkeypatch):
    monkeypatch.setattr(choice, "capability", lambda: (8, 6))
    monkeypatch.setattr(choice.precision, "get", lambda: "tf32")
    return monkeypatch


def test_a_product_of_some_size_fits(wanted):
    assert choice.fits("conv2d_forward", X, W, None, **SAME)
    assert choice.fits("conv2d_backward_input", Spec((32, 32, 32, 32)), W, **SAME)
    assert choice.fits("dense_forward", Spec((64, 800)), Spec((800, 500)), None)


def test_float32_is_computed_unless_tf32_is_possible(wanted):
    assert not choice.fits("relu_forward", X)
    assert not choice.fits("conv2d_forward", Spec((1, 3, 3, 16)), W, None, **conv((3, 3), 3))
    assert not choice.fits("dense_forward", Spec((64, 800)), Spec((800, 5)), None)
    halves = Spec((3, 3, 8, 32))
    assert not choice.fits("conv2d_forward", X, halves, None, **{**SAME, "groups": 2})
    wanted.setattr(choice, "capability", lambda: (7, 5))
    assert not choice.fits("conv2d_forward", X, W, None, **SAME)
    wanted.setattr(choice, "capability", lambda: (9, 0))
    wanted.setattr(choice.precision, "get", lambda: "float32")
    assert not choice.fits("conv2d_forward", X, W, None, **SAME)


def test_small_tiles_are_used_until_the_gpu_is_full():
    assert best_tile(ProductSize(2**17, 128, 576)).columns == 128
    assert best_tile(ProductSize(2**17, 16, 576)).columns == 16
    assert best_tile(ProductSize(64, 500, 800)).rows == 64
