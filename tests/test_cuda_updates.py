"""Updates of all weights with one launch, and the matrix products before them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minicnn.backends import device
from minicnn.backends import numpy as reference
from minicnn.contracts import CONTRACTS, Spec
from minicnn.host_sync import synced
from minicnn.program import Buffer, Program, Step

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda import KERNELS, Runner, clipping, column_sums, flat_update, gemm
from minicnn.backends.cuda.runtime.launch import HALTED, KernelPlan, start
from minicnn.backends.cuda.runtime.memory import allocate, device_copies_of, download, upload

# Simulated threads compute with NumPy's scalars, which warn about overflow and NaN.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

COUPLED = {"weight_decay": 0.1, "decoupled": False, "multiplier": 0.5}
SGD = {"momentum": 0.9, "nesterov": True}
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
RMSPROP = {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-2, "centered": True}
# kernel, absent slots, attributes
UPDATES = {
    "sgd": ("sgd_update", ("velocity",), {"momentum": 0.0, "nesterov": False}),
    "sgd with momentum": ("sgd_update", (), SGD),
    "adam": ("adam_update", (), ADAM),
    "rmsprop": ("rmsprop_update", (), RMSPROP),
    "rmsprop, plain": (
        "rmsprop_update", ("velocity", "mean"), RMSPROP | {"momentum": 0.0, "centered": False},
    ),
    "adagrad": ("adagrad_update", (), {"epsilon": 1e-7}),
    "adadelta": ("adadelta_update", (), {"rho": 0.9, "epsilon": 1e-3}),
    "adamax": ("adamax_update", (), ADAM),
    "amsgrad": ("amsgrad_update", (), ADAM),
    "ftrl": ("ftrl_update", (), {"l1": 0.1, "l2": 0.2, "shrinkage": 3.0, "beta": 0.4}),
    "lion": ("lion_update", (), {"beta_1": 0.9, "beta_2": 0.99}),
    "nadam": ("nadam_update", (), ADAM),
}  # fmt: skip


def rates_count(kernel):
    return 4 if kernel == "nadam_update" else 2


# shape of a weight, multiplier, weight decay, and whether a dense layer computes its gradient
WEIGHTS = [((3, 5), 2.0, 0.1, True), ((5,), 1.0, 0.0, False), ((3, 7), 0.5, 0.2, True)]


def on_device(arrays):
    copies = {name: allocate(Spec(a.shape, a.dtype.name), name) for name, a in arrays.items()}
    for name, array in arrays.items():
        upload(array, copies[name])
    return copies


def run_plan(plan: KernelPlan, arrays, out: Spec):
    """Run the plan and return "out"; all arrays that it writes are NaN before."""
    poison = {
        name: np.full(spec.shape, np.nan, spec.dtype)
        for name, spec in {**plan.scratch, "out": out}.items()
    }
    copies = on_device(arrays | poison)
    start(plan, copies)
    return download(copies["out"], out)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Use small blocks: each simulated thread is a thread of the operating system, and slow."""
    for module in (clipping, column_sums, flat_update):
        monkeypatch.setattr(module, "THREADS", 32)


# --- products and sums ------------------------------------------------------------------------


SMALL = gemm.GemmTile(8, 16, 4, 2, 4)
PLAIN, TRANSPOSED = (False, False), (True, True)  # together, each operand in both layouts


@pytest.mark.parametrize(
    ("tile", "transposed"),
    [*zip(gemm.TILES, [PLAIN, TRANSPOSED] * 2, strict=True), (SMALL, PLAIN), (SMALL, TRANSPOSED)],
    ids=str,
)
def test_every_tile_at_its_ragged_edges(tile, transposed, monkeypatch):
    """More than one slab, and not a whole number of slabs or tiles."""
    monkeypatch.setattr(gemm, "TILES", (tile,))
    m, n, k = 9, 7, tile.depth + 3
    rng = np.random.default_rng(4)
    a, b, bias = (rng.standard_normal(shape, np.float32) for shape in ((m, k), (k, n), (n,)))
    stored = {"a": a.T if transposed[0] else a, "b": b.T if transposed[1] else b, "bias": bias}
    plan = gemm.matrix_product(
        "out", "a", "b", gemm.MatrixProduct(m, n, k, *transposed), bias="bias"
    )
    out = run_plan(plan, stored, Spec((m, n)))
    np.testing.assert_allclose(out, a.astype(float) @ b + bias, rtol=2e-6, atol=2e-6)


