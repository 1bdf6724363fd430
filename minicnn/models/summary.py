"""The table of a model's layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn.checks import check_choice, shape_text
from minicnn.errors import ArgumentError
from minicnn.layers import InputLayer
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.graph import Graph

KERAS2_COLUMNS = (29, 55, 65)


class Options(NamedTuple):
    """What a table of layers shows: see `Network.summary`."""

    style: str = "plain"
    flops: bool = False
    memory: bool = False
    expand_nested: bool = False
    show_trainable: bool = False
    layer_range: Sequence[str] | None = None


def summary_text(network: Any, options: Options) -> str:
    """Return the table and its totals: see `Network.summary`."""
    check_choice(options.style, "style", ("plain", "keras2"))
    heading = ["Layer (type)", "Output Shape", "Param #"]
    heading += ["FLOPs"] * options.flops + ["Memory"] * options.memory
    heading += ["Trainable"] * options.show_trainable
    rows = [_row(one, options) for one in _range(_layers(network, options), options.layer_range)]
    table = _keras2(heading, rows) if options.style == "keras2" else _plain(heading, rows)
    totals = _totals(network, options)
    return "\n".join([f'Model: "{network.name}"', *table, *totals])


class _Shown(NamedTuple):
    """A layer of the table, with the tensor it computes if the graph has one, and its depth."""

    layer: Layer
    tensor: SymbolicTensor | None
    depth: int = 0

    @property
    def shape(self) -> Any:
        """The shape of the output, None if it is not known."""
        return self.layer.traced_shape if self.tensor is None else self.tensor.shape


def _layers(network: Any, options: Options) -> list[_Shown]:
    """Return the layers to show: those of the graph, or of a class with a `call`."""
    if network.is_built and not network.is_subclassed:
        shown = [_Shown(t.layer, t) for t in _outputs(network.graph)]
    else:
        shown = [_Shown(layer, None) for layer in network.layers]
    return [one for outer in shown for one in _expanded(outer, options.expand_nested)]


def _expanded(outer: _Shown, inside: bool) -> list[_Shown]:
    found = [outer]
    for layer in outer.layer.sublayers if inside else []:
        if not isinstance(layer, InputLayer):
            tensor = layer.first_output
            known = tensor if isinstance(tensor, SymbolicTensor) else None
            found += _expanded(_Shown(layer, known, outer.depth + 1), inside)
    return found


def _range(shown: list[_Shown], ends: Sequence[str] | None) -> list[_Shown]:
    if ends is None:
        return shown
    names = [one.layer.name for one in shown]
    for name in ends:
        if name not in names:
            raise ArgumentError(f"layer_range: no layer {name!r}; there are {names}")
    first, last = (names.index(name) for name in ends)
    return shown[first : last + 1]


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


def _row(shown: _Shown, options: Options) -> list[str]:
    layer, tensor, depth = shown
    row = [f"{'  ' * depth}{layer.name} ({type(layer).__name__})"]
    row += ["?" if shown.shape is None else shape_text(shown.shape), f"{_size(layer)}"]
    if options.flops:
        row.append("?" if tensor is None else _unit(_flops(tensor), "FLOP", 1000))
    if options.memory:
        row.append("?" if tensor is None else _unit(_bytes(tensor), "B", 1024))
    if options.show_trainable:
        row.append("yes" if layer.trainable else "no")
    return row


def _size(layer: Layer) -> int:
    return sum(p.size for p in layer.parameters)


def _flops(tensor: SymbolicTensor) -> int:
    return tensor.layer.flops([t.spec for t in tensor.inputs], tensor.spec)


def _bytes(tensor: SymbolicTensor) -> int:
    """Return the bytes of the float32 output for one image."""
    return 4 * math.prod(length or 0 for length in tensor.shape[1:])


def _totals(network: Any, options: Options) -> list[str]:
    learned = sum(p.size for p in network.trainable_parameters)
    total = network.count_params()
    lines = [
        f"Total params: {total:,}",
        f"Trainable params: {learned:,}",
        f"Non-trainable params: {total - learned:,}",
    ]
    outputs = _outputs(network.graph) if network.is_built else []
    if options.flops:
        lines.append(f"Forward work: {_unit(sum(map(_flops, outputs)), 'FLOP', 1000)} per image")
    if options.memory:
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
