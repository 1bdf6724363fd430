"""Every native kernel against the reference: exact where nothing is summed, else close."""

from __future__ import annotations

import os

import numpy as np
import pytest
from gradcheck import backward_kernels, everything
from kernel_cases import (
    BN,
    BN_DROPOUT,
    LRN,
    Case,
    arrays,
    conv,
    of_any_batch,
    pool,
)
from kernel_cases import COMPILED as CASES
from test_contracts import OTHERS, SGD, UPDATES, as_dtype, calls, other_arrays

from minicnn import contracts
from minicnn.backends import numpy as reference
from minicnn.contracts import CONTRACTS
from minicnn.shapes import Window2D

core = pytest.importorskip("minicnn._core", exc_type=ModuleNotFoundError)
native = pytest.importorskip("minicnn.backends.native", exc_type=ModuleNotFoundError)

UNIT = 2.0**-24
EXACT = {
    "broadcast_to_forward", "cast_forward", "ceil_forward", "clip_forward", "clip_backward",
    "compare_forward", "floor_forward", "max_forward", "max_backward", "maximum_forward",
    "maximum_backward", "min_forward", "min_backward", "minimum_forward", "minimum_backward",
    "pad_forward", "pad_backward", "reshape_whole_forward", "reshape_whole_backward",
    "round_forward", "sign_forward", "slice_forward", "slice_backward", "square_forward",
    "stop_gradient_forward", "subtract_forward", "subtract_backward", "sum_backward",
    "transpose_forward", "transpose_backward", "where_forward", "where_backward",
    "adadelta_update", "adamax_update", "add_gradient", "amsgrad_update", "ftrl_update",
    "lion_update", "mean_gradient", "moving_average", "nadam_update",
    "add_forward", "add_backward", "assign", "augment_forward", "bias_forward",
    "bias_backward_input",
    "clip_by_value",
    "concatenate_forward", "concatenate_backward", "dropout_forward", "dropout_backward",
    "global_average_pool2d_backward", "global_max_pool2d_forward", "global_max_pool2d_backward",
    "leaky_relu_forward", "leaky_relu_backward", "max_pool2d_forward", "multiply_forward",
    "multiply_backward", "relu_forward", "relu_backward", "relu6_forward", "relu6_backward",
    "rescale_forward", "rescale_backward", "reshape_forward", "reshape_backward",
    "scale_channels_forward", "sgd_update", "adam_update", "rmsprop_update",
    "adagrad_update", "crop2d_forward", "crop2d_backward", "zero_pad2d_forward",
    "zero_pad2d_backward",
}  # fmt: skip
PAD = Window2D((3, 4), (2, 1), (1, 1), (2, 1), (1, 3))


def batch_norm_images(rng, channels=37):
    shapes = {"x": (20, 9, 11, channels), "gamma": channels, "beta": channels}
    drawn = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return drawn | {
        "moving_mean": rng.standard_normal(channels),
        "moving_variance": rng.uniform(0.5, 2, channels),
    }


def with_stream(images):
    return images | {"rng_key": np.array([5, 6, 7, 8], np.uint32)}


def classes_of(rng):
    return {"logits": 5 * rng.standard_normal((700, 37)), "y_true": labels_of(rng)}


def labels_of(rng):
    return rng.integers(0, 37, 700).astype(np.int32)


