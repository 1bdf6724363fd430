"""A network as boxes and arrows, for pictures of it: what each box says, and what leads where."""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.checks import shape_text
from minicnn.errors import DTypeError
from minicnn.layers import InputLayer
from minicnn.layers.base import Layer
from minicnn.models.network import Network
from minicnn.models.sequential import Sequential


class Box(NamedTuple):
    """A layer in a picture: its title and lines of (label, value); `group` names its network."""

    title: str
    lines: tuple[tuple[str, str], ...]
    kind: str  # the name of the layer's class
    group: str


class Boxes(NamedTuple):
    """A network as boxes, in an order in which arrows go forward, and arrows as their indices."""

    boxes: list[Box]
    arrows: list[tuple[int, int]]


class Shown(NamedTuple):
    """What the boxes say beside the classes of their layers."""

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False
    nested: bool = False  # the layers of networks inside the network


def boxes_of(model: Any, shown: Shown) -> Boxes:
    """Return the boxes and arrows of a network.

    Raises
    ------
    DTypeError : `model` is no network
    """
    if not isinstance(model, Network):
        raise DTypeError(f"a picture needs a Model or Sequential; got {type(model).__name__}")
    drawing = _Drawing(shown)
    drawing.add(model, {}, model.name)
    return drawing.finished(without_inputs=isinstance(model, Sequential))


class _Drawing:
    """The boxes that were made so far."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.boxes: list[Box] = []
        self.arrows: dict[tuple[int, int], None] = {}  # in order, each once

    def add(self, model: Network, sources: dict[int, int], group: str) -> list[int]:
        """Add a network's layers; return the numbers of the boxes that give its outputs.

        `sources` are the boxes that feed its inputs, by the ids of these tensors.
        """
        box_of = dict(sources)  # by the id of a tensor
        number_of: dict[int, int] = {}  # by the id of a layer
        nested: dict[int, list[int]] = {}  # by the id of a call
        for tensor in model.graph.tensors:
            if id(tensor) in box_of:
                continue
            layer, feeding = tensor.layer, [box_of[id(t)] for t in tensor.inputs]
            if self.shown.nested and isinstance(layer, Network):
                if id(tensor.call) not in nested:
                    inner = {id(t): box for t, box in zip(layer.graph.inputs, feeding, strict=True)}
                    nested[id(tensor.call)] = self.add(layer, inner, f"{group}/{layer.name}")
                box_of[id(tensor)] = nested[id(tensor.call)][tensor.index]
                continue
            if id(layer) not in number_of:
                number_of[id(layer)] = len(self.boxes)
                self.boxes.append(self._box(tensor, group))
            box_of[id(tensor)] = number_of[id(layer)]
            self.arrows |= dict.fromkeys((box, box_of[id(tensor)]) for box in feeding)
        return [box_of[id(t)] for t in model.graph.outputs]

    def _box(self, tensor: Any, group: str) -> Box:
        layer, shown = tensor.layer, self.shown
        kind = type(layer).__name__
        lines = []
        if shown.activations and (name := _activation_of(layer)):
            lines.append(("Activation", name))
        if shown.shapes:
            read = [shape_text(t.shape) for t in tensor.inputs] or [shape_text(tensor.shape)]
            lines.append(("Input", ", ".join(read)))
            lines.append(("Output", shape_text(tensor.shape)))
        if shown.dtype:
            lines.append(("Dtype", tensor.dtype))
        if shown.trainable and layer.parameters:
            lines.append(("Trainable", "yes" if layer.trainable else "no"))
        title = f"{layer.name} ({kind})" if shown.names else kind
        return Box(title, tuple(lines), kind, group)

    def finished(self, *, without_inputs: bool) -> Boxes:
        """Return the boxes; those of a Sequential begin with its first layer, as in Keras."""
        if not without_inputs or len(self.boxes) < 2:
            return Boxes(self.boxes, list(self.arrows))
        kept = [
            i
            for i, box in enumerate(self.boxes)
            if box.kind != InputLayer.__name__ or "/" in box.group
        ]
        place = {old: new for new, old in enumerate(kept)}
        arrows = [(place[a], place[b]) for a, b in self.arrows if a in place and b in place]
        return Boxes([self.boxes[i] for i in kept], arrows)


def _activation_of(layer: Layer) -> str:
    """Return the name of a layer's activation, "" if it has none."""
    activation = layer.get_config().get("activation")
    if isinstance(activation, dict):
        activation = activation.get("class", "")
    return "" if activation in (None, "linear") else str(activation)
