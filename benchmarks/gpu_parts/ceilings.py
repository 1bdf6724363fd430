"""The GPU's peak performance, and what this engine's products reach of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import minicnn as mc
from gpu_parts.clock import seconds_each
from gpu_parts.options import Item, Options
from minicnn.backends.cuda.kernels import KERNEL_FACTORIES
from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.graph import Recorded
from minicnn.backends.cuda.runtime.launch import HALTED
from minicnn.backends.cuda.runtime.memory import allocate, new_stream
from minicnn.contracts import CONTRACTS, Spec

try:
    import torch
except ImportError:
    torch = None

COPIED_BYTES = 2**29  # more than any cache
SIZE = 4096  # rows and columns of the square matrices
CONVOLUTIONS = {  # images, side, channels, filters, kernel: the middle of scene and photo
    "scene3": (32, 36, 64, 128, 3),
    "photo4": (32, 73, 128, 128, 3),
}


def items(_options: Options) -> list[Item]:
    """Return a copy, matrix products and convolutions; then the same with PyTorch, if installed."""
    found = [Item("copy", copy)]
    for precision in ("float32", "tf32"):
        found.append(Item(f"matrix product, {precision}", partial(product, precision)))
        found += [
            Item(f"convolution {name}, {precision}", partial(convolution, name, precision))
            for name in CONVOLUTIONS
        ]
    if torch is not None:
        found.append(Item("copy, torch", torch_copy))
        for tf32 in (False, True):
            name = "tf32" if tf32 else "float32"
            found.append(Item(f"matrix product, {name}, torch", partial(torch_product, tf32)))
            found += [
                Item(f"convolution {shape}, {name}, torch", partial(torch_convolution, shape, tf32))
                for shape in CONVOLUTIONS
            ]
    return found


def copy() -> dict[str, Any]:
    """Measure the driver's copy in GB/s: bytes read plus bytes written."""
    source, target = (allocate(Spec((COPIED_BYTES,), "uint8"), "a copy") for _ in range(2))
    found = seconds_each(partial(target.copy_to_device, source), cuda.synchronize)
    return {"gbytes_per_second": 2 * COPIED_BYTES / found["seconds"] / 1e9}


def product(precision: str) -> dict[str, Any]:
    """Measure `dense_forward` in TFLOP/s."""
    square = Spec((SIZE, SIZE))
    return _tflops(precision, "dense_forward", (square, square, None), {}, 2.0 * SIZE**3)


def convolution(name: str, precision: str) -> dict[str, Any]:
    """Measure `conv2d_forward` in TFLOP/s; multiplications and additions are counted."""
    n, side, channels, filters, kernel = CONVOLUTIONS[name]
    window = mc.shapes.conv_window(kernel, 1, "valid", 1, (side, side))
    attributes = {"window": window, "groups": 1, "image": (side, side)}
    reads = (Spec((n, side, side, channels)), Spec((kernel, kernel, channels, filters)), None)
    out = (side - kernel + 1) ** 2
    flop = 2.0 * n * out * kernel**2 * channels * filters
    return _tflops(precision, "conv2d_forward", reads, attributes, flop)


def _tflops(
    precision: str, kernel: str, reads: tuple[Spec | None, ...], attributes: Any, flop: float
) -> dict[str, Any]:
    mc.set_precision(precision)
    plan = KERNEL_FACTORIES[kernel](*reads, **attributes)
    contract = CONTRACTS[kernel]
    names = [name.rstrip("?") for name in contract.reads]
    specs = {n: spec for n, spec in zip(names, reads, strict=True) if spec is not None}
    rng = np.random.default_rng(0)  # zeros would make a GPU faster
    arrays = {n: cuda.to_device(_values(rng, spec)) for n, spec in specs.items()}
    outs = contract.specs(*reads, **attributes)
    arrays |= {n: allocate(s, n) for n, s in zip(contract.writes, outs, strict=True)}
    arrays |= {n: allocate(spec, n) for n, spec in plan.scratch.items()}
    arrays[HALTED] = cuda.to_device(np.zeros(1, np.uint32))

    def launches(stream: Any) -> None:
        for function, blocks, threads, arguments in plan.launches:
            function[blocks, threads, stream](*(arrays[n] for n in arguments))

    found = seconds_each(Recorded(launches, new_stream()), cuda.synchronize)
    return {"tflops": flop / found["seconds"] / 1e12}


def _values(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    return rng.standard_normal(int(np.prod(spec.shape)), dtype=np.float32)


def torch_copy() -> dict[str, Any]:
    """Measure PyTorch's copy in GB/s."""
    source, target = (torch.empty(COPIED_BYTES, dtype=torch.uint8, device="cuda") for _ in range(2))
    found = seconds_each(partial(target.copy_, source), torch.cuda.synchronize)
    return {"gbytes_per_second": 2 * COPIED_BYTES / found["seconds"] / 1e9}


def torch_product(tf32: bool) -> dict[str, Any]:
    """Measure `torch.matmul` in TFLOP/s."""
    torch.backends.cuda.matmul.allow_tf32 = tf32
    a, b = (torch.randn(SIZE, SIZE, device="cuda") for _ in range(2))
    found = seconds_each(partial(torch.matmul, a, b), torch.cuda.synchronize)
    return {"tflops": 2.0 * SIZE**3 / found["seconds"] / 1e12}


def torch_convolution(name: str, tf32: bool) -> dict[str, Any]:
    """Measure PyTorch's `conv2d` in TFLOP/s, with channels last in memory."""
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = tf32, True
    n, side, channels, filters, kernel = CONVOLUTIONS[name]
    last = torch.channels_last
    x = torch.randn(n, channels, side, side, device="cuda").contiguous(memory_format=last)
    w = torch.randn(filters, channels, kernel, kernel, device="cuda").contiguous(memory_format=last)
    run = partial(torch.nn.functional.conv2d, x, w)
    found = seconds_each(run, torch.cuda.synchronize)
    flop = 2.0 * n * (side - kernel + 1) ** 2 * kernel**2 * channels * filters
    return {"tflops": flop / found["seconds"] / 1e12}