# Several tasks each, and channels that are not a multiple of a vector.
LARGE = {
    "max_pool2d, uneven": Case(
        "max_pool2d", arrays(x=(3, 31, 29, 37)), {"window": PAD, "image": (31, 29)}
    ),
    "max_pool2d, one channel": Case("max_pool2d", arrays(x=(9, 60, 61, 1)), pool((60, 61), 2)),
    "average_pool2d, uneven": Case(
        "average_pool2d", arrays(x=(3, 31, 29, 37)), {"window": PAD, "image": (31, 29)}
    ),
    "global_max_pool2d": Case("global_max_pool2d", arrays(x=(9, 40, 31, 5)), {"image": (40, 31)}),
    "global_average_pool2d": Case(
        "global_average_pool2d", arrays(x=(9, 40, 31, 5)), {"image": (40, 31)}
    ),
    "bias": Case("bias", arrays(x=(50, 31, 29, 3), b=(3,)), by=("x", "b")),
    "relu": Case("relu", arrays(x=(70001,))),
    "softmax": Case("softmax", arrays(x=(700, 37))),
    "batch_norm_training": Case("batch_norm_training", batch_norm_images, BN),
    "batch_norm_training, three groups of channels": Case(
        "batch_norm_training", lambda rng: batch_norm_images(rng, 131), BN
    ),
    "batch_norm_inference": Case("batch_norm_inference", batch_norm_images, BN),
    "batch_norm_training, one channel": Case(
        "batch_norm_training",
        lambda rng: {k: v[..., :1] for k, v in batch_norm_images(rng).items()},
        BN,
    ),
    "batch_norm_dropout": Case(
        "batch_norm_dropout", lambda rng: with_stream(batch_norm_images(rng)), BN_DROPOUT
    ),
    "local_response_norm": Case("local_response_norm", arrays(x=(3, 20, 21, 37)), LRN),
    "local_response_norm, another power": Case(
        "local_response_norm", arrays(x=(3, 20, 21, 37)), LRN | {"beta": 0.6}
    ),
    "dropout": Case(
        "dropout",
        lambda rng: {
            "x": rng.standard_normal((3, 31, 29, 37)),
            "rng_key": rng.integers(0, 2**32, 4, dtype=np.uint32),
        },
        {"rate": 0.37, "purpose": 2**32 - 1},
    ),
    "crop2d": Case("crop2d", arrays(x=(3, 31, 29, 37)), {"pad_h": (1, 2), "pad_w": (0, 3)}),
    "upsample2d": Case(
        "upsample2d", arrays(x=(3, 15, 13, 37)), {"size": (2, 3), "interpolation": "nearest"}
    ),
    "upsample2d, bilinear": Case(
        "upsample2d", arrays(x=(3, 15, 13, 37)), {"size": (2, 3), "interpolation": "bilinear"}
    ),
    "conv2d_transpose": Case(
        "conv2d_transpose",
        arrays(x=(3, 15, 13, 20), w=(3, 3, 17, 20)),
        conv((30, 26), 3, 2, "same"),
    ),
    "zero_pad2d": Case("zero_pad2d", arrays(x=(3, 31, 29, 37)), {"pad_h": (1, 2), "pad_w": (0, 3)}),
    "concatenate": Case(
        "concatenate",
        arrays(a=(3, 31, 29, 11), b=(3, 31, 29, 20)),
        {"axis": 3, "sizes": (11, 20)},
    ),
    "sum of a batch": Case(
        "sum",
        arrays(x=(64, 33, 31, 5)),
        {"axes": (0, 1, 2), "keepdims": False, "image": (64, 33, 31, 5)},
    ),
    "sum of rows": Case(
        "sum", arrays(x=(700, 137)), {"axes": (1,), "keepdims": True, "image": (700, 137)}
    ),
    "max of images": Case(
        "max",
        arrays(x=(5, 90, 31, 7)),
        {"axes": (1, 2), "keepdims": False, "image": (5, 90, 31, 7)},
    ),
    "broadcast_to": Case(
        "broadcast_to", arrays(x=(31, 1, 9)), {"shape": (70, 31, 33, 9), "image": (31, 1, 9)}
    ),
    "transpose": Case("transpose", arrays(x=(7, 33, 31, 9)), {"axes": (0, 3, 1, 2)}),
    "exp": Case("exp", arrays(x=(7, 33, 31, 9))),
    "softmax_sparse_categorical_crossentropy": Case(
        "softmax_sparse_categorical_crossentropy", classes_of, {"label_smoothing": 0.0}
    ),
    "mean_squared_error": Case(
        "mean_squared_error", arrays(y_pred=(3, 90, 91, 2), y_true=(3, 90, 91, 2))
    ),
}
EVERY = CASES | {f"large {name}": case for name, case in LARGE.items()}


