"""CUDA kernels in which several threads or blocks compute one value, with NaN, ties and overflow.

Sizes are small, as the simulator starts a thread of the system for each of CUDA's; where a shape
that needs many blocks would be too large, blocks are made small instead.
"""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import BN, BN_DROPOUT, LRN, pool
from test_cuda_kernels import assert_agrees, run

from minicnn.backends import device
from minicnn.backends import numpy as reference
from minicnn.backends.numpy.batch_norm import moments_of
from minicnn.contracts import Spec
from minicnn.program import Buffer, Program, Step
from minicnn.shapes import Window2D

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda import KERNELS, Runner, channels, rows

# Simulated threads compute with NumPy's scalars, which warn about overflow and NaN.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def small_blocks(monkeypatch):
    """Use blocks of 8 threads with at least one row each: several groups, chunks and lanes."""
    monkeypatch.setattr(channels, "THREADS", 8)
    monkeypatch.setattr(channels, "WIDTH", 4)
    monkeypatch.setattr(channels, "WIDTH_OF_CHUNKS", 2)
    monkeypatch.setattr(channels, "ROWS", 1)
    monkeypatch.setattr(channels, "BLOCKS", 10)


def batch_norm_known(rng, shape, dtype=np.float32):
    c = shape[-1]
    known = {
        "x": 3 + 2 * rng.standard_normal(shape),
        "dy": rng.standard_normal(shape),
        "gamma": rng.uniform(0.5, 2, c),
        "beta": rng.standard_normal(c),
        "mean": 3 + rng.standard_normal(c),
        "inverse_std": rng.uniform(0.5, 2, c),
        "moving_mean": rng.standard_normal(c),
        "moving_variance": rng.uniform(0.5, 2, c),
    }
    known = {name: a.astype(dtype) for name, a in known.items()}
    return known | {"rng_key": np.array([1, 2, 3, 4], np.uint32)}


# --- sums over channels -------------------------------------------------------------------------


def test_statistics_of_chunks_that_fill_their_blocks(rng):
    known = batch_norm_known(rng, (71, 17))
    size = channels.channel_split(Spec(known["x"].shape))
    assert size.threads > 128 and size.chunks == 2 and size.rows % size.chunk
    assert_agrees("batch_norm_training_forward", known, BN)


@pytest.mark.parametrize(
    "kernel",
    [
        "batch_norm_training_forward",
        "batch_norm_training_backward",
        "batch_norm_inference_backward",
    ],
)
def test_statistics_of_many_chunks_and_groups(rng, small_blocks, kernel):
    known = batch_norm_known(rng, (61, 7))
    size = channels.channel_split(Spec(known["x"].shape))
    joined = channels.channel_split_of_chunks(size)
    assert size.groups == 2 and size.lanes > 1 and size.chunks == 5 and joined.lanes > 1
    assert size.channels % size.width and size.rows % size.lanes
    assert_agrees(kernel, known, BN)


def test_moments_may_be_known(rng):
    known = batch_norm_known(rng, (4, 3, 2, 5))
    moments = moments_of(known["x"])
    assert_agrees("batch_norm_training_forward", known | {"moments": moments + 0.25}, BN)
    assert_agrees("batch_norm_dropout_forward", known | {"moments": moments + 0.25}, BN_DROPOUT)


def test_a_small_variance_at_a_large_mean_is_not_lost(rng, small_blocks):
    known = batch_norm_known(rng, (50, 3))
    known["x"] = (5000 + 0.01 * rng.standard_normal((50, 3))).astype(np.float32)
    _, mean, inverse, *_ = run(KERNELS, "batch_norm_training_forward", known, BN | {"epsilon": 0.0})
    np.testing.assert_allclose(mean, known["x"].mean(0, dtype=np.float64), rtol=1e-7)
    np.testing.assert_allclose(inverse, 1 / known["x"].std(0, dtype=np.float64), rtol=1e-5)


