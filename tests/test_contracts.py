"""The contracts against what the reference really does, for every kernel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gradcheck import backward_kernels, everything, run
from kernel_cases import CASES, conv_pool, of_any_batch

from minicnn.backends.numpy import KERNELS
from minicnn.contracts import CONTRACTS, Spec

SGD = {"weight_decay": 0.1, "decoupled": False, "multiplier": 2.0}

BETAS = SGD | {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
UPDATES = {
    "adadelta_update": SGD | {"rho": 0.95, "epsilon": 1e-7},
    "adamax_update": BETAS,
    "amsgrad_update": BETAS,
    "ftrl_update": SGD | {"l1": 0.1, "l2": 0.2, "shrinkage": 0.3, "beta": 0.4},
    "lion_update": SGD | {"beta_1": 0.9, "beta_2": 0.99},
    "nadam_update": BETAS,
}
# Kernels that are no operation with a gradient: (kernel, names of reads that are None, attributes).
OTHERS = {
    "assign": ("assign", (), {}),
    "sgd": ("sgd_update", (), SGD | {"momentum": 0.9, "nesterov": True}),
    "sgd without velocity": ("sgd_update", ("velocity",), SGD | {"momentum": 0, "nesterov": False}),
    "adam": ("adam_update", (), SGD | {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
    "rmsprop": (
        "rmsprop_update",
        (),
        SGD | {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-2, "centered": True},
    ),
    "rmsprop, plain": (
        "rmsprop_update",
        ("velocity", "mean"),
        SGD | {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-2, "centered": False},
    ),
    "adagrad": ("adagrad_update", (), SGD | {"epsilon": 1e-7}),
    "dense and adagrad": ("dense_adagrad_update", (), SGD | {"epsilon": 1e-7}),
    "dense and sgd": ("dense_sgd_update", (), SGD | {"momentum": 0.9, "nesterov": False}),
    "dense and adam": (
        "dense_adam_update",
        (),
        SGD | {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    ),
    "dense and rmsprop": (
        "dense_rmsprop_update",
        ("mean",),
        SGD | {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-2, "centered": False},
    ),
    "batch norm after a convolution": ("fold_batch_norm_after_conv2d", (), {"epsilon": 1e-3}),
    "batch norm after a convolution without bias": (
        "fold_batch_norm_after_conv2d",
        ("b",),
        {"epsilon": 1e-3},
    ),
    "batch norm before a convolution": ("fold_batch_norm_before_conv2d", (), {"epsilon": 1e-3}),
    "batch norm before a convolution without bias": (
        "fold_batch_norm_before_conv2d",
        ("b",),
        {"epsilon": 1e-3},
    ),
    "conv2d_max_pool2d with moments": (
        "conv2d_max_pool2d_moments_forward",
        (),
        conv_pool("relu", (8, 9)),
    ),
    **{name: (name, (), attributes) for name, attributes in UPDATES.items()},
    **{f"dense_{name}": (f"dense_{name}", (), UPDATES[name]) for name in UPDATES},
    "add_gradient": ("add_gradient", (), {}),
    "mean_gradient": ("mean_gradient", (), {"batches": 3}),
    "moving_average": ("moving_average", (), {"momentum": 0.9}),
    "clip_by_value": ("clip_by_value", (), {"limit": 0.5}),
    "clip_by_norm": ("clip_by_norm", (), {"limit": 0.5}),
    "squared_norm_start": ("squared_norm_start", (), {}),
    "squared_norm_add": ("squared_norm_add", (), {}),
    "clip_by_global_norm": ("clip_by_global_norm", (), {"limit": 0.5}),
    "augment": (
        "augment_forward",
        (),
        {"fill_mode": "reflect", "interpolation": "bilinear", "cval": 0.0, "scale": 0.5},
    ),
    "adjust_colors": ("adjust_colors_forward", (), {"about_mean": True, "low": 0.4, "high": 0.9}),
    "adjust_colors, gray": (
        "adjust_colors_forward",
        (),
        {"about_mean": False, "low": -math.inf, "high": math.inf},
    ),
    "dropout_mask": (
        "dropout_mask_forward",
        (),
        {"shape": (3, 2, 5, 4), "drawn": (3, 1, 1, 4), "rate": 0.3, "purpose": 7},
    ),
    "dropout_mask of samples": (
        "dropout_mask_forward",
        (),
        {"shape": (7, 5), "drawn": (7, 1), "rate": 0.5, "purpose": 7},
    ),
    "random_normal": (
        "random_normal_forward",
        (),
        {"shape": (3, 5, 7), "mean": 1.0, "stddev": 0.5, "purpose": 7},
    ),
    "cast": ("cast_forward", (), {"dtype": "int32"}),
    "ceil": ("ceil_forward", (), {}),
    "compare": ("compare_forward", (), {"function": "less"}),
    "floor": ("floor_forward", (), {}),
    "round": ("round_forward", (), {}),
    "sign": ("sign_forward", (), {}),
    "stop_gradient": ("stop_gradient_forward", (), {}),
}
# Those without a gradient that only the reference has.
ON_HOST = {
    "argmax": ("argmax_forward", (), {"axis": 1, "keepdims": False}),
    "argmin": ("argmin_forward", (), {"axis": 0, "keepdims": True}),
    "elementwise": ("elementwise_forward", (), {"function": "logical_and"}),
    "elementwise, of one array": ("elementwise_forward", ("b",), {"function": "isfinite"}),
    "one_hot": ("one_hot_forward", (), {"classes": 3}),
    "random_levels": (
        "random_levels_forward",
        (),
        {"count": 3, "kind": "invert", "bounds": ((0.1, 0.9), 255.0), "purpose": 1},
    ),
    "random_matrix": (
        "random_matrix_forward",
        (),
        {"count": 3, "kind": "crop", "size": (4, 5), "bounds": (2, 3), "purpose": 1},
    ),
    "seeded_key": ("seeded_key_forward", (), {"seed": 2**40 + 3}),
    "rotation_matrix": (
        "rotation_matrix_forward",
        (),
        {"count": 3, "size": (4, 5), "bounds": (-0.1, 0.2), "purpose": 1, "seed": None},
    ),
}
PER_SAMPLE = {"x", "y_pred", "y_true", "logits", "a"}


def as_dtype(arrays, dtype):
    """Return the arrays, those of floats in `dtype`; labels and RNG keys are unchanged."""
    return {
        name: a.astype(dtype) if a is not None and a.dtype == np.float64 else a
        for name, a in arrays.items()
    }


def calls(case, dtype, *, samples=None):
    """(kernel, all arrays by name) for a case's forward kernel and its backward ones."""
    rng = np.random.default_rng(1)
    arrays = as_dtype(case.draw(rng), dtype)
    per_sample = PER_SAMPLE | ({"b"} if "a" in arrays else set())
    if samples is not None:
        arrays = {k: a[:samples] if k in per_sample else a for k, a in arrays.items()}
    known = everything(case.operation, arrays, case.attributes, rng)
    known |= {k: arrays[k] for k in ("moving_mean", "moving_variance") if k in arrays}
    return [(k, known) for k in (f"{case.operation}_forward", *backward_kernels(case.operation))]