def run(table, kernel, known, attributes):
    reads = [known.get(name.rstrip("?")) for name in CONTRACTS[kernel].reads]
    return table[kernel](*reads, **attributes)


def assert_agrees(kernel, known, attributes):
    """`known` holds float32 arrays; where sums round, the reference computes in float64."""
    outs = run(native.KERNELS, kernel, known, attributes)
    dtype = np.float32 if kernel in EXACT else np.float64
    exact = as_dtype({k: None if a is None else widened(a, dtype) for k, a in known.items()}, dtype)
    wanted = run(reference.KERNELS, kernel, exact, attributes)
    for name, out, want in zip(CONTRACTS[kernel].writes, outs, wanted, strict=True):
        if want is None:
            assert out is None, name
        elif kernel in EXACT or out.dtype.kind in "iu":
            np.testing.assert_array_equal(out, want, err_msg=f"{kernel}: {name}")
        else:
            scale = np.max(np.abs(want), initial=0.0)
            np.testing.assert_allclose(
                out, want, rtol=2e-6, atol=1e-6 * scale, err_msg=f"{kernel}: {name}"
            )


def widened(array, dtype):
    return array.astype(dtype) if array.dtype == np.float32 else array


@pytest.mark.parametrize("case", EVERY.values(), ids=EVERY)
def test_agrees_with_the_reference(case):
    for kernel, known in calls(case, np.float32):
        assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("case", of_any_batch(CASES).values(), ids=of_any_batch(CASES))
def test_an_empty_batch_agrees(case):
    for kernel, known in calls(case, np.float32, samples=0):
        assert_agrees(kernel, known, case.attributes)


COMPILED = {name: other for name, other in OTHERS.items() if not CONTRACTS[other[0]].on_host}


@pytest.mark.parametrize(("kernel", "absent", "attributes"), COMPILED.values(), ids=COMPILED)
def test_optimizers_and_clipping_agree(kernel, absent, attributes):
    known = other_arrays(kernel, absent, np.float32)
    before = {name: None if a is None else a.copy() for name, a in known.items()}
    assert_agrees(kernel, known, attributes)
    for name, a in known.items():
        np.testing.assert_array_equal(a, before[name])  # the table changes no argument


def test_all_kernels_are_native_but_those_left_to_the_reference():
    left = {name for name, contract in CONTRACTS.items() if contract.on_host}
    assert native.KERNELS.keys() == CONTRACTS.keys() - left


# --- same bits --------------------------------------------------------------------------------


@pytest.fixture
def set_threads():
    before = native.num_threads()
    yield native.set_num_threads
    native.set_num_threads(before)


def test_there_are_no_more_threads_than_scratch_memory_has_room_for(set_threads):
    set_threads(10**6)
    assert max(8, min(os.cpu_count() or 1, 64)) >= native.num_threads() >= 8


@pytest.mark.parametrize("case", LARGE.values(), ids=LARGE)
def test_bits_do_not_depend_on_threads(case, set_threads):
    for kernel, known in calls(case, np.float32):
        runs = []
        for threads in (1, 2, 3, 4):
            set_threads(threads)
            runs.append(run(native.KERNELS, kernel, known, case.attributes))
        for outs in runs[1:]:
            for out, first in zip(outs, runs[0], strict=True):
                assert out.tobytes() == first.tobytes(), kernel


