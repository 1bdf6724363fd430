"""The native runner against the reference's, on one training step of a small network."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minicnn.backends import numpy as reference
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError
from minicnn.program import Buffer, Program, Step
from minicnn.shapes import conv_window

core = pytest.importorskip("minicnn._core", exc_type=ModuleNotFoundError)
native = pytest.importorskip("minicnn.backends.native", exc_type=ModuleNotFoundError)

SGD = {"momentum": 0.5, "nesterov": False, "weight_decay": 0.1, "decoupled": False}
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "weight_decay": 0.0, "decoupled": False}
NO_SMOOTHING = {"label_smoothing": 0.0}
BN = {"momentum": 0.9, "epsilon": 1e-3}

# name: (shape, dtype, storage)
BUFFERS = {
    "pixels": ((8, 6), "uint8", "input"),
    "labels": ((8,), "int32", "input"),
    "rates": ((2,), "float32", "input"),
    "dloss": ((8,), "float32", "input"),
    "gamma": ((6,), "float32", "parameter"),
    "beta": ((6,), "float32", "parameter"),
    "w": ((6, 5), "float32", "parameter"),
    "b": ((5,), "float32", "parameter"),
    "moving_mean": ((6,), "float32", "state"),
    "moving_variance": ((6,), "float32", "state"),
    "velocity": ((6, 5), "float32", "state"),
    "first": ((5,), "float32", "state"),
    "second": ((5,), "float32", "state"),
    "x": ((8, 6), "float32", ""),
    "normal": ((8, 6), "float32", ""),
    "mean": ((6,), "float32", ""),
    "inverse_std": ((6,), "float32", ""),
    "z": ((8, 5), "float32", ""),
    "loss": ((8,), "float32", ""),
    "p": ((8, 5), "float32", ""),
    "dz": ((8, 5), "float32", ""),
    "dw": ((6, 5), "float32", ""),
    "db": ((5,), "float32", ""),
    "total": ((1,), "float64", ""),
}
LOSS = "softmax_sparse_categorical_crossentropy"
STATISTICS = "moving_mean moving_variance"
STEPS = [
    ("rescale_forward", "pixels", "x", {"scale": 1 / 255, "offset": -0.5}),
    (
        "batch_norm_training_forward",
        f"x gamma beta {STATISTICS} -",
        f"normal mean inverse_std {STATISTICS}",
        BN,
    ),
    ("dense_forward", "normal w b", "z", {}),
    (f"{LOSS}_forward", "z labels", "loss p", NO_SMOOTHING),
    (f"{LOSS}_backward", "dloss p labels", "dz", NO_SMOOTHING),
    ("dense_backward_weights", "dz normal", "dw db", {}),
    ("squared_norm_start", "dw", "total", {}),
    ("squared_norm_add", "db total", "total", {}),
    ("clip_by_global_norm", "dw total", "dw", {"limit": 0.5}),
    ("sgd_update", "w dw velocity rates", "w velocity", SGD | {"multiplier": 2.0}),
    ("adam_update", "b db first second rates", "b first second", ADAM | {"multiplier": 1.0}),
]
INDEX = {name: i for i, name in enumerate(BUFFERS)}


def index_of(name):
    return None if name == "-" else INDEX[name]


@pytest.fixture
def program():
    buffers, offset = [], 0
    for name, (shape, dtype, storage) in BUFFERS.items():
        buffers.append(Buffer(name, Spec(shape, dtype), None if storage else offset, storage))
        if not storage:
            offset += -(-math.prod(shape) * np.dtype(dtype).itemsize // 64) * 64
    steps = [
        Step(kernel, *(tuple(map(index_of, names.split())) for names in arrays), attributes)
        for kernel, *arrays, attributes in STEPS
    ]
    return Program(tuple(buffers), tuple(steps), offset, first_change=len(steps))


def stored():
    rng = np.random.default_rng(1)
    arrays = {
        INDEX[name]: rng.uniform(0.1, 1, shape).astype(dtype)
        for name, (shape, dtype, storage) in BUFFERS.items()
        if storage
    }
    arrays[INDEX["pixels"]][...] = rng.integers(0, 256, (8, 6))
    arrays[INDEX["labels"]][...] = rng.integers(0, 5, 8)
    arrays[INDEX["rates"]][...] = 0.1, 0.05
    return arrays


def test_training_steps_agree_with_the_reference(program):
    ours, theirs = stored(), stored()
    fast, slow = native.Runner(program, ours), reference.Runner(program, theirs)
    losses = []
    for _ in range(5):
        fast.run()
        slow.run()
        losses.append(slow[INDEX["loss"]].mean())
        for name, i in INDEX.items():
            np.testing.assert_allclose(fast[i], slow[i], rtol=1e-4, atol=1e-6, err_msg=name)
    assert losses[-1] < losses[0]
    for i, array in ours.items():
        assert fast[i] is array  # parameters and state are updated in place


def test_a_part_of_the_steps(program):
    whole, parts = native.Runner(program, stored()), native.Runner(program, stored())
    whole.run()
    parts.run(last=3)
    assert parts[INDEX["w"]].tobytes() == stored()[INDEX["w"]].tobytes()
    parts.run(3, 7)
    parts.run(7)
    parts.run(11)
    for i in INDEX.values():
        assert parts[i].tobytes() == whole[i].tobytes()


def test_the_arena_is_aligned_and_holds_every_array_without_a_storage(program):
    runner = native.Runner(program, stored())
    inside = [b for b in program.buffers if not b.storage]
    start = runner[INDEX[inside[0].name]].ctypes.data
    assert start % 64 == 0
    for buffer in inside:
        array = runner[INDEX[buffer.name]]
        assert array.ctypes.data == start + buffer.offset
        assert Spec(array.shape, str(array.dtype)) == buffer.spec


def test_homes_must_be_given_and_look_like_their_buffers(program):
    w = INDEX["w"]
    wrong = {
        "parameter 'w', needs an array": {k: a for k, a in stored().items() if k != w},
        r"must be float32 of shape \(6, 5\); got float32 of shape \(5, 6\)": stored()
        | {w: np.zeros((5, 6), np.float32)},
        "got float64": stored() | {w: np.zeros((6, 5))},
    }
    for message, arrays in wrong.items():
        with pytest.raises(ArgumentError, match=message):
            native.Runner(program, arrays)
    strided = stored() | {w: np.zeros((5, 6), np.float32).T}
    with pytest.raises(ValueError, match="C-contiguous"):
        native.Runner(program, strided)


def test_an_arena_too_small_is_refused(program):
    with pytest.raises(ArgumentError, match="ends at byte"):
        native.Runner(program._replace(arena_bytes=program.arena_bytes - 64), stored())


def test_large_arenas_begin_on_a_huge_page():
    spec = Spec((2**20,))  # 4 MiB
    buffers = (Buffer("x", spec, storage="input"), Buffer("y", spec, offset=0))
    steps = (Step("relu_forward", (0,), (1,), {}),)
    runner = native.Runner(
        Program(buffers, steps, 2**22, first_change=1), {0: np.ones(2**20, "f4")}
    )
    runner.run()
    assert runner[1].ctypes.data % 2**21 == 0 and runner[1].all()


def test_programs_in_threads_do_not_share_scratch_memory():
    """A dense layer's gradients by several programs at once, of sizes that need scratch memory."""
    rng = np.random.default_rng(3)

    def job(n):
        dy, w = (
            rng.standard_normal((n, 400), np.float32),
            rng.standard_normal((700, 400), np.float32),
        )
        dx = np.empty((n, 700), np.float32)
        program = core.Program([("dense_backward_input", [dy, w], [dx], {})])
        (want,) = native.KERNELS["dense_backward_input"](dy, w)
        return program, dx, want

    def run(job):
        program, dx, want = job
        for _ in range(20):
            dx.fill(np.nan)
            program.run(0, 1)
            if dx.tobytes() != want.tobytes():
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, [job(n) for n in (3, 30, 50, 64)]))


