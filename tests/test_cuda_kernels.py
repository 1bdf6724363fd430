"""Every CUDA kernel against the reference, on the same small cases as the other engines.

Without a GPU, numba's simulator runs the same code, with one thread of the operating system per
CUDA thread.
"""

from __future__ import annotations

import inspect
import sys

import numpy as np
import pytest
from kernel_cases import COMPILED, of_any_batch
from test_contracts import OTHERS, as_dtype, calls, other_arrays

from minicnn.backends import device
from minicnn.backends import numpy as reference
from minicnn.contracts import CONTRACTS
from minicnn.tensor_contracts import TENSOR_CONTRACTS

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from minicnn.backends.cuda import KERNELS
from minicnn.backends.cuda.runtime.kernel_cache import MAX_KERNELS
from minicnn.backends.cuda.runtime.step_kernels import keep_kernel

# Simulated threads compute with NumPy's scalars, which warn about overflow and NaN.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# No sums and no transcendental functions: the results are the reference's, bit for bit.
EXACT = {
    "adadelta_update", "adagrad_update", "adamax_update", "add_gradient", "amsgrad_update",
    "ftrl_update", "lion_update", "mean_gradient", "moving_average", "nadam_update",
    "adam_update", "add_forward", "add_backward", "assign", "bias_forward", "bias_backward_input",
    "clip_by_value", "concatenate_forward", "concatenate_backward",
    "global_max_pool2d_forward", "global_max_pool2d_backward", "max_pool2d_forward",
    "crop2d_forward", "crop2d_backward",
    "multiply_forward", "multiply_backward", "relu_forward", "relu_backward", "relu6_forward",
    "relu6_backward", "reshape_forward", "reshape_backward", "rmsprop_update", "sgd_update",
    "zero_pad2d_forward", "zero_pad2d_backward",
}  # fmt: skip

CASES = {n: case for n, case in COMPILED.items() if f"{case.operation}_forward" in KERNELS}
ON_DEVICE = {name: case for name, case in OTHERS.items() if case[0] in KERNELS}


def run(table, kernel, known, attributes):
    reads = [known.get(name.rstrip("?")) for name in CONTRACTS[kernel].reads]
    return table[kernel](*reads, **attributes)


def assert_agrees(kernel, known, attributes):
    """Compare a kernel on float32 arrays with the reference, in float64 where sums round."""
    outs = run(KERNELS, kernel, known, attributes)
    dtype = np.float32 if kernel in EXACT else np.float64
    exact = {
        name: a.astype(dtype) if a is not None and a.dtype == np.float32 else a
        for name, a in known.items()
    }
    wanted = run(reference.KERNELS, kernel, as_dtype(exact, dtype), attributes)
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


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_the_reference(case):
    for kernel, known in calls(case, np.float32):
        assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("case", of_any_batch(CASES).values(), ids=of_any_batch(CASES))
def test_an_empty_batch_is_no_special_case(case):
    for kernel, known in calls(case, np.float32, samples=0):
        assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize(("kernel", "absent", "attributes"), ON_DEVICE.values(), ids=ON_DEVICE)
def test_the_others_agree(kernel, absent, attributes):
    known = other_arrays(kernel, absent, np.float32)
    before = {name: None if a is None else a.copy() for name, a in known.items()}
    assert_agrees(kernel, known, attributes)
    for name, a in known.items():
        np.testing.assert_array_equal(a, before[name])  # kernels change no input


def test_all_kernels_are_there():
    on_device = {name for name, contract in CONTRACTS.items() if not contract.on_host}
    assert KERNELS.keys() == on_device - TENSOR_CONTRACTS.keys()


def test_many_shapes_leave_a_bounded_number_of_kernels():
    """Each batch size has its own kernels; the ones used last are cached."""
    modules = [m for name, m in sys.modules.items() if name.startswith("minicnn.backends.cuda.")]
    factories = [f for m in modules for f in vars(m).values() if hasattr(f, "cache_info")]
    of_shapes = [f for f in factories if inspect.signature(f.__wrapped__).parameters]
    assert len(of_shapes) > 50
    assert {f.cache_info().maxsize for f in of_shapes} == {MAX_KERNELS}
    for count in range(1, MAX_KERNELS + 50):
        keep_kernel(count, 10 * count)
    assert keep_kernel.cache_info().currsize == MAX_KERNELS