def test_constant_channels_have_no_variance(small_blocks, rng):
    known = batch_norm_known(rng, (50, 3))
    known["x"] = np.broadcast_to(np.float32([0.1, 3e-5, -1 / 3]), (50, 3))
    y, _, inverse, *_ = run(KERNELS, "batch_norm_training_forward", known, BN)
    np.testing.assert_allclose(inverse, 1 / np.sqrt(np.float32(1e-3)), rtol=1e-6)
    np.testing.assert_allclose(y, np.broadcast_to(known["beta"], y.shape), atol=1e-5)


def test_nan_spoils_its_channel_and_no_other(rng, small_blocks):
    known = batch_norm_known(rng, (30, 6))
    known["x"][17, 4] = np.nan
    outs = run(KERNELS, "batch_norm_training_forward", known, BN)
    for out in outs:
        np.testing.assert_array_equal(np.isnan(out), np.arange(6) == 4 if out.ndim == 1 else
                                      np.broadcast_to(np.arange(6) == 4, out.shape))  # fmt: skip


def test_in_a_program_new_statistics_stand_beside_the_old(rng):
    """Before `assign`, a step that is abandoned must change nothing."""
    known = batch_norm_known(rng, (6, 4))
    reads = ("x", "gamma", "beta", "moving_mean", "moving_variance")
    writes = ("y", "mean", "inverse_std", "new moving_mean", "new moving_variance")
    specs = {name: Spec(known[name].shape) for name in reads}
    buffers = [Buffer(name, spec, storage="state") for name, spec in specs.items()]
    sizes = [Spec((6, 4)), *[Spec((4,))] * 4]
    buffers += [Buffer(n, s, 256 * i) for i, (n, s) in enumerate(zip(writes, sizes, strict=True))]
    forward = Step("batch_norm_training_forward", (*range(5), None), tuple(range(5, 10)), BN)
    assign = Step("assign", (8,), (3,), {})
    arrays = {i: known[name].copy() for i, name in enumerate(reads)}
    runner = Runner(Program(tuple(buffers), (forward, assign), 256 * 5, 1), arrays)
    wanted = run(reference.KERNELS, "batch_norm_training_forward", known, BN)
    runner.run(0, 1)
    for index, want in enumerate(wanted, start=5):
        np.testing.assert_allclose(runner[index], want, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(runner[3], known["moving_mean"])
    runner.run(1, 2)
    np.testing.assert_array_equal(runner[3], runner[8])


@pytest.mark.parametrize("has_bias", [True, False])
def test_folded_bias_adds_up_many_weights(rng, small_blocks, has_bias):
    shapes = {"w": (3, 3, 4, 5), "b": (5,)} | dict.fromkeys(
        ("gamma", "beta", "moving_mean", "moving_variance"), (4,)
    )
    known = {name: rng.uniform(0.5, 1, s).astype(np.float32) for name, s in shapes.items()}
    known["b"] = known["b"] if has_bias else None
    assert_agrees("fold_batch_norm_before_conv2d", known, {"epsilon": 1e-3})


# --- dropout ----------------------------------------------------------------------------------


RNG_KEY = np.array([0xFFFFFFFF, 0x9E3779B9, 0xFFFFFFFE, 0x80000001], np.uint32)


@pytest.mark.parametrize("count", [1, 4, 258])
def test_dropout_makes_the_mask_of_the_reference(rng, count):
    x = rng.standard_normal(count).astype(np.float32)
    x[count // 2] = np.nan
    for kernel, read in (("dropout_forward", "x"), ("dropout_backward", "dy")):
        known, attributes = {read: x, "rng_key": RNG_KEY}, {"rate": 0.4, "purpose": 2**31 + 5}
        (out,), (want,) = (run(t, kernel, known, attributes) for t in (KERNELS, reference.KERNELS))
        np.testing.assert_array_equal(out, want)


def test_batch_norm_and_dropout_drop_the_same_values(rng):
    known = batch_norm_known(rng, (11, 3, 7))
    y, *_ = run(KERNELS, "batch_norm_dropout_forward", known, BN_DROPOUT)
    ones = {"x": np.ones_like(y), "rng_key": known["rng_key"]}
    attributes = {name: BN_DROPOUT[name] for name in ("rate", "purpose")}
    (mask,) = run(reference.KERNELS, "dropout_forward", ones, attributes)
    np.testing.assert_array_equal(y == 0, mask == 0)


# --- rows: softmax and losses -------------------------------------------------------------------


def logits_and_labels(rng, count, classes):
    z = (3 * rng.standard_normal((count, classes))).astype(np.float32)
    return z, rng.integers(0, classes, count).astype(np.int32)


@pytest.mark.parametrize(
    ("loss", "count", "classes"),
    [
        ("softmax_sparse_categorical", 2, 70),
        ("sparse_categorical", 2, 70),
        ("softmax_sparse_categorical", 1, 260),
    ],
)
def test_threads_share_a_row(rng, loss, count, classes):
    z, labels = logits_and_labels(rng, count, classes)
    assert rows.rows_of(z.shape).lanes in (32, 128)
    p = np.exp(z - z.max(1, keepdims=True))
    known = {"logits": z, "y_pred": p, "y_true": labels, "dloss": np.ones(count, np.float32)}
    known["probabilities"] = p / p.sum(1, keepdims=True)
    for way in ("forward", "backward"):
        assert_agrees(f"{loss}_crossentropy_{way}", known, {"label_smoothing": 0.1})


@pytest.mark.parametrize("kernel", ["softmax_forward", "softmax_backward"])
def test_softmax_of_long_rows(rng, kernel):
    known = {name: rng.standard_normal((3, 2, 37)).astype(np.float32) for name in ("x", "y", "dy")}
    assert_agrees(kernel, known, {})


@pytest.mark.parametrize("kernel", ["mean_squared_error_forward", "mean_squared_error_backward"])
def test_targets_may_be_integers(rng, kernel):
    known = {
        "y_pred": rng.standard_normal((3, 5, 7)).astype(np.float32),
        "y_true": rng.integers(0, 9, (3, 5, 7)).astype(np.int32),
        "dloss": rng.standard_normal(3).astype(np.float32),
    }
    assert_agrees(kernel, known, {})


@pytest.mark.parametrize("loss", ["softmax_sparse_categorical", "sparse_categorical"])
def test_a_label_that_is_no_class_has_a_loss_of_nan_and_no_gradient(rng, loss):
    z, _ = logits_and_labels(rng, 4, 6)
    p = np.abs(z) + np.float32(0.1)
    labels = np.array([2, -1, 6, 5], np.int32)
    known = {"logits": z, "y_pred": p, "probabilities": p, "y_true": labels, "dloss": p[:, 0]}
    smoothing = {"label_smoothing": 0.0}
    values, *_ = run(KERNELS, f"{loss}_crossentropy_forward", known, smoothing)
    np.testing.assert_array_equal(np.isnan(values), [False, True, True, False])
    (gradient,) = run(KERNELS, f"{loss}_crossentropy_backward", known, smoothing)
    assert not gradient[1:3].any() and gradient[[0, 3]].all()


def test_softmax_does_not_overflow_and_passes_nan_on():
    x = np.float32(
        [[1e4, 1e4 - 1, -1e4], [-3e38, 3e38, 0], [0, np.nan, 1], [-np.inf, 0, 0], [np.inf, 0, 0]]
    )
    (y,), (want,) = (run(t, "softmax_forward", {"x": x}, {}) for t in (KERNELS, reference.KERNELS))
    np.testing.assert_allclose(y, want, rtol=1e-6)
    known = {"logits": x, "y_true": np.zeros(5, np.int32)}
    loss, probabilities = run(
        KERNELS, "softmax_sparse_categorical_crossentropy_forward", known, {"label_smoothing": 0.0}
    )
    np.testing.assert_array_equal(probabilities, y)
    want = [np.log1p(np.exp(-1)), np.inf, np.nan, np.inf, np.nan]
    np.testing.assert_allclose(loss, want, rtol=1e-6)


# --- pooling ----------------------------------------------------------------------------------


def ties_and_worse(rng, shape):
    """Draw few different values, all negative or NaN: many ties, and 0 in the padding is larger."""
    return rng.choice(np.float32([-np.inf, -2, -1, np.nan]), shape, p=[0.3, 0.3, 0.3, 0.1])


@pytest.mark.parametrize(
    "attributes",
    [
        pool((6, 7), 3, 2, "same"),
        pool((6, 7), (2, 3), 1, ((1, 0), (2, 1))),
        pool((6, 7), 3, 2, ceil_mode=True),
        {"window": Window2D((2, 2), (1, 2), (2, 3), (1, 1), (1, 2)), "image": (6, 7)},
    ],
    ids=["same", "uneven padding", "ceil mode", "dilated"],
)
def test_the_argmax_is_the_references(rng, attributes):
    x = ties_and_worse(rng, (1, 6, 7, 3))
    assert_agrees("max_pool2d_forward", {"x": x}, attributes)
    y, argmax = reference.KERNELS["max_pool2d_forward"](x, **attributes)
    dy = rng.integers(-9, 9, y.shape).astype(np.float32)
    assert_agrees("max_pool2d_backward", {"dy": dy, "argmax": argmax}, attributes)
    assert_agrees("average_pool2d_backward", {"dy": dy}, attributes)
    x = rng.standard_normal(x.shape).astype(np.float32)
    assert_agrees("average_pool2d_forward", {"x": x}, attributes)


def test_the_argmax_of_a_whole_image_is_the_references(rng):
    x = ties_and_worse(rng, (2, 5, 9, 9))
    x[0, ..., 0] = -np.inf  # the position is the first pixel
    x[0, ..., 1:] = np.nan_to_num(x[0, ..., 1:], nan=-1)
    x[1, ..., :3] = -np.float32(rng.integers(1, 4, (5, 9, 3)))
    assert channels.unchunked_split(45, 9, channels.WIDTH).lanes == 8
    assert_agrees("global_max_pool2d_forward", {"x": x}, {"image": (5, 9)})


@pytest.mark.parametrize("shape", [(1, 7, 11, 40), (2, 16, 9, 1)])
def test_mean_of_a_whole_image(rng, shape):
    x = 1 + rng.standard_normal(shape).astype(np.float32)
    assert_agrees("global_average_pool2d_forward", {"x": x}, {"image": shape[1:3]})


# --- neighbors -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5])
def test_local_response_norm_of_many_channels(rng, size):
    x, dy = (rng.standard_normal((3, 40)).astype(np.float32) for _ in range(2))
    attributes = LRN | {"size": size}
    y, scale = reference.KERNELS["local_response_norm_forward"](x, **attributes)
    assert_agrees("local_response_norm_forward", {"x": x}, attributes)
    known = {"dy": dy, "x": x, "y": y, "scale": scale}
    assert_agrees("local_response_norm_backward", known, attributes)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("values", [6, 9])
def test_augment_looks_where_the_reference_does(rng, values, fill_mode, interpolation):
    """Positions are multiples of 1/8, which do not round; then arbitrary, far away, and NaN."""
    x = rng.integers(0, 256, (4, 5, 3, 2)).astype(np.uint8)
    matrix = rng.integers(-16, 17, (4, 6)).astype(np.float32) / 8
    matrix[2] = [0, 0, -3e9, 0, 0, 3e30]
    matrix[3] = [1, 0, np.nan, 0, 1, 0]
    if values == 9:  # an affine one, w of 1 to 3, and w that is 0 and below for two rows
        last_rows = np.array([[0, 0, 1], [0.5, 0, 1], [-0.5, 0, 1.5], [0, 0, 1]], np.float32)
        matrix = np.concatenate([matrix, last_rows], axis=1)
    attributes = {"fill_mode": fill_mode, "interpolation": interpolation, "cval": 7, "scale": 0.5}
    for images in (x, x.astype(np.float32)):
        reads = {"x": images, "matrix": matrix}
        (y,), (want,) = (
            run(t, "augment_forward", reads, attributes) for t in (KERNELS, reference.KERNELS)
        )
        np.testing.assert_allclose(y, want, rtol=1e-6, atol=1e-4)