STEPS = {
    "plain": ("sgd_update", {"momentum": 0.0, "nesterov": False}, ("velocity",)),
    "momentum": ("sgd_update", {"momentum": 0.9, "nesterov": False}, ()),
    "nesterov": ("sgd_update", {"momentum": 0.9, "nesterov": True}, ()),
    "adam": ("adam_update", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, ()),
    "rmsprop": (
        "rmsprop_update",
        {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
        ("velocity", "mean"),
    ),
    "rmsprop, centered": (
        "rmsprop_update",
        {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
        (),
    ),
    "adagrad": ("adagrad_update", {"epsilon": 1e-7}, ()),
    **{name: (name, attributes, ()) for name, attributes in UPDATES.items()},
}


def rates_for(kernel):
    rates = [0.01, 0.0123, 1.5, 0.8] if "nadam" in kernel else [0.01, 0.0123]
    return {"rates": np.array(rates, np.float32)}


@pytest.mark.parametrize("decay", [(0.0, False), (0.004, False), (0.004, True)])
@pytest.mark.parametrize(("kernel", "numbers", "absent"), STEPS.values(), ids=STEPS)
def test_optimizers_have_the_bits_of_the_reference(kernel, numbers, absent, decay):
    rng = np.random.default_rng(5)
    attributes = SGD | numbers | {"weight_decay": decay[0], "decoupled": decay[1]}
    known = {
        name.rstrip("?"): rng.uniform(1e-3, 1, 40_001).astype(np.float32)
        for name in CONTRACTS[kernel].reads
    }
    known |= rates_for(kernel) | dict.fromkeys(absent)
    known["dw"] = rng.standard_normal(40_001).astype(np.float32)
    theirs = dict(known)
    for _ in range(3):
        known |= zip_writes(kernel, run(native.KERNELS, kernel, known, attributes))
        theirs |= zip_writes(kernel, run(reference.KERNELS, kernel, theirs, attributes))
        for name in CONTRACTS[kernel].writes:
            if theirs[name] is not None:
                assert known[name].tobytes() == theirs[name].tobytes(), name


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("n", [0, 1, 64, 300])  # 300 samples are more than one block of a sum
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (17, 10), (41, 700), (5, 40_000)])
@pytest.mark.parametrize(("kernel", "numbers", "absent"), STEPS.values(), ids=STEPS)
def test_a_dense_update_has_the_bits_of_gradient_and_update(
    kernel, numbers, absent, inputs, units, n, threads, set_threads
):
    rng = np.random.default_rng(n)
    attributes = SGD | numbers
    shapes = dict.fromkeys(CONTRACTS[kernel].reads, (inputs, units)) | {"dy": (n, units)}
    shapes |= {"x": (n, inputs)}
    known = {
        name.rstrip("?"): rng.uniform(1e-3, 1, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    known |= rates_for(kernel) | dict.fromkeys(absent)
    set_threads(1)
    dw, _ = native.KERNELS["dense_backward_weights"](known["dy"], known["x"])
    wanted = run(native.KERNELS, kernel, known | {"dw": dw}, attributes)
    set_threads(threads)
    found = run(native.KERNELS, f"dense_{kernel}", known, attributes)
    for out, want in zip(found, wanted, strict=True):
        assert out is want is None or out.tobytes() == want.tobytes()


def zip_writes(kernel, outs):
    return dict(zip(CONTRACTS[kernel].writes, outs, strict=True))


# --- conv2d_relu is conv2d, then relu ---------------------------------------------------------


@pytest.mark.parametrize("filters", [5, 32, 39])
@pytest.mark.parametrize("channels", [3, 40])  # one block of products, and two
def test_conv2d_relu_has_the_bits_of_conv2d_and_relu(channels, filters):
    rng = np.random.default_rng(filters)
    attributes = conv((15, 17), 3, 1, "same") | {"algorithm": "direct"}
    x, w = (
        rng.standard_normal((2, 15, 17, channels)),
        rng.standard_normal((3, 3, channels, filters)),
    )
    x, w = x.astype(np.float32), w.astype(np.float32)
    b, dy = (
        rng.standard_normal(filters, np.float32),
        rng.standard_normal((2, 15, 17, filters), "f4"),
    )
    x[0, 3, 4], w[..., 0], b[0], b[1] = np.nan, 0.0, -0.0, np.nan
    kernels = native.KERNELS
    (z,) = kernels["conv2d_forward"](x, w, b, **attributes)
    (want,) = kernels["relu_forward"](z)
    (y,) = kernels["conv2d_relu_forward"](x, w, b, **attributes)
    assert y.tobytes() == want.tobytes() and np.isnan(y).any() and (y == 0).any()
    (dz,) = kernels["relu_backward"](dy, y)
    assert (dz == 0).any()
    for gradient, other in (("input", w), ("weights", x)):
        fused = kernels[f"conv2d_relu_backward_{gradient}"](dy, y, other, **attributes)
        plain = kernels[f"conv2d_backward_{gradient}"](dz, other, **attributes)
        assert [a.tobytes() for a in fused] == [a.tobytes() for a in plain], gradient


# --- batch_norm_dropout is batch_norm_training, then dropout ------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 32, 37, 131])  # blocks begin inside a counter
def test_batch_norm_dropout_has_the_bits_of_batch_norm_and_dropout(channels):
    rng = np.random.default_rng(channels)
    known = as_dtype(with_stream(batch_norm_images(rng, channels)), np.float32)
    known["x"][3, 4, 5, 0] = np.nan
    norm, drop = BN, {k: BN_DROPOUT[k] for k in ("rate", "purpose")}
    z, *statistics = run(native.KERNELS, "batch_norm_training_forward", known, norm)
    (y,) = native.KERNELS["dropout_forward"](z, known["rng_key"], **drop)
    found = run(native.KERNELS, "batch_norm_dropout_forward", known, BN_DROPOUT)
    assert [a.tobytes() for a in found] == [a.tobytes() for a in (y, *statistics)]
    assert np.isnan(y).any() and (y == 0).any()
    known |= dict(zip(("mean", "inverse_std"), statistics[:2], strict=True))
    known["dy"] = rng.standard_normal(y.shape).astype(np.float32)
    (dz,) = native.KERNELS["dropout_backward"](known["dy"], known["rng_key"], **drop)
    wanted = run(native.KERNELS, "batch_norm_training_backward", known | {"dy": dz}, norm)
    found = run(native.KERNELS, "batch_norm_dropout_backward", known, BN_DROPOUT)
    assert [a.tobytes() for a in found] == [a.tobytes() for a in wanted]


IN_PLACE = [
    (case, kernel)
    for case in EVERY.values()
    for kernel in (f"{case.operation}_forward", *backward_kernels(case.operation))
    if CONTRACTS[kernel].in_place
]


@pytest.mark.parametrize(("case", "kernel"), IN_PLACE, ids=[k for _, k in IN_PLACE])
def test_a_result_may_overwrite_what_is_read(case, kernel):
    known = dict(calls(case, np.float32))[kernel]
    wanted = run(native.KERNELS, kernel, known, case.attributes)
    reads = [np.array(known[name]) for name in CONTRACTS[kernel].reads]
    y = reads[CONTRACTS[kernel].reads.index(CONTRACTS[kernel].in_place)]
    found = [y, *map(np.empty_like, wanted[1:])]
    core.run(kernel, reads, found, dict(case.attributes))
    assert [out.tobytes() for out in found] == [want.tobytes() for want in wanted]


# --- special values --------------------------------------------------------------------------

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-42, 3e38, -3e38, 6.0, -1.0], np.float32)
ACTIVATIONS = {
    case.operation: case.attributes
    for case in CASES.values()
    if CONTRACTS[f"{case.operation}_forward"].reads == ("x",)
    and case.operation in contracts.ACTIVATIONS
}


