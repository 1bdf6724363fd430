"""The weights of a layer or network under Keras's names, those of the layers inside it included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.layers.parameter import Parameter
from minicnn.support.structures import leaves


class Weights:
    """Base class of what has parameters, and perhaps layers that have some.

    The layers inside are those among the attributes, also in lists, tuples and dicts.
    """

    name: str
    trainable: bool
    own_parameters: list[Parameter]

    @property
    def sublayers(self) -> list[Any]:
        """The layers that this one is made of, in the order in which they became attributes."""
        found = (one for value in vars(self).values() for one in leaves(value, Weights))
        return list({id(one): one for one in found if one is not self}.values())

    def flattened(self) -> list[Any]:
        """Return this layer and all layers inside it, each once, an outer one first."""
        found: dict[int, Any] = {}
        waiting: list[Any] = [self]
        while waiting:
            layer = waiting.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                waiting += reversed(layer.sublayers)
        return list(found.values())

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters, those of the layers inside after its own."""
        found = (p for layer in self.flattened() for p in layer.own_parameters)
        return list({id(p): p for p in found}.values())

    def named_parameters(self) -> dict[str, Parameter]:
        """Return all parameters in order by their paths, "dense/kernel" or "block/dense/kernel".

        A parameter that two layers share has the first of its paths.
        """
        names: dict[int, str] = {}
        for path, parameter in self._named("", ""):
            names.setdefault(id(parameter), path)
        return {names[id(p)]: p for p in self.parameters}

    def _named(self, path: str, inside: str) -> Iterator[tuple[str, Parameter]]:
        for parameter in self.own_parameters:
            yield f"{path}{parameter.name}", parameter
        for layer in self.sublayers:
            yield from layer._named(inside, f"{inside}{layer.name}/")

    @property
    def trainable_parameters(self) -> list[Parameter]:
        """The parameters that training changes: not those of a layer that is not trainable."""
        if not self.trainable:
            return []
        own = [p for p in self.own_parameters if p.trainable]
        found = (p for layer in self.sublayers for p in layer.trainable_parameters)
        return list({id(p): p for p in (*own, *found)}.values())

    @property
    def weights(self) -> list[Parameter]:
        """All parameters; the same as `parameters` and `variables`."""
        return self.parameters

    variables = weights

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes; the same as `trainable_variables`."""
        return self.trainable_parameters

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that training does not change, or not by their gradients."""
        learned = {id(p) for p in self.trainable_parameters}
        return [p for p in self.parameters if id(p) not in learned]

    non_trainable_variables = non_trainable_weights

    def count_params(self) -> int:
        """Return the number of weights, trainable or not."""
        return sum(p.size for p in self.parameters)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all parameters, in the order of the layers and in Keras's shapes."""
        return [p.value.copy().reshape(p.keras_shape) for p in self.parameters]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Replace all parameters; none is replaced unless every array fits.

        Parameters
        ----------
        weights : arrays in the order and of the shapes that `get_weights` returns

        Raises
        ------
        ArgumentError, ShapeError, DTypeError : the list or an array does not fit
        """
        if not isinstance(weights, (list, tuple)):
            raise ArgumentError(
                f"weights must be a list of arrays, as get_weights() returns; got "
                f"{type(weights).__name__}"
            )
        parameters = self.parameters
        if len(weights) != len(parameters):
            raise ArgumentError(f"{self.name} has {len(parameters)} parameters; got {len(weights)}")
        arrays = [_fitting(p, value) for p, value in zip(parameters, weights, strict=True)]
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.assign(array)


def _fitting(parameter: Parameter, value: Any) -> np.ndarray:
    """Return the value as an array that the parameter can hold."""
    try:
        array = np.asarray(value)
    except ValueError as err:
        raise ShapeError(
            f"{parameter.name} has shape {parameter.shape}; got rows of different lengths"
        ) from err
    if array.shape == parameter.keras_shape:
        array = array.reshape(parameter.shape)
    if array.shape != parameter.shape:
        raise ShapeError(f"{parameter.name} has shape {parameter.keras_shape}; got {array.shape}")
    if array.dtype.kind not in "uifb":
        raise DTypeError(f"{parameter.name} holds real numbers; got {array.dtype}")
    return array
