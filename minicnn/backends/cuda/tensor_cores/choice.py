"""When tensor cores are used: TF32 is chosen, the GPU has it, and the shape is worth it."""

from __future__ import annotations

from math import prod
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.launch import MAX_ELEMENTS, KernelFactory, KernelPlan
from minicnn.backends.cuda.tensor_cores import conv2d, dense, mma
from minicnn.backends.kernel_tables import named_in_contracts
from minicnn.backends.settings import precision
from minicnn.contracts import CONTRACTS, Spec

MIN_CAPABILITY = (8, 0)  # the first with TF32
# With fewer multiplications, or fewer columns of the result, most of a tensor core's work would be
# wasted. Estimates, not measured on a GPU (2026-11).
MIN_PRODUCTS = 2**20
MIN_COLUMNS = 8


KERNEL_FACTORIES: dict[str, KernelFactory] = named_in_contracts(conv2d) | named_in_contracts(dense)


def capability() -> tuple[int, int]:
    """Return the GPU's compute capability, (major, minor)."""
    major, minor = cuda.get_current_device().compute_capability
    return major, minor


def preferred(factories: dict[str, KernelFactory]) -> dict[str, KernelFactory]:
    """Return the factories; those of matrix products use the tensor cores where they fit."""
    return {
        name: _preferring(name, KERNEL_FACTORIES[name], factory)
        if name in KERNEL_FACTORIES
        else factory
        for name, factory in factories.items()
    }


def _preferring(name: str, special: KernelFactory, general: KernelFactory) -> KernelFactory:
    def make(*specs: Spec | None, **attributes: Any) -> KernelPlan:
        chosen = special if fits(name, *specs, **attributes) else general
        return chosen(*specs, **attributes)

    return make


def fits(name: str, *specs: Spec | None, **attributes: Any) -> bool:
    """Return whether kernel `name` uses the tensor cores for these arrays, on this GPU and now."""
    wanted = name in KERNEL_FACTORIES and precision.get() == "tf32" and not mma.missing()
    return wanted and capability() >= MIN_CAPABILITY and shape_fits(name, *specs, **attributes)


def shape_fits(name: str, *specs: Spec | None, **attributes: Any) -> bool:
    """Return whether the factories can handle the shapes, and they are large enough."""
    contract = CONTRACTS[name]
    names = [name.rstrip("?") for name in contract.reads]
    arrays: dict[str, Any] = dict(zip(names, specs, strict=True))
    written = contract.specs(*specs, **attributes)
    arrays |= dict(zip(contract.writes, written, strict=True))
    if any(spec is not None and prod(spec.shape) >= MAX_ELEMENTS // 2 for spec in arrays.values()):
        return False  # indices are signed 32-bit integers
    if not _window_fits(name, **attributes):
        return False
    weights = arrays.get("w") or arrays["dw"]
    columns = weights.shape[-2] if "backward_input" in name else weights.shape[-1]
    return columns >= MIN_COLUMNS and _products(arrays, weights, attributes) >= MIN_PRODUCTS


def _window_fits(name: str, **attributes: Any) -> bool:
    """Return whether there is one group, stride 1 for dx, and only whole, separate pooling windows.

    Forward, the pooling windows must be 2x2.
    """
    window, pool = attributes.get("window"), attributes.get("pool")
    if attributes.get("groups", 1) != 1:
        return False
    if "backward_input" in name and window is not None and window.stride != (1, 1):
        return False
    if pool is None:
        return True
    whole = pool.stride == pool.size and pool.pad_h == pool.pad_w == (0, 0)
    return whole and (pool.size == (2, 2) or "forward" not in name)


def _products(arrays: dict[str, Any], weights: Spec, attributes: dict[str, Any]) -> int:
    """Return the number of multiplications: all weights for each output pixel."""
    window = attributes.get("window")
    pixels = prod(window.out_hw(attributes["image"])) if window else 1
    images = next(arrays[name] for name in ("x", "dy") if name in arrays)
    rows = images.shape[0] if window else prod(images.shape[:-1])
    return rows * pixels * prod(weights.shape)
