"""Checks gradients against central differences, in one random direction per array.

The contracts connect names: a backward kernel reads what its forward kernel read or wrote, and
`d` + name is the gradient of the array of that name. So the checks work for any operation.
"""

from __future__ import annotations

import numpy as np

from minicnn.backends.numpy import KERNELS
from minicnn.contracts import CONTRACTS


def run(kernel, arrays, attributes):
    """Run a kernel and return its results by name; `arrays` holds at least its inputs."""
    contract = CONTRACTS[kernel]
    reads = [arrays.get(name.rstrip("?")) for name in contract.reads]
    outs = KERNELS[kernel](*reads, **attributes)
    assert isinstance(outs, tuple)
    return dict(zip(contract.writes, outs, strict=True))


def backward_kernels(operation):
    """The names of the operation's gradient kernels."""
    return [name for name in CONTRACTS if name.startswith(f"{operation}_backward")]


def result_name(operation):
    """The name of the operation's result: "y" or "loss"."""
    return CONTRACTS[f"{operation}_forward"].writes[0]


def result(operation, arrays, attributes):
    return run(f"{operation}_forward", arrays, attributes)[result_name(operation)]


def everything(operation, arrays, attributes, rng):
    """The arrays of a forward pass and a random gradient of its result, all by name."""
    known = arrays | run(f"{operation}_forward", arrays, attributes)
    y = known[result_name(operation)]
    known[f"d{result_name(operation)}"] = rng.standard_normal(y.shape).astype(y.dtype)
    return known


def gradients(operation, arrays, dy, attributes):
    """All gradients of <dy, result> by name: "dx", "dw" and so on."""
    known = arrays | run(f"{operation}_forward", arrays, attributes)
    known[f"d{result_name(operation)}"] = dy
    found = {}
    for kernel in backward_kernels(operation):
        found |= run(kernel, known, attributes)
    return found


def assert_adjoint(operation, arrays, by, attributes, rng, rtol=1e-12):
    """<A v, dy> = <v, A' dy> for what is linear (or affine) in the array named `by`."""
    v = arrays[by]
    linear_part = result(operation, arrays, attributes) - result(
        operation, arrays | {by: np.zeros_like(v)}, attributes
    )
    # dy leans toward A v, so that the products do not cancel and rtol means something.
    dy = linear_part + 0.5 * linear_part.std() * rng.standard_normal(linear_part.shape)
    gradient = gradients(operation, arrays, dy, attributes)[f"d{by}"]
    assert gradient.shape == v.shape
    np.testing.assert_allclose(np.vdot(v, gradient), np.vdot(linear_part, dy), rtol=rtol)


def assert_gradient(operation, arrays, by, attributes, rng, h=1e-3, rtol=1e-7):
    """<gradient, v> is the derivative along v, from differences with steps h and h / 2."""
    dy = rng.standard_normal(result(operation, arrays, attributes).shape)
    gradient = gradients(operation, arrays, dy, attributes)[f"d{by}"]
    assert gradient.shape == arrays[by].shape
    # v leans toward the gradient, so that the derivative is not small by chance.
    v = rng.uniform(-1, 1, gradient.shape) + np.sign(gradient)

    def slope(step):
        ahead, behind = (
            result(operation, arrays | {by: arrays[by] + s * v}, attributes) for s in (step, -step)
        )
        return np.vdot(dy, ahead - behind) / (2 * step)

    numeric = (4 * slope(h / 2) - slope(h)) / 3  # Richardson: the error of order h^2 is gone
    np.testing.assert_allclose(np.vdot(gradient, v), numeric, rtol=rtol)
