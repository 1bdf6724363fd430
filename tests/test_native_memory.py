"""A wrong call of a native kernel is an error; it reads and writes no other memory."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import COMPILED as CASES
from test_contracts import OTHERS, calls, other_arrays
from test_native_kernels import native, run

from minicnn.contracts import CONTRACTS, Spec

core = pytest.importorskip("minicnn._core")

KERNEL_CALLS = [
    pytest.param(kernel, known, dict(case.attributes), id=f"{name}: {kernel}")
    for name, case in CASES.items()
    for kernel, known in calls(case, np.float32)
] + [
    pytest.param(kernel, other_arrays(kernel, absent, np.float32), attributes, id=name)
    for name, (kernel, absent, attributes) in OTHERS.items()
]
# (kernel, array) whose shape, or length on some axis, need not match any other array.
FREE = {
    ("bias_backward_bias", "dy"),
    ("dropout_mask_forward", "y"),
    ("random_normal_forward", "y"),
    ("resample_backward", "dx"),
    ("resample_forward", "x"),
    ("sparse_categorical_crossentropy_forward", "y_pred"),
    ("squared_norm_add", "dw"),
    ("squared_norm_start", "dw"),
    ("scale_channels_forward", "s"),  # a single row of factors is for all images
}


def arrays_of(kernel, known, attributes):
    """Return reads and writes; writes hold NaN or 77, those in `updates` what is read."""
    contract = CONTRACTS[kernel]
    reads = [known.get(name.rstrip("?")) for name in contract.reads]
    specs = [None if a is None else Spec(a.shape, str(a.dtype)) for a in reads]
    writes = []
    for name, spec in zip(contract.writes, contract.specs(*specs, **attributes), strict=True):
        if spec is None:
            writes.append(None)
        elif name in contract.updates:
            writes.append(known[name].copy())
        else:
            fill = np.nan if spec.dtype.startswith("float") else 77
            writes.append(np.full(spec.shape, fill, spec.dtype))
    return reads, writes


@pytest.mark.parametrize(("kernel", "known", "attributes"), KERNEL_CALLS)
def test_an_array_of_another_size_is_refused(kernel, known, attributes):
    reads, writes = arrays_of(kernel, known, attributes)
    names = [*CONTRACTS[kernel].reads, *CONTRACTS[kernel].writes]
    arrays = [*reads, *writes]
    for i, (name, array) in enumerate(zip(names, arrays, strict=True)):
        if array is None or (kernel, name) in FREE:
            continue
        for wrong in shapes_near(array.shape):
            changed = list(arrays)
            changed[i] = np.zeros(wrong, array.dtype)
            with pytest.raises(ValueError, match=kernel):
                core.run(kernel, changed[: len(reads)], changed[len(reads) :], attributes)


def shapes_near(shape):
    for axis, length in enumerate(shape):
        for other in (length + 1, length - 1):
            yield (*shape[:axis], other, *shape[axis + 1 :])
    yield (*shape, 1, 1, 1)


@pytest.mark.parametrize(("kernel", "known", "attributes"), KERNEL_CALLS)
def test_an_array_of_another_dtype_is_refused(kernel, known, attributes):
    reads, writes = arrays_of(kernel, known, attributes)
    arrays = [*reads, *writes]
    for i, array in enumerate(arrays):
        if array is None:
            continue
        changed = list(arrays)
        changed[i] = np.zeros(array.shape, np.int16)
        with pytest.raises((TypeError, ValueError), match=kernel):
            core.run(kernel, changed[: len(reads)], changed[len(reads) :], attributes)


@pytest.mark.parametrize(("kernel", "known", "attributes"), KERNEL_CALLS)
def test_missing_arrays_are_refused(kernel, known, attributes):
    reads, writes = arrays_of(kernel, known, attributes)
    with pytest.raises(ValueError, match=kernel):
        core.run(kernel, [None] * len(reads), writes, attributes)
    with pytest.raises(ValueError, match=kernel):
        core.run(kernel, [], [], attributes)


WINDOWS = {
    "padding only, before": ((2, 2), (1, 1), (1, 1), (2, 0), (0, 0)),
    "padding only, after": ((2, 2), (1, 1), (1, 1), (0, 0), (0, 2)),
    "dilated": ((2, 2), (1, 1), (2, 2), (0, 0), (0, 0)),
    "larger than the image": ((9, 9), (1, 1), (1, 1), (0, 0), (0, 0)),
    "argmax beyond int32": ((2**16, 2**16), (1, 1), (1, 1), (2**16 - 1, 0), (2**16 - 1, 0)),
    "stride 0": ((2, 2), (0, 1), (1, 1), (0, 0), (0, 0)),
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("name", ["max_pool2d", "average_pool2d"])
def test_windows_that_do_not_fit_a_pooling_are_refused(name, window):
    x = np.zeros((1, 4, 5, 3), np.float32)
    writes = [np.zeros((1, 4, 5, 3), np.float32), np.zeros((1, 4, 5, 3), np.int32)]
    with pytest.raises(ValueError, match=f"{name}_forward: .*window"):
        core.run(f"{name}_forward", [x], writes, {"window": window, "image": (4, 5)})


def test_an_argmax_outside_the_image_is_ignored():
    attributes = dict(CASES["max_pool2d, overlap"].attributes)
    dy = np.ones((2, 3, 3, 3), np.float32)
    for argmax in (-1, 9, 2**31 - 1, -(2**31)):
        (dx,) = native.KERNELS["max_pool2d_backward"](
            dy, np.full(dy.shape, argmax, np.int32), **attributes
        )
        assert not dx.any()
        (dx,) = native.KERNELS["global_max_pool2d_backward"](
            dy[:, 0, 0], np.full((2, 3), argmax, np.int32), image=(3, 3)
        )
        assert dx.any() == (argmax == 9 - 1)


NUMBERS = {
    "rate of 1": ("dropout", {"rate": 1.0}),
    "no number as rate": ("dropout", {"rate": float("nan")}),
    "negative purpose": ("dropout", {"purpose": -1}),
    "no neighbors": ("local_response_norm", {"size": 0}),
    "the batch as axis": ("concatenate channels", {"axis": 0}),
    "an axis too many": ("concatenate channels", {"axis": 4}),
    "negative padding": ("zero_pad2d", {"pad_h": (-1, 4)}),
}


@pytest.mark.parametrize(("case", "wrong"), NUMBERS.values(), ids=NUMBERS)
def test_attributes_that_would_break_a_kernel_are_refused(case, wrong):
    attributes = dict(CASES[case].attributes)
    kernel, known = calls(CASES[case], np.float32)[0]
    reads, writes = arrays_of(kernel, known, attributes)
    with pytest.raises(ValueError, match=kernel):
        core.run(kernel, reads, writes, attributes | wrong)


def unaligned(a):
    return np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape)


LAYOUTS = {
    "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
    "every other": lambda a: np.repeat(a, 2, axis=0)[::2],
    "Fortran order": np.asfortranarray,
    "foreign byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": lambda a: (
        np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape)
    ),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "float64": lambda a: a.astype(np.float64) if a.dtype == np.float32 else a,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_table_takes_arrays_of_any_layout(layout):
    for case in CASES.values():
        for kernel, known in calls(case, np.float32):
            others = {
                name: layout(a) if a is not None and a.ndim else a for name, a in known.items()
            }
            out = run(native.KERNELS, kernel, others, case.attributes)
            want = run(native.KERNELS, kernel, known, case.attributes)
            for a, b in zip(out, want, strict=True):
                assert a.tobytes() == b.tobytes(), kernel
