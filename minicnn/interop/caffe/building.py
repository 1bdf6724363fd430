"""A network of ours from a net of Caffe, layer by layer, in the phase of testing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minicnn.errors import FormatError, MiniCNNError, SizeLimitError, UnsupportedError
from minicnn.interop.caffe import arranging, normalizing, numbers, windows
from minicnn.interop.caffe.inputs import SOURCES, sample_shapes
from minicnn.interop.caffe.item import Item
from minicnn.interop.caffe.phases import is_there
from minicnn.interop.caffe.values import Value
from minicnn.layers import Input
from minicnn.models import Model
from minicnn.support.auto_names import numbered, remember_name
from minicnn.support.files import Path
from minicnn.support.text import quoted

Lowering = Callable[[Item, list[Value]], list[Value]]

LAYERS: dict[str, Lowering] = {
    **numbers.TABLE,
    "Convolution": windows.convolution,
    "ConvolutionDepthwise": windows.convolution,
    "DepthwiseConvolution": windows.convolution,
    "Deconvolution": windows.deconvolution,
    "Pooling": windows.pooling,
    "LRN": windows.local_response_norm,
    "InnerProduct": normalizing.inner_product,
    "BatchNorm": normalizing.batch_norm,
    "Scale": normalizing.scale,
    "Bias": normalizing.bias,
    "MVN": normalizing.mvn,
    "Concat": arranging.concat,
    "Slice": arranging.slices,
    "Crop": arranging.crop,
    "Flatten": arranging.flatten,
    "Reshape": arranging.reshape,
    "Permute": arranging.permute,
    "Tile": arranging.tile,
    "ArgMax": arranging.arg_max,
    "Reduction": arranging.reduction,
    "Split": lambda item, values: values * len(item.layer.top),
    # What a net for training ends with: the probabilities are the outputs of the network.
    "SoftmaxWithLoss": numbers.softmax,
    "SigmoidCrossEntropyLoss": numbers.activation("sigmoid"),
}
# Layers of training and testing that give nothing to a network that predicts.
LEFT_OUT = {
    "Accuracy", "ContrastiveLoss", "EuclideanLoss", "HDF5Output", "HingeLoss", "InfogainLoss",
    "MultinomialLogisticLoss", "Silence",
}  # fmt: skip


class Builder:
    """The values of a net by the names of their blobs, while its layers are turned into ours."""

    def __init__(self, net: Any, path: Path, entry: Callable[[Any], Any] | None = None) -> None:
        self.net, self.path = net, path
        self.entry = entry  # what is done to the images first
        self.layers = [one for one in net.layer if is_there(one)]
        self.values: dict[str, Value | None] = {}  # None: a label, which the network does not have
        self.inputs: list[Any] = []
        self.without_weights: list[str] = []
        self.outputs: dict[str, Value] = {}  # what no layer has read yet
        self.names: set[str] = set()
        for one in self.layers:
            remember_name(one.name or "layer")

    def model(self) -> Model:
        """Return the network.

        Raises
        ------
        FormatError, UnsupportedError : it has a layer, or says something, that cannot be built
        """
        skipped = self._merged_scales()
        for number, layer in enumerate(self.layers):
            if number not in skipped.values():
                merged = skipped.get(number)
                self._add(layer, None if merged is None else self.layers[merged])
        if not self.inputs:
            raise UnsupportedError(self.path, NO_INPUT)
        outputs = [value.settled().tensor for value in self.outputs.values()]
        if not outputs:
            raise FormatError(self.path, "its net computes nothing")
        used = self._used(outputs)
        return Model(
            used if len(used) > 1 else used[0],
            outputs if len(outputs) > 1 else outputs[0],
            name=(self.net.name or "caffe")[:100],
        )

    def _used(self, outputs: list[Any]) -> list[Any]:
        """Return the inputs that the outputs depend on."""
        seen: dict[int, Any] = {}
        waiting = list(outputs)
        while waiting:
            tensor = waiting.pop()
            if id(tensor) not in seen:
                seen[id(tensor)] = tensor
                waiting += tensor.inputs
        return [x for x in self.inputs if id(x) in seen]

    def _merged_scales(self) -> dict[int, int]:
        """Return {place of a BatchNorm: place of the Scale that alone reads it}."""
        found: dict[int, int] = {}
        for number, layer in enumerate(self.layers[:-1]):
            after = self.layers[number + 1]
            if layer.type != "BatchNorm" or after.type != "Scale" or len(after.bottom) != 1:
                continue
            p, top = after.scale_param, list(layer.top)
            alone = p.axis == 1 and p.num_axes == 1 and top == list(after.bottom)
            # The statistics alone must not be read by another layer.
            others = [one for one in self.layers[number + 2 :] if top[0] in one.bottom]
            if alone and (not others or list(after.top) == top):
                found[number] = number + 1
        return found

    def _add(self, layer: Any, scale: Any) -> None:
        item = Item(layer, self._name(layer), self.path)
        if layer.type in SOURCES:
            self._add_inputs(item)
        elif layer.type in LEFT_OUT:
            return
        else:
            self._lower(item, None if scale is None else Item(scale, scale.name, self.path))

    def _name(self, layer: Any) -> str:
        """Return the layer's name; a second layer of a name gets a number."""
        stem, number = (layer.name or layer.type or "layer")[:200], 0
        while numbered(stem, number) in self.names:
            number += 1
        self.names.add(numbered(stem, number))
        return numbered(stem, number)

    def _add_inputs(self, item: Item) -> None:
        shapes: Sequence[tuple[int, ...] | None] = sample_shapes(item, self.layers)
        for top, shape in zip(item.layer.top, shapes, strict=True):
            if shape is None:
                self.values[top] = None
                continue
            ours = (*shape[1:], shape[0]) if len(shape) == 3 else shape
            x = Input(ours, name=self._input_name(item, top))
            self.inputs.append(x)
            is_entered = self.entry is not None and len(shape) == 3
            self.values[top] = Value(self.entry(x) if is_entered else x, shape)  # type: ignore[misc]

    def _input_name(self, item: Item, top: str) -> str:
        return item.name if len(item.layer.top) == 1 else f"{item.name}/{top}"

    def _lower(self, item: Item, scale: Item | None) -> None:
        values = self._bottoms(item)
        if values is None:
            self.values.update(dict.fromkeys(item.layer.top))
            return
        if item.type not in LAYERS:
            item.refuse("is of a type that minicnn has no layer for")
        try:
            tops = self._tops(item, values, scale)
        except (SizeLimitError, FormatError):
            raise
        except MiniCNNError as error:
            raise FormatError(self.path, f"{item.what} cannot be built: {error}") from error
        for one in (item, scale):
            if one is not None and one.without_weights:
                self.without_weights.append(one.name)
        self._store(item, scale, tops)

    def _tops(self, item: Item, values: list[Value], scale: Item | None) -> list[Value]:
        if scale is not None:
            return normalizing.batch_norm(item, values, scale)
        return LAYERS[item.type](item, values)

    def _bottoms(self, item: Item) -> list[Value] | None:
        """Return the values that a layer reads; None if they come from labels."""
        found = []
        for name in item.layer.bottom:
            if name not in self.values:
                raise FormatError(
                    self.path, f"{item.what} reads {quoted(name)}, which no layer before it gives"
                )
            found.append(self.values[name])
        for name in item.layer.bottom:
            self.outputs.pop(name, None)
        values = [value for value in found if value is not None]
        if not found:
            item.refuse("reads nothing")
        return values or None

    def _store(self, item: Item, scale: Item | None, tops: list[Value]) -> None:
        names = list((scale or item).layer.top) or [item.name]
        if len(names) != len(tops):
            item.refuse(f"has {len(names)} results; {len(tops)} are supported")
        for name, value in zip(names, tops, strict=True):
            self.values[name] = self.outputs[name] = value


NO_INPUT = (
    "it does not say the size of its input, as nets for training do not. Give the .prototxt for "
    'deployment: mc.interop.caffe.load("deploy.prototxt", "x.caffemodel")'
)
