"""The structure of a network: its layers, its weights, its summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.checks import quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import Input, InputLayer, Rescaling
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.image_layer import RandomImageLayer
from minicnn.layers.symbolic import InputAt, SymbolicTensor
from minicnn.layers.tracing import current_scope
from minicnn.models.annotations import Annotations
from minicnn.models.batches import stack_hint
from minicnn.models.graph import Graph, graph_between
from minicnn.models.rng_keys import give_rng_names
from minicnn.models.saving.graph_config import graph_to_config
from minicnn.models.structures import filled, fits, flat_values, numbered, split_shapes
from minicnn.models.summary import Options, summary_text
from minicnn.shapes import is_int
from minicnn.support.structures import flat, leaves, replaced, single
from minicnn.support.text import say


class _Derived:
    """What follows from a graph, and is kept because every step needs it."""

    def __init__(self, layers: list[Layer], graph: Graph | None = None) -> None:
        inputs, outputs = ((), ()) if graph is None else (graph.inputs, graph.outputs)
        self.layers = layers  # all, those inside other layers included
        # For each input: whether all that read it rescale it.
        self.rescaled = [graph is not None and _is_rescaled(graph, x) for x in inputs]
        # Whether the lengths of the outputs do not depend on those of the inputs.
        self.has_sizes = not any(None in y.shape[1:] for y in outputs)


class Network(Annotations, Layer):
    """A graph of layers with a name, class names and preprocessing. It can be a layer itself.

    `CompiledNetwork` adds steps on batches, `Model` what users call. A subclass that has Keras's
    `call` gets its graph, of this one layer, when the input's shape is known.
    """

    _UNBUILT = "has no layers; make its graph: mc.Model(inputs, outputs)"

    def __init__(self, name: str | None = None, **options: Any) -> None:
        self._graph: Graph | None = None
        self._build_called = False
        super().__init__(name=name, **options)
        self.set_no_annotations()
        self._derived = _Derived([])
        # Lists, tuples or dicts of tensors, as they were given; None for one tensor each.
        self.input_structure: Any = None
        self.output_structure: Any = None

    def __repr__(self) -> str:
        start = f"<{type(self).__name__} {self.name!r}: "
        if self._graph is None:
            return f"{start}{self._unbuilt_text()}>"
        shapes = " -> ".join(
            ", ".join(shape_text(t.shape) for t in tensors)
            for tensors in (self._graph.inputs, self._graph.outputs)
        )
        return f"{start}{shapes}, {len(self.layers)} layers, {self.count_params():,} parameters>"

    def _unbuilt_text(self) -> str:
        return "no layers"

    def take_graph(self, graph: Graph) -> None:
        """Become the network of this graph."""
        self._graph = graph
        layers = list({id(x): x for la in graph.layers for x in la.flattened()}.values())
        give_rng_names(layers)
        for layer in graph.layers:
            if layer.network_name is None and layer is not self:
                layer.network_name = self.name
        self.moves_pixels = all(
            layer.moves_pixels or isinstance(layer, InputLayer) for layer in graph.layers
        )
        self._derived = _Derived(layers, graph)

    @property
    def graph(self) -> Graph:
        """The layers and how they are connected."""
        if self._graph is None:
            raise ArgumentError(f"{self.name} {self._UNBUILT}")
        return self._graph

    @property
    def is_built(self) -> bool:
        """Whether the input's shape is known, so that the layers are connected."""
        return self._graph is not None

    @property
    def trainable(self) -> bool:
        """Whether any layer learns. Setting it sets every layer's `trainable`."""
        layers = self.sublayers
        return any(layer.trainable for layer in layers) if layers else self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Layer.trainable.fset(self, value)  # type: ignore[attr-defined]

    @property
    def is_subclassed(self) -> bool:
        """Whether the network is described by the `call` of a user's class, not by a graph."""
        return self.has_call

    @property
    def built(self) -> bool:
        """Whether the layers are connected; the same as `is_built`."""
        return self.is_built

    @built.setter
    def built(self, value: bool) -> None:
        """Do nothing: the graph decides. User's classes may set it in `build`, as in Keras."""

    @property
    def layers(self) -> list[Layer]:
        """Every layer, in order; of a class with a `call`, the layers among its attributes."""
        return super().sublayers if self.is_subclassed else self.graph.layers

    @property
    def sublayers(self) -> list[Layer]:
        """The layers that the network is made of."""
        return super().sublayers if self.is_subclassed or self._graph is None else self.layers

    @property
    def run_eagerly(self) -> bool:
        """False: steps are always planned."""
        return False

    @property
    def input_shape(self) -> Any:
        """(None, H, W, C), or a list of shapes if there are several inputs."""
        return single([t.shape for t in self.graph.inputs])

    @property
    def output_shape(self) -> Any:
        """(None, classes), or a list of shapes if there are several outputs."""
        return single([t.shape for t in self.graph.outputs])

    def get_config(self) -> dict[str, Any]:
        """Return what `Model.from_config` rebuilds this network from, JSON-able, without weights.

        A subclass whose constructor takes other arguments returns those.
        """
        if self.is_subclassed:
            return super().get_config()
        config = {"name": self.name, **graph_to_config(self.graph)}
        for name in ("input_structure", "output_structure"):
            structure = getattr(self, name)
            if isinstance(structure, dict) or (structure is not None and len(structure) == 1):
                config[name] = replaced(structure, InputAt, InputAt.as_config)
        return config

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of that name, or the one at that index of `layers`.

        >>> from minicnn import Input, Sequential, layers
        >>> model = Sequential([Input((2,)), layers.Dense(3, name="hidden")])
        >>> model.get_layer("hidden") is model.get_layer(index=0)
        True
        """
        if (name is None) == (index is None):
            raise ArgumentError("get_layer needs either a name or an index")
        if index is not None:
            count = len(self.layers)
            if not is_int(index) or not -count <= index < count:
                raise ArgumentError(
                    f"index must be an integer from 0 to {count - 1}, as {self.name} has {count} "
                    f"layers; got {quoted(index)}"
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"no layer {name!r}; there are {[one.name for one in self.layers]}")

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
        *,
        style: str = "plain",
        flops: bool = False,
        memory: bool = False,
    ) -> None:
        """Print one row per layer: its name, output shape and number of parameters.

        Parameters
        ----------
        line_length, positions : without effect: columns are as wide as what is in them
        print_fn : function that is given the text in place of printing it
        expand_nested : whether the layers of a network that is a layer have rows, too
        show_trainable : whether a column says if training changes the layer
        layer_range : names of the first and the last layer to show
        style : "plain", or "keras2" for the 65-column table of Keras 2 with names cut to fit
        flops, memory : add a column with the operations, and the bytes of the output, per image
        """
        options = Options(style, flops, memory, expand_nested, show_trainable, layer_range)
        text = summary_text(self, options)
        say(text) if print_fn is None else print_fn(text)

    def rescales(self, i: int) -> bool:
        """Return whether every layer that reads input i is a Rescaling layer."""
        return self._derived.rescaled[i]

    def build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Build the network if it still needs an input's shape, then check that the inputs fit."""
        self._build_for(inputs)
        self.check_inputs(inputs)

    def check_inputs(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Raise ArgumentError or ShapeError unless there is one array of the right shape per input.

        The network must be built; `build_for` builds it first.
        """
        tensors = self.graph.inputs
        if len(inputs) != len(tensors):
            hint = stack_hint(inputs) or " (a batch with labels is a tuple: (x, y))"
            raise ArgumentError(f"{self.name} has {len(tensors)} inputs; got {len(inputs)}{hint}")
        for tensor, x in zip(tensors, inputs, strict=True):
            if not fits(tensor.shape[1:], x.shape[1:]):
                raise ShapeError(_wrong_input(tensor, x.shape))

    def _build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Build the layers for such inputs; a Sequential may wait for that."""
        if self.is_subclassed and not self._fits(inputs):
            structure = self.input_structure
            if structure is None:
                places = [InputAt(i) for i in range(len(inputs))]
                structure = single(places)
            self._trace([x.shape[1:] for x in inputs], structure)

    def _fits(self, inputs: tuple[np.ndarray, ...]) -> bool:
        """Return whether the graph was made for inputs of these shapes."""
        graph = self._graph
        return graph is not None and [t.shape[1:] for t in graph.inputs] == [
            x.shape[1:] for x in inputs
        ]

    def _trace(self, shapes: Sequence[Shape], structure: Any) -> None:
        """Become the graph of this network as one layer, for samples of these shapes."""
        tensors = [Input(shape) for shape in shapes]
        outputs = self(filled(structure, tensors))
        graph = graph_between(tuple(tensors), tuple(leaves(outputs, SymbolicTensor)))
        self.input_structure, self.output_structure = structure, numbered(outputs)
        self.take_graph(graph)

    def build(self, *input_shapes: Any) -> None:
        """Connect the layers for inputs of these shapes, each with N or None as its first length.

        Several shapes are given in a list or a dict, as the inputs will be.
        """
        self._build_called = True
        if self.is_subclassed and self._graph is None:
            structure, shapes = split_shapes(single(list(input_shapes)))
            self._trace([shape[1:] for shape in shapes], structure)

    def _build_once(self, shapes: tuple[Any, ...]) -> None:
        """Build a network that is used as a layer; a user's class may have its own `build`."""
        if self.is_subclassed:
            if type(self).build is not Network.build and not self._build_called:
                self._build_called = True
                self.build(*shapes)
        elif self._graph is None:
            self.build(*shapes)

    def _flat(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the inputs in order; a dict names them."""
        if self.is_subclassed or not (len(args) == 1 and isinstance(args[0], dict)):
            return super()._flat(args)
        return tuple(self.flat_inputs(args[0]))

    def flat_inputs(self, x: Any) -> list[Any]:
        """Return inputs in the order of the network's; `x` is one, a list, or a dict by name."""
        graph = self._graph
        if self.is_subclassed or graph is None:
            if isinstance(x, dict):
                self.input_structure = {key: InputAt(i) for i, key in enumerate(x)}
            return flat(x) if isinstance(x, dict) else flat_values(x, None, [], "x")
        names = [tensor.layer.name for tensor in graph.inputs]
        return flat_values(x, self.input_structure, names, "x")

    def flat_outputs(self, y: Any) -> list[Any]:
        """Return labels in the order of the outputs; `y` is one, a list, or a dict by name."""
        return flat_values(y, self.output_structure, self.output_names, "y")

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys of a dict of outputs, or the layers' names."""
        tensors = self.graph.outputs
        if isinstance(self.output_structure, dict):
            keys = [key for key, value in self.output_structure.items() for _ in flat(value)]
            places = flat(self.output_structure)
            pairs = zip(places, keys, strict=True)
            return [key for _, key in sorted(pairs, key=lambda pair: pair[0].index)]
        return [tensor.layer.name for tensor in tensors]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors of the inputs."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors of the outputs."""
        return list(self.graph.outputs)

    @property
    def input(self) -> Any:
        """The symbolic tensor of the input, or several as they were given."""
        if self.input_structure is None:
            return single(self.inputs)
        return filled(self.input_structure, self.inputs)

    @property
    def output(self) -> Any:
        """The symbolic tensor of the output, or several as they were given."""
        return self.packed(self.outputs)

    def _check_inputs(self, inputs: tuple[Any, ...]) -> None:
        """Raise unless there is one tensor or array for each input of the graph."""
        graph = self._graph
        if not self.is_subclassed and graph is not None and len(inputs) != len(graph.inputs):
            raise ArgumentError(f"takes {len(graph.inputs)} inputs; got {len(inputs)}")
        self.takes_many = len(inputs) > 1
        super()._check_inputs(inputs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs for arrays, or add the network to another one as a layer.

        Arrays are read as `predict` reads them. To compute on many samples, `predict` is faster. A
        network that only changes images at random does so by default, as in Keras.
        """
        if current_scope() is None:
            args = replaced(args, np.ndarray, self._as_input)
            symbolic = next(leaves((args, kwargs), SymbolicTensor), None) is not None
            if kwargs.get("training") is None and not symbolic and self._is_augmentation():
                kwargs["training"] = True
        return super().__call__(*args, **kwargs)

    def _is_augmentation(self) -> bool:
        """Return whether the network has no weights, and layers that change images at random."""
        layers = self.flattened()
        return any(isinstance(la, RandomImageLayer) for la in layers) and not self.parameters

    def _as_input(self, x: np.ndarray) -> np.ndarray:
        """Return an array as float32, or as it is if it is uint8 and all inputs rescale it."""
        if x.dtype == np.uint8 and self._derived.rescaled and all(self._derived.rescaled):
            return x
        return x.astype(np.float32) if x.dtype.kind in "uifb" else x

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Describe the computation as that of the graph, for a network inside another one."""
        for tensor, x in zip(self.graph.inputs, inputs, strict=True):
            if not fits(tensor.shape[1:], x.shape[1:]):
                raise ShapeError(_wrong_input(tensor, x.shape))
        results = self.graph.inner_forward(apply, *inputs, training=training)
        return self.packed(results)

    def packed(self, results: Sequence[Any]) -> Any:
        """Return one result per output as the outputs were given: alone, in a list or a dict."""
        if self.output_structure is None:
            return single(list(results))
        return filled(self.output_structure, results)


def _is_rescaled(graph: Graph, tensor: SymbolicTensor) -> bool:
    """Return whether every layer that reads the tensor rescales it, perhaps after moving pixels."""
    readers = [t for t in graph.tensors if any(u is tensor for u in t.inputs)]
    return bool(readers) and all(
        isinstance(t.layer, Rescaling)
        or (t.layer.moves_pixels and _is_rescaled(graph, t))
        or (isinstance(t.layer, Network) and _rescales_inside(t.layer, t, tensor))
        for t in readers
    )


def _rescales_inside(inner: Network, output: SymbolicTensor, tensor: SymbolicTensor) -> bool:
    """Return whether a network that is a layer rescales this one of its inputs."""
    read = [i for i, x in enumerate(output.inputs) if x is tensor]
    return not inner.is_subclassed and all(inner.rescales(i) for i in read)


def _wrong_input(tensor: SymbolicTensor, shape: tuple[int, ...]) -> str:
    name, needed = tensor.layer.name, tensor.shape
    text = f"{name}: the input has shape {shape_text(shape)}, needed is {shape_text(needed)}"
    if shape == needed[1:]:
        return f"{text}; for one sample pass x[None]"
    if len(needed) == 4 and shape[1:] == needed[1:3] and needed[3] == 1:
        return f"{text}; gray images need a channel axis: x[..., None]"
    return text
