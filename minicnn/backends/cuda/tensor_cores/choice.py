"""When the tensor cores are used: the process must want TF32, the GPU have it, the shape gain."""

from __future__ import annotations

from math import prod
from typing import Any

from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.launch import MAX_ELEMENTS, KernelFactory, KernelPlan
from minicnn.backends.cuda.tensor_cores import conv2d, dense, mma
from minicnn.backends.kernel_tables import named_in_contracts
from minicnn.backends.settings import precision
from minicnn.contracts import CONTRACTS, Spec

MIN_CAPABILITY = (8, 0)  # TF32 came with it
# Below this many products in all, or columns of the result, they would wait for each other or work
# for nothing. Estimates, not measured on a GPU (2026-11).
MIN_PRODUCTS = 2**20
MIN_COLUMNS = 8


KERNEL_FACTORIES: dict[str, KernelFactory] = named_in_contracts(conv2d) | named_in_contracts(dense)


def capability() -> tuple[int, int]:
    """The GPU's compute capability, (major, minor)."""
    major, minor = cuda.get_current_device().compute_capability
    return major, minor


def preferred(makers: dict[str, KernelFactory]) -> dict[str, KernelFactory]:
    """The makers, those of products with one in front that uses the tensor cores if it fits."""
    return {
        name: _preferring(name, KERNEL_FACTORIES[name], maker)
        if name in KERNEL_FACTORIES
        else maker
        for name, maker in makers.items()
    }


def _preferring(name: str, special: KernelFactory, maker: KernelFactory) -> KernelFactory:
    def make(*specs: Spec | None, **attributes: Any) -> KernelPlan:
        chosen = special if fits(name, *specs, **attributes) else maker
        return chosen(*specs, **attributes)

    return make


def fits(name: str, *specs: Spec | None, **attributes: Any) -> bool:
    """Is kernel `name` for these arrays made for the tensor cores here and now?"""
    wanted = name in KERNEL_FACTORIES and precision.get() == "tf32" and not mma.missing()
    return wanted and capability() >= MIN_CAPABILITY and shape_fits(name, *specs, **attributes)


def shape_fits(name: str, *specs: Spec | None, **attributes: Any) -> bool:
    """Do the makers know such a shape, and does it gain?"""
    contract = CONTRACTS[name]
    names = [name.rstrip("?") for name in contract.reads]
    arrays: dict[str, Any] = dict(zip(names, specs, strict=True))
    written = contract.specs(*specs, **attributes)
    arrays |= dict(zip(contract.writes, written, strict=True))
    if any(spec is not None and prod(spec.shape) >= MAX_ELEMENTS // 2 for spec in arrays.values()):
        return False  # places are counted in 32 bits, and one for the sign
    if not _window_fits(name, **attributes):
        return False
    weights = arrays.get("w") or arrays["dw"]
    columns = weights.shape[-2] if "backward_input" in name else weights.shape[-1]
    return columns >= MIN_COLUMNS and _products(arrays, weights, attributes) >= MIN_PRODUCTS


def _window_fits(name: str, **attributes: Any) -> bool:
    """One group; for dx stride 1; a pooling of whole windows that do not overlap, 2x2 forward."""
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
    """All weights, for each output pixel."""
    window = attributes.get("window")
    pixels = prod(window.out_hw(attributes["image"])) if window else 1
    images = next(arrays[name].shape[0] for name in ("x", "dy") if name in arrays)
    return images * pixels * prod(weights.shape)