def other_arrays(kernel, absent, dtype):
    rng = np.random.default_rng(2)
    reads = [name.rstrip("?") for name in CONTRACTS[kernel].reads]
    arrays = {name: rng.uniform(0.5, 1, (3, 4)).astype(dtype) for name in reads}
    rates = [0.1, 0.2, 0.3, 0.4] if "nadam" in kernel else [0.1, 0.2]
    arrays |= {"rates": np.array(rates, np.float32), "total": np.array([2.0])}
    arrays["rng_key"] = np.array([1, 2, 3, 4], np.uint32)
    shapes = {"dy": (5, 4), "x": (5, 3)}  # of a dense layer with the weights above
    if kernel.startswith("fold"):
        channels = 4 if "after" in kernel else 3
        shapes = dict.fromkeys(reads, (channels,)) | {"w": (2, 3, 3, 4), "b": (4,)}
    if kernel.startswith("conv2d"):
        shapes = {"x": (2, 8, 9, 2), "w": (3, 3, 2, 3), "b": (3,)}
    if kernel == "adjust_colors_forward":
        shapes = {"x": (2, 3, 4, 3), "levels": (2, 3)}
    if kernel == "augment_forward":
        shapes = {"x": (2, 3, 4, 2), "matrix": (2, 6)}
    arrays |= {name: rng.uniform(0.5, 1, shape).astype(dtype) for name, shape in shapes.items()}
    if kernel == "one_hot_forward":
        arrays["x"] = np.array([2, 0, 1, 2], np.int32)
    return {name: None if name in absent else arrays[name] for name in reads}