def test_cached_weights_are_compared_unless_their_version_is_known():
    rng = np.random.default_rng(6)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in ((1, 9, 10, 4), (3, 3, 4, 8)))
    window = conv_window(3, 1, "valid", 1, (9, 10))
    attributes = {"window": window, "groups": 1, "image": (9, 10), "algorithm": "winograd"}
    y, other = np.empty((2, 1, 7, 8, 8), np.float32)
    program = core.Program(
        [("conv2d_forward", [x, w, None], [y], attributes | {"cache_weights": True})]
    )

    def run(version):
        program.run(0, 1, version)
        core.run("conv2d_forward", [x, w, None], [other], attributes)
        return np.array_equal(y, other)

    assert run(0)
    w *= 2
    assert run(0)
    w *= 2
    assert run(7)
    w *= 2
    assert not run(7)  # the same version promises that nothing has changed
    assert run(8)
    assert run(0)


def test_a_large_arena_is_private_to_a_forked_child():
    arena = native.program.Arena().room(2**22)
    arena[:] = 1
    child = os.fork()
    if not child:
        arena[:] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert (arena == 1).all()


def test_an_arena_beyond_the_address_space_is_a_memory_error():
    with pytest.raises(MemoryError, match="for the layers' outputs"):
        native.program.Arena().room(2**50)
