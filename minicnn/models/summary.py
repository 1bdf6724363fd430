"""The table of a model's layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from minicnn.checks import check_choice, shape_text
from minicnn.layers import InputLayer
from minicnn.layers.base import Layer, SymbolicTensor

if TYPE_CHECKING:
    from minicnn.models.network import Network

KERAS2_COLUMNS = (29, 55, 65)


def summary_text(model: Network, *, style: str, flops: bool, memory: bool) -> str:
    """The table and its totals. See `Model.summary`."""
    check_choice(style, "style", ("plain", "keras2"))
    tensors = [t for t in model.graph.tensors if not isinstance(t.layer, InputLayer)]
    heading = ["Layer (type)", "Output Shape", "Param #"]
    heading += ["FLOPs"] * flops + ["Memory"] * memory
    rows = [_row(t, flops, memory) for t in tensors]
    table = _keras2(heading, rows) if style == "keras2" else _plain(heading, rows)
    totals = _totals(model, tensors, flops, memory)
    return "\n".join([f'Model: "{model.name}"', *table, *totals])


def summary_fields(model: Network) -> dict[str, Any]:
    """The same for programs: {"name", "layers": [{"name", "type", "output_shape", ...}], ...}."""
    tensors = [t for t in model.graph.tensors if not isinstance(t.layer, InputLayer)]
    layers = [
        {
            "name": t.layer.name,
            "type": type(t.layer).__name__,
            "output_shape": list(t.shape),
            "parameters": _size(t.layer),
            "flops": _flops(t),
            "bytes": _bytes(t),
        }
        for t in tensors
    ]
    return {"name": model.name, "layers": layers, "parameters": model.count_params()}


def _row(tensor: SymbolicTensor, flops: bool, memory: bool) -> list[str]:
    layer = tensor.layer
    row = [f"{layer.name} ({type(layer).__name__})", shape_text(tensor.shape)]
    row.append(f"{_size(layer)}")
    if flops:
        row.append(_unit(_flops(tensor), "FLOP", 1000))
    if memory:
        row.append(_unit(_bytes(tensor), "B", 1024))
    return row


def _size(layer: Layer) -> int:
    return sum(p.size for p in layer.parameters)


def _flops(tensor: SymbolicTensor) -> int:
    return tensor.layer.flops([t.spec for t in tensor.inputs], tensor.spec)


def _bytes(tensor: SymbolicTensor) -> int:
    """Float32 numbers that one image leaves here."""
    return 4 * math.prod(tensor.shape[1:])


def _totals(model: Network, tensors: list[SymbolicTensor], flops: bool, memory: bool) -> list[str]:
    every = model.parameters
    frozen = {id(p) for layer in model.layers if not layer.trainable for p in layer.parameters}
    learned = sum(p.size for p in every if p.trainable and id(p) not in frozen)
    total = sum(p.size for p in every)
    lines = [
        f"Total params: {total:,}",
        f"Trainable params: {learned:,}",
        f"Non-trainable params: {total - learned:,}",
    ]
    if flops:
        lines.append(f"Forward work: {_unit(sum(map(_flops, tensors)), 'FLOP', 1000)} an image")
    if memory:
        lines.append(f"Activations: {_unit(sum(map(_bytes, tensors)), 'B', 1024)} an image")
    return lines


def _plain(heading: list[str], rows: list[list[str]]) -> list[str]:
    """Columns as wide as their widest entry: nothing is cut."""
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    lines = [_aligned(row, widths) for row in (heading, *rows)]
    rule = "─" * max(map(len, lines))
    return [rule, lines[0], rule, *lines[1:], rule]


def _aligned(row: list[str], widths: list[int]) -> str:
    cells = [
        f"{c:<{w}}" if i < 2 else f"{c:>{w}}"
        for i, (c, w) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _keras2(heading: list[str], rows: list[list[str]]) -> list[str]:
    """The table that Keras 2 printed: 65 columns, names cut to fit."""
    extra = tuple(KERAS2_COLUMNS[-1] + 13 * (i + 1) for i in range(len(heading) - 3))
    columns = KERAS2_COLUMNS + extra
    thin, thick = "_" * columns[-1], "=" * columns[-1]
    lines = [thin, _cut(heading, columns), thick]
    for i, row in enumerate(rows):
        lines += [_cut(row, columns), thick if i == len(rows) - 1 else thin]
    return lines


def _cut(row: list[str], columns: tuple[int, ...]) -> str:
    line = ""
    for cell, end in zip(row, columns, strict=True):
        line = (line[:-1] + " " if line else "") + cell
        line = f"{line[:end]:<{end}}"
    return line


def _unit(value: float, unit: str, step: int) -> str:
    """1234567 -> "1.2 MB"."""
    for prefix in ("", "k", "M", "G"):
        if value < step:
            return f"{value:.1f} {prefix}{unit}" if prefix else f"{value:.0f} {unit}"
        value /= step
    return f"{value:.1f} T{unit}"