def assert_keeps_the_contract(kernel, arrays, attributes, dtype):
    contract = CONTRACTS[kernel]
    reads = [arrays.get(name.rstrip("?")) for name in contract.reads]
    before = [None if a is None else a.copy() for a in reads]
    specs = [None if a is None else Spec(a.shape, str(a.dtype)) for a in reads]
    promised = contract.specs(*specs, **attributes)
    written = run(kernel, arrays, attributes)

    assert len(promised) == len(contract.writes)
    for (name, out), spec in zip(written.items(), promised, strict=True):
        if spec is None:
            assert out is None, name
            continue
        # The contract speaks for float32; the reference answers in the dtype that it was given.
        given = any(a is not None and a.dtype.kind == "f" for a in reads)
        follows = spec.dtype == "float32" and given
        want = dtype if follows else spec.dtype
        assert (out.shape, out.dtype) == (tuple(spec.shape), want), name
        assert not any(np.shares_memory(out, a) for a in reads if a is not None), name
    for a, copy in zip(reads, before, strict=True):
        np.testing.assert_array_equal(a, copy)


def test_the_reference_has_exactly_the_kernels_of_the_contracts():
    assert KERNELS.keys() == CONTRACTS.keys()


def test_every_kernel_is_tried_here():
    tried = {kernel for kernel, _, _ in (*OTHERS.values(), *ON_HOST.values())}
    for case in CASES.values():
        tried |= {f"{case.operation}_forward", *backward_kernels(case.operation)}
    assert tried == CONTRACTS.keys()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_shapes_dtypes_and_purity(case, dtype):
    for kernel, known in calls(case, dtype):
        assert_keeps_the_contract(kernel, known, case.attributes, np.dtype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kernel", "absent", "attributes"), (OTHERS | ON_HOST).values(), ids=(OTHERS | ON_HOST).keys()
)
def test_shapes_dtypes_and_purity_of_the_others(kernel, absent, attributes, dtype):
    arrays = other_arrays(kernel, absent, dtype)
    assert_keeps_the_contract(kernel, arrays, attributes, np.dtype(dtype))


@pytest.mark.parametrize("case", of_any_batch(CASES).values(), ids=of_any_batch(CASES))
def test_an_empty_batch_gives_empty_results_and_zero_gradients(case):
    for kernel, known in calls(case, np.float32, samples=0):
        assert_keeps_the_contract(kernel, known, case.attributes, np.dtype(np.float32))
        for name, out in run(kernel, known, case.attributes).items():
            if "_backward" in kernel:
                assert not out.any(), name  # true of an empty array, too


def test_pixels_become_float32():
    x = np.arange(6, dtype=np.uint8).reshape(1, 6)
    (y,) = KERNELS["rescale_forward"](x, scale=0.5, offset=1.0)
    (promised,) = CONTRACTS["rescale_forward"].specs(Spec(x.shape, "uint8"), scale=0.5, offset=1.0)
    assert promised == Spec(y.shape, str(y.dtype)) == Spec((1, 6), "float32")
    assert y.tolist() == [[1, 1.5, 2, 2.5, 3, 3.5]]


@pytest.mark.parametrize("kernel", [name for name in CONTRACTS if "_backward" in name])
def test_names_tie_backward_kernels_to_their_forward(kernel):
    forward = CONTRACTS[f"{kernel.partition('_backward')[0]}_forward"]
    arrays = {name.rstrip("?") for name in (*forward.reads, *forward.writes)}
    contract = CONTRACTS[kernel]
    assert set(contract.reads) <= arrays | {f"d{forward.writes[0]}"}
    assert {name.removeprefix("d") for name in contract.writes} <= arrays | {
        "b",
        "z",
    }  # x = relu(z)


@pytest.mark.parametrize("kernel", CONTRACTS)
def test_updates_are_reads_and_writes(kernel):
    contract = CONTRACTS[kernel]
    reads = {name.rstrip("?") for name in contract.reads}
    assert set(contract.updates) == reads & set(contract.writes)
