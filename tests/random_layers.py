"""Random layers for the tests that need hundreds: odd sizes, uneven padding, strides wider than the
window, dilation, groups, more channels than a vector, one-wide images, sometimes an empty batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.shapes import Window2D

Run = Callable[..., tuple[Any, ...]]  # (kernel, reads, attributes) -> writes
Fill = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

FAMILIES = (
    "conv2d", "conv2d_relu", "conv2d_max_pool2d", "conv2d_transpose", "dense", "max_pool2d",
    "average_pool2d", "global_max_pool2d", "global_average_pool2d",
)  # fmt: skip


class Layer(NamedTuple):
    """An operation with its arrays, including dy, by contract name, and its attributes."""

    family: str
    arrays: dict[str, np.ndarray | None]
    attributes: dict[str, Any]

    def __repr__(self) -> str:
        shapes = {k: None if a is None else a.shape for k, a in self.arrays.items()}
        return f"{self.family} {shapes} {self.attributes}"


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def draw_layer(rng: np.random.Generator, family: str, fill: Fill = normal) -> Layer:
    """A random layer of `family` for 1 to 3 images, sometimes for none."""
    batch = int(rng.integers(0, 4)) if rng.random() < 0.2 else int(rng.integers(1, 4))
    if family == "dense":
        inputs, units = rng.integers(1, 70, 2)
        shapes, attributes = {"x": (batch, inputs), "w": (inputs, units), "b": (units,)}, {}
    elif family == "conv2d_transpose":
        shapes, attributes = _draw_transposed(rng, batch)
    elif family.startswith("conv2d"):
        shapes, attributes = _draw_conv(rng, batch, pooled="pool" in family)
    else:
        shapes, attributes = _draw_pool(rng, batch, family)
    arrays: dict[str, np.ndarray | None] = {k: fill(rng, s) for k, s in shapes.items()}
    if "b" in arrays and rng.random() < 0.3:
        arrays["b"] = None
    return with_gradient(Layer(family, arrays, attributes), rng, fill)


def with_gradient(layer: Layer, rng: np.random.Generator, fill: Fill = normal) -> Layer:
    """Add the gradient of the loss by the layer's result: dy, or dloss for a loss."""
    contract = CONTRACTS[f"{layer.family}_forward"]
    reads = [layer.arrays.get(name.rstrip("?")) for name in contract.reads]
    y, *_ = contract.specs(*map(spec, reads), **layer.attributes)
    return layer._replace(arrays={**layer.arrays, f"d{contract.writes[0]}": fill(rng, y.shape)})


def kernels(family: str) -> list[str]:
    """The family's kernels, forward first."""
    ends = ("", "_input", "_input_relu", "_weights")
    names = [f"{family}_forward", *(f"{family}_backward{end}" for end in ends)]
    return [name for name in names if name in CONTRACTS]


def run_layer(layer: Layer, run: Run) -> dict[str, np.ndarray]:
    """All results of the family's kernels, by name."""
    arrays, written = dict(layer.arrays), {}
    for kernel in kernels(layer.family):
        contract = CONTRACTS[kernel]
        reads = [arrays.get(name.rstrip("?")) for name in contract.reads]
        writes = dict(zip(contract.writes, run(kernel, reads, layer.attributes), strict=True))
        arrays |= writes
        written |= writes
    return written


def spec(array: np.ndarray | None) -> Spec | None:
    """The specification of an array, as contracts take it."""
    return None if array is None else Spec(array.shape, str(array.dtype))


def _draw_conv(rng: np.random.Generator, batch: int, *, pooled: bool) -> tuple[dict, dict]:
    groups = int(rng.choice([1, 1, 1, 2, 3, 5]))
    channels = groups * (1 if rng.random() < 0.3 else int(rng.integers(1, 20)))
    filters = groups * int(rng.integers(1, 40 // groups + 1))
    image, window = _draw_window(rng, most_dilation=2)
    shapes = {
        "x": (batch, *image, channels),
        "w": (*window.size, channels // groups, filters),
        "b": (filters,),
    }
    attributes = {"window": window, "groups": groups, "image": image}
    if pooled:
        _, pool = _draw_window(rng, most_dilation=1, image=window.out_hw(image))
        attributes |= {"pool": pool, "activation": str(rng.choice(["relu", "linear"]))}
    return shapes, attributes


def _draw_transposed(rng: np.random.Generator, batch: int) -> tuple[dict, dict]:
    image, window = _draw_window(rng, most_dilation=2)
    channels, filters = map(int, rng.integers(1, 30, 2))
    shapes = {
        "x": (batch, *window.out_hw(image), channels),
        "w": (*window.size, filters, channels),
    }
    return shapes, {"window": window, "groups": 1, "image": image}


def _draw_pool(rng: np.random.Generator, batch: int, family: str) -> tuple[dict, dict]:
    image, window = _draw_window(
        rng, most_dilation=1, image=tuple(map(int, rng.integers(1, 13, 2)))
    )
    attributes = {"image": image} if "global" in family else {"window": window, "image": image}
    return {"x": (batch, *image, int(rng.integers(1, 40)))}, attributes


def _draw_window(
    rng: np.random.Generator, *, most_dilation: int, image: tuple[int, int] | None = None
) -> tuple[tuple[int, int], Window2D]:
    """A random window and an image into which it fits; a pool's padding is less than its window."""
    h, w = image or tuple(map(int, rng.integers(1, 15, 2)))
    axes = [_draw_axis(rng, n, most_dilation) for n in (h, w)]
    size, stride, dilation, pad_h_and_w = zip(*axes, strict=True)
    return (h, w), Window2D(size, stride, dilation, *pad_h_and_w)


def _draw_axis(rng: np.random.Generator, n: int, most_dilation: int) -> tuple:
    while True:
        size, stride = int(rng.integers(1, 6)), int(rng.integers(1, 5))
        dilation = int(rng.integers(1, most_dilation + 1))
        pad = tuple(int(p) for p in rng.integers(0, min(size, 4), 2))
        fits = n + sum(pad) >= (size - 1) * dilation + 1
        if fits and (most_dilation > 1 or _every_window_sees_a_cell(n, size, stride, pad)):
            return size, stride, dilation, pad


def _every_window_sees_a_cell(n: int, size: int, stride: int, pad: tuple[int, int]) -> bool:
    last = (n + sum(pad) - size) // stride * stride - pad[0]
    return last < n
