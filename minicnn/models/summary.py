"""The table of a model's layers."""

from __future__ import annotations

import math
from typing import Any

from minicnn.checks import check_choice, shape_text
from minicnn.layers import InputLayer
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.graph import Graph

KERAS2_COLUMNS = (29, 55, 65)


def summary_text(graph: Graph, name: str, *, style: str, flops: bool, memory: bool) -> str:
    """Return the table and its totals: see `Model.summary`."""
    check_choice(style, "style", ("plain", "keras2"))
    heading = ["Layer (type)", "Output Shape", "Param #"]
    heading += ["FLOPs"] * flops + ["Memory"] * memory
    rows = [_row(t, flops, memory) for t in _outputs(graph)]
    table = _keras2(heading, rows) if style == "keras2" else _plain(heading, rows)
    return "\n".join([f'Model: "{name}"', *table, *_totals(graph, flops, memory)])


def summary_fields(graph: Graph, name: str) -> dict[str, Any]:
    """Return the same as data: {"name", "layers": [{"name", "type", ...}, ...], "parameters"}."""
    layers = [
        {
            "name": t.layer.name,
            "type": type(t.layer).__name__,
            "output_shape": list(t.shape),
            "parameters": _size(t.layer),
            "flops": _flops(t),
            "bytes": _bytes(t),
        }
        for t in _outputs(graph)
    ]
    return {"name": name, "layers": layers, "parameters": sum(p.size for p in graph.parameters)}


def _outputs(graph: Graph) -> list[SymbolicTensor]:
    """Return the outputs of all layers; an InputLayer computes none."""
    return [t for t in graph.tensors if not isinstance(t.layer, InputLayer)]


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
    """Return the bytes of the float32 output for one image."""
    return 4 * math.prod(tensor.shape[1:])


def _totals(graph: Graph, flops: bool, memory: bool) -> list[str]:
    trained = {id(p): p for layer in graph.layers for p in layer.trainable_parameters}
    learned = sum(p.size for p in trained.values())
    total = sum(p.size for p in graph.parameters)
    outputs = _outputs(graph)
    lines = [
        f"Total params: {total:,}",
        f"Trainable params: {learned:,}",
        f"Non-trainable params: {total - learned:,}",
    ]
    if flops:
        lines.append(f"Forward work: {_unit(sum(map(_flops, outputs)), 'FLOP', 1000)} per image")
    if memory:
        lines.append(f"Activations: {_unit(sum(map(_bytes, outputs)), 'B', 1024)} per image")
    return lines


def _plain(heading: list[str], rows: list[list[str]]) -> list[str]:
    """Format a table with columns as wide as their widest entry, so that nothing is cut."""
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
    """Format the table as Keras 2 does: 65 columns, with names cut to fit."""
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
    """Format a value with a prefix: 1234567 becomes "1.2 MB"."""
    for prefix in ("", "k", "M", "G"):
        if value < step:
            return f"{value:.1f} {prefix}{unit}" if prefix else f"{value:.0f} {unit}"
        value /= step
    return f"{value:.1f} T{unit}"