def test_several_tiles_and_parts(monkeypatch):
    monkeypatch.setattr(gemm, "TILES", (gemm.GemmTile(4, 4, 2, 2, 2),))
    monkeypatch.setattr(gemm, "ENOUGH_BLOCKS", 12)
    monkeypatch.setattr(gemm, "MIN_PART", 3)
    m, n, k = 5, 6, 11
    rng = np.random.default_rng(5)
    a, b, bias = (rng.standard_normal(shape, np.float32) for shape in ((m, k), (k, n), (n,)))
    product = gemm.MatrixProduct(m, n, k)
    assert gemm.divided(product).parts == 3  # of 4, 4 and 3
    for name, added in ((None, 0.0), ("bias", bias)):
        plan = gemm.matrix_product("out", "a", "b", product, bias=name)
        assert len(plan.launches) == 2
        out = run_plan(plan, {"a": a, "b": b, "bias": bias}, Spec((m, n)))
        np.testing.assert_allclose(out, a.astype(float) @ b + added, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("m", [1, 3, 64, 512, 4096])
@pytest.mark.parametrize("n", [1, 10, 500, 4096])
@pytest.mark.parametrize("k", [0, 1, 64, 800, 9216])
def test_the_parts_cover_the_inner_axis(m, n, k):
    product = gemm.divided(gemm.MatrixProduct(m, n, k))
    assert product.part % product.tile.depth == 0
    assert product.parts == 1 or (product.parts - 1) * product.part < k
    assert product.parts * product.part >= k
    assert product.parts * product.tile.blocks(m, n) < 2 * gemm.ENOUGH_BLOCKS or product.parts == 1


@pytest.mark.parametrize("columns", [1, 3, 33])
def test_column_sums_in_chunks(columns, monkeypatch):
    monkeypatch.setattr(column_sums, "CHUNK", 70)
    matrix = np.random.default_rng(6).standard_normal((150, columns), np.float32)
    plan = column_sums.column_sums("out", "matrix", *matrix.shape)
    assert len(plan.launches) == 2
    out = run_plan(plan, {"matrix": matrix}, Spec((columns,)))
    np.testing.assert_allclose(out, matrix.sum(0, np.float64), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("kernel", ["clip_by_norm", "squared_norm_start"])
def test_norms_of_more_than_one_block(kernel, monkeypatch):
    monkeypatch.setattr(clipping, "STRETCH", 30)
    dw = np.random.default_rng(7).standard_normal(70).astype(np.float32) * np.float32(1e25)
    attributes = {"limit": 0.5} if kernel == "clip_by_norm" else {}
    (out,), (want,) = (table[kernel](dw, **attributes) for table in (KERNELS, reference.KERNELS))
    np.testing.assert_allclose(out, want, rtol=1e-6)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_clipping_does_not_hide_nan_and_infinity(number):
    dw = np.array([1.0, number, -2.0], np.float32)
    for kernel in ("clip_by_norm", "clip_by_value"):
        (out,), (want,) = (t[kernel](dw, limit=0.5) for t in (KERNELS, reference.KERNELS))
        np.testing.assert_array_equal(out, want)


# --- updates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "own", [COUPLED, COUPLED | {"decoupled": True}, COUPLED | {"weight_decay": 0}]
)
@pytest.mark.parametrize(("kernel", "absent", "attributes"), UPDATES.values(), ids=UPDATES)
def test_updates_have_the_bits_of_the_reference(kernel, absent, attributes, own):
    rng = np.random.default_rng(8)
    names = [name.rstrip("?") for name in CONTRACTS[kernel].reads]
    reads = [
        None
        if name in absent
        else rng.uniform(0.5, 1, rates_count(kernel) if name == "rates" else 9).astype("f4")
        for name in names
    ]
    reads[0][0], reads[1][1] = -0.0, np.nan
    outs, wanted = (t[kernel](*reads, **attributes, **own) for t in (KERNELS, reference.KERNELS))
    for out, want in zip(outs, wanted, strict=True):
        assert (out is None and want is None) or out.tobytes() == want.tobytes()


class Training:
    """A program that updates WEIGHTS with one kind of optimizer, and its host arrays."""

    def __init__(self, kernel, absent, attributes):
        self.buffers, self.steps, self.index, self.offset = [], [], {}, 0
        self.add("x", (4, 3), "input")
        self.add("rates", (rates_count(kernel),), "input")
        for number, (shape, multiplier, decay, dense) in enumerate(WEIGHTS):
            own = {"multiplier": multiplier, "weight_decay": decay, "decoupled": False}
            self.add_update(kernel, absent, attributes | own, number, shape, dense)
        for step in self.updates:  # all at the end
            self.steps.append(step)

    updates: list[Step]

    def add(self, name, shape, storage=""):
        offset = None if storage else self.offset
        if not storage:
            self.offset += -(-4 * math.prod(shape) // 64) * 64
        self.index[name] = len(self.buffers)
        self.buffers.append(Buffer(name, Spec(shape), offset, storage))

    def add_update(self, kernel, absent, attributes, number, shape, dense):
        self.updates = [] if number == 0 else self.updates
        kernel = f"dense_{kernel}" if dense else kernel
        names = {"x": "x", "rates": "rates"}
        contract = CONTRACTS[kernel]
        slots = set(contract.writes) - {"w", *absent}
        names |= {name: f"{name}{number}" for name in ("w", "dw", "dy", "given", *slots)}
        self.add(names["w"], shape, "parameter")
        for name in sorted(slots):
            self.add(names[name], shape, "state")
        gradient = "dy" if dense else "dw"
        like = (4, shape[1]) if dense else shape
        self.add(names["given"], like, "input")
        self.add(names[gradient], like)
        line = {"scale": 1.0, "offset": 0.0}
        given, made = ((self.index[names[name]],) for name in ("given", gradient))
        self.steps.append(Step("rescale_forward", given, made, line))
        reads, writes = (
            tuple(self.index.get(names.get(name.rstrip("?"), "")) for name in group)
            for group in (contract.reads, contract.writes)
        )
        self.updates.append(Step(kernel, reads, writes, attributes))

    @property
    def program(self):
        first_change = len(self.steps) - len(self.updates)
        return Program(tuple(self.buffers), tuple(self.steps), self.offset, first_change)

    def stored(self):
        rng = np.random.default_rng(9)
        return {
            i: rng.uniform(0.5, 1, buffer.spec.shape).astype(np.float32)
            for i, buffer in enumerate(self.buffers)
            if buffer.storage
        }


def bits(runner, training):
    return {name: runner[i].tobytes() for name, i in training.index.items()}


def updates_of(runner, program):
    """Return the number of launches that update weights."""
    bounds = runner.launches(range(program.first_change, len(program.steps)))
    return sum("rates" in launch.arguments for b in bounds for launch in b.plan.launches)


@pytest.fixture
def training(request):
    return Training(*UPDATES[request.param])


@pytest.mark.parametrize("training", UPDATES, indirect=True)
def test_joined_updates_have_the_bits_of_separate_ones(training):
    program, stored = training.program, [training.stored(), training.stored()]
    together, apart = (Runner(program, arrays) for arrays in stored)
    together.run()
    for step in range(len(program.steps)):
        apart.run(step, step + 1)
    assert updates_of(together, program) == 1
    assert bits(together, training) == bits(apart, training)
    slow = reference.Runner(program, training.stored())
    slow.run()
    for name, i in training.index.items():
        np.testing.assert_allclose(together[i], slow[i], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("training", ["sgd", "rmsprop"], indirect=True)
def test_no_weight_is_updated_while_halted(training):
    program, stored = training.program, training.stored()
    runner = Runner(program, stored)
    before = training.stored()
    runner.run(0, program.first_change)
    steps = runner.launches(range(len(program.steps)))
    (halted,) = {id(b.arrays[HALTED]): b.arrays[HALTED] for b in steps}.values()
    upload(np.ones(1, np.uint32), halted)
    runner.run(program.first_change)
    for step in range(program.first_change, len(program.steps)):
        runner.run(step, step + 1)
    for i, array in before.items():
        assert runner[i].tobytes() == array.tobytes()


def test_weights_of_another_allocation_are_updated_separately():
    """A layer that an earlier model uses already has a device copy."""
    training = Training(*UPDATES["adam"])
    program, stored, known = training.program, training.stored(), training.index["w1"]
    device_copies_of([stored[known]], "a layer of another model")
    runner, apart = Runner(program, stored), Runner(program, training.stored())
    runner.run()
    for step in range(len(program.steps)):
        apart.run(step, step + 1)
    assert updates_of(runner, program) == 2  # w0 and w2 together, w1 alone
    assert bits(runner, training) == bits(apart, training)


def test_slots_of_two_allocations_are_updated_separately():
    training = Training(*UPDATES["adam"])
    program, stored, known = training.program, training.stored(), training.index["second0"]
    device_copies_of([stored[known]], "the state of another model")
    runner = Runner(program, stored)
    assert updates_of(runner, program) == 2
    runner.run()
    slow = reference.Runner(program, training.stored())
    slow.run()
    for name, i in training.index.items():
        np.testing.assert_allclose(runner[i], slow[i], rtol=1e-5, err_msg=name)


def test_a_weight_with_two_updates_gets_both():
    training = Training(*UPDATES["sgd with momentum"])
    again = training.program._replace(steps=(*training.program.steps, training.updates[0]))
    runner, slow = Runner(again, training.stored()), reference.Runner(again, training.stored())
    runner.run()
    slow.run()
    assert updates_of(runner, again) == 4
    np.testing.assert_allclose(runner[training.index["w0"]], slow[training.index["w0"]], rtol=1e-5)


def test_an_unused_gradient_is_computed_in_scratch_memory():
    """A dense layer without a bias uses dw, but not db."""
    shapes = {"dy": (4, 5), "x": (4, 3), "dw": (3, 5)}
    buffers = tuple(
        Buffer(name, Spec(shape), 0 if name == "dw" else None, "" if name == "dw" else "input")
        for name, shape in shapes.items()
    )
    step = Step("dense_backward_weights", (0, 1), (2, None), {})
    rng = np.random.default_rng(10)
    stored = {i: rng.standard_normal(buffers[i].spec.shape, np.float32) for i in (0, 1)}
    runner = Runner(Program(buffers, (step,), 64, 1), stored)
    runner.run()
    np.testing.assert_allclose(runner[2], stored[1].T @ stored[0], rtol=1e-5)


def test_running_statistics_are_assigned_together():
    names = ["a", "b", "new a", "new b"]
    buffers = [Buffer(name, Spec((7,)), storage="state") for name in names[:2]]
    buffers += [Buffer(name, Spec((7,)), 64 * i) for i, name in enumerate(names[2:])]
    buffers += [Buffer("x", Spec((7,)), storage="input")]
    made = [Step("rescale_forward", (4,), (i,), {"scale": i, "offset": 0.0}) for i in (2, 3)]
    steps = (*made, Step("assign", (2,), (0,), {}), Step("assign", (3,), (1,), {}))
    x = np.arange(7, dtype=np.float32)
    stored = {0: np.zeros(7, np.float32), 1: np.zeros(7, np.float32), 4: x}
    runner = Runner(Program(tuple(buffers), steps, 128, first_change=2), stored)
    runner.run()
    assert sum(len(b.plan.launches) for b in runner.launches(range(2, 4))) == 1
    for i, factor in ((0, 2), (1, 3)):
        np.testing.assert_array_equal(synced(stored[i]), factor * x)