@pytest.mark.parametrize("operation", ACTIVATIONS)
def test_special_values_of_activations(operation):
    attributes = ACTIVATIONS[operation]
    known = everything(operation, {"x": SPECIAL}, attributes, np.random.default_rng(6))
    for kernel in (f"{operation}_forward", *backward_kernels(operation)):
        (out,) = run(native.KERNELS, kernel, known, attributes)
        (want,) = run(reference.KERNELS, kernel, known, attributes)
        np.testing.assert_allclose(out, want, rtol=1e-6, err_msg=kernel)


def test_softmax_of_special_rows():
    rows = np.array([[1, np.nan, 2], [np.inf, 0, 1], [-np.inf, 0, 1], [3e38, -3e38, 3e38]], "f4")
    (out,) = native.KERNELS["softmax_forward"](rows)
    (want,) = reference.KERNELS["softmax_forward"](rows)
    np.testing.assert_allclose(out, want, rtol=1e-6)


def test_pooling_takes_the_first_nan_or_maximum():
    rng = np.random.default_rng(7)
    values = np.array([np.nan, -np.inf, 1.0, 1.0, 0.0, -0.0], np.float32)
    x = rng.choice(values, (5, 9, 8, 19))
    for kernel in ("max_pool2d_forward", "global_max_pool2d_forward"):
        attributes = {"window": PAD, "image": (9, 8)} if kernel[0] == "m" else {"image": (9, 8)}
        out = native.KERNELS[kernel](x, **attributes)
        want = reference.KERNELS[kernel](x, **attributes)
        assert len(np.unique(want[1])) > 3
        for a, b in zip(out, want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_window_of_minus_infinity_has_an_argmax_inside_the_image():
    x = np.full((1, 3, 3, 1), -np.inf, np.float32)
    attributes = pool((3, 3), 3, 2, "same")
    _, argmax = native.KERNELS["max_pool2d_forward"](x, **attributes)
    dy = np.ones(argmax.shape, np.float32)
    (dx,) = native.KERNELS["max_pool2d_backward"](dy, argmax, **attributes)
    assert dx.sum() == dy.sum()


@pytest.mark.parametrize("name", ["sparse_categorical", "softmax_sparse_categorical"])
def test_an_invalid_label_gives_nan_and_no_gradient(name):
    p = np.full((4, 3), 1 / 3, np.float32)
    labels = np.array([-1, 3, 2**31 - 1, 1], np.int32)
    loss = native.KERNELS[f"{name}_crossentropy_forward"](p, labels, label_smoothing=0.1)[0]
    assert np.isnan(loss).tolist() == [True, True, True, False]
    dloss = np.ones(4, np.float32)
    (dp,) = native.KERNELS[f"{name}_crossentropy_backward"](dloss, p, labels, label_smoothing=0.1)
    assert dp.any(1).tolist() == [False, False, False, True]


def test_clipped_probabilities():
    p = np.array([[0, 1, 0], [1, 0, 0], [1e-8, 0.5, 0.5], [0, 0, 0]], np.float32)
    known = {"y_pred": p, "y_true": np.eye(3, dtype=np.float32)[[1, 1, 0, 2]]}
    known["dloss"] = np.ones(4, np.float32)
    for name in ("categorical_crossentropy", "binary_crossentropy"):
        for kernel in (f"{name}_forward", f"{name}_backward"):
            (out,) = run(native.KERNELS, kernel, known, {"label_smoothing": 0.0})
            (want,) = run(reference.KERNELS, kernel, known, {"label_smoothing": 0.0})
            np.testing.assert_allclose(out, want, rtol=1e-5, err_msg=kernel)


def test_clipping_below_the_limit_changes_no_bit_and_nan_spreads():
    dw = np.random.default_rng(8).standard_normal(20_000).astype(np.float32)
    (same,) = native.KERNELS["clip_by_norm"](dw, limit=1e6)
    assert same.tobytes() == dw.tobytes()
    (short,) = native.KERNELS["clip_by_norm"](dw, limit=1.0)
    np.testing.assert_allclose(np.linalg.norm(short.astype(np.float64)), 1.0, rtol=1e-6)
    dw[17] = np.nan
    assert np.isnan(native.KERNELS["clip_by_norm"](dw, limit=1.0)[0]).all()
    assert np.isnan(native.KERNELS["clip_by_value"](dw, limit=1.0)[0]).sum() == 1
