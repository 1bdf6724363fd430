"""Symbolic tensors, which join layers to a network, and the calls of layers that make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.operators import Operators
from minicnn.support.structures import flat, replaced


class InputAt:
    """The place of a layer's i-th input among the arguments of its call."""

    def __init__(self, index: int) -> None:
        self.index = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputAt) and other.index == self.index

    __hash__ = None  # type: ignore[assignment]

    def as_config(self) -> dict[str, int]:
        """Return it as a file has it: {"input": index}."""
        return {"input": self.index}


class LayerCall:
    """One use of a layer in a network: the tensors that it reads, and its other arguments.

    `arguments` are those of the call, (args, kwargs), with an InputAt in place of each tensor.
    `training` is the call's own, or None: that of the whole network.
    """

    def __init__(
        self, layer: Any, inputs: tuple[SymbolicTensor, ...], arguments: Any = None
    ) -> None:
        self.layer, self.inputs = layer, inputs
        if arguments is None:
            arguments = self.inputs_in_order, {}
        self.args, self.kwargs = tuple(arguments[0]), dict(arguments[1])
        self.training: bool | None = self.kwargs.pop("training", None)

    @property
    def inputs_in_order(self) -> tuple[InputAt, ...]:
        """The usual `args`: the inputs, one after the other."""
        return tuple(InputAt(i) for i in range(len(self.inputs)))

    def results(self, apply: Apply, values: Sequence[Any], *, training: bool) -> list[Any]:
        """Return what the layer gives for these values of its inputs, one per output tensor."""
        if self.training is not None:
            training = self.training
        args, kwargs = replaced((self.args, self.kwargs), InputAt, lambda at: values[at.index])
        return flat(self.layer.run(apply, args, kwargs, training=training))


class SymbolicTensor(Operators):
    """The description of an array that a layer will compute: its Spec, with N = None.

    It is output number `index` of a layer's call. `source` is the tensor that a Model is fed with
    where this one is named as an input. It is another tensor only after `Input(..., rescale=...)`,
    which adds a Rescaling layer.
    """

    def __init__(self, spec: Spec, call: LayerCall, index: int = 0) -> None:
        self.spec, self.call, self.index = spec, call, index
        self.source = self

    @property
    def layer(self) -> Any:
        """The layer that computes it."""
        return self.call.layer

    @property
    def inputs(self) -> tuple[SymbolicTensor, ...]:
        """The tensors that the layer reads."""
        return self.call.inputs

    @property
    def name(self) -> str:
        """The name of the layer that computes it."""
        return self.layer.name

    @property
    def shape(self) -> Shape:
        """The array's shape, (None, ...): the batch size is not known yet."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """The name of the array's dtype."""
        return self.spec.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def path(self) -> list[SymbolicTensor]:
        """Return the tensors from the input to this one; [] if a layer between has more inputs."""
        tensors = [self]
        while tensors[0].inputs:
            if len(tensors[0].inputs) > 1:
                return []
            tensors.insert(0, tensors[0].inputs[0])
        return tensors

    def __bool__(self) -> bool:
        raise ArgumentError(
            "Python's if, while, and, or cannot look at the values of a symbolic tensor, which "
            "are not known yet; use minicnn.ops.where"
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ArgumentError(
            "NumPy cannot compute on a symbolic tensor, whose values are not known yet; use the "
            "function of the same name in minicnn.ops"
        )

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.shape} from {self.layer.name}>"


def with_inputs(structure: Any, inputs: Sequence[Any]) -> Any:
    """Return a structure from a file with the inputs in the places of {"input": index}."""
    if isinstance(structure, dict):
        if set(structure) == {"input"}:
            return inputs[structure["input"]]
        return {key: with_inputs(value, inputs) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(with_inputs(value, inputs) for value in structure)
    return structure
