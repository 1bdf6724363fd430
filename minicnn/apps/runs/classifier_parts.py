"""The two parts of a classifier: what finds features in images, and the last layer on top of it."""

from __future__ import annotations

from minicnn.errors import ArgumentError
from minicnn.layers import Activation, Dense, Input, Softmax
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models import Model, Sequential

AFTER = (Activation, Softmax)  # layers that may follow the classifier: they have no size


def classifier_output(model: Model) -> SymbolicTensor | None:
    """Return the output of the Dense layer whose outputs are the classes; None if there is none."""
    tensor = _last(model)
    return tensor if isinstance(tensor.layer, Dense) and not model.is_subclassed else None


def need_classifier(model: Model) -> Dense:
    """Return the Dense layer whose outputs are the classes.

    Raises
    ------
    ArgumentError : the network does not end in one
    """
    last = _last(model).layer
    if isinstance(last, Dense) and not model.is_subclassed:
        return last
    raise ArgumentError(
        f"{model.name} ends in {type(last).__name__}, so it cannot learn new classes; that "
        "needs a Dense layer with one output per class. It can learn more images of its own classes"
    )


def feature_network(model: Model) -> Model | None:
    """Return the network from images to what the last Dense layer reads, of the same layers.

    It is None if the network does not end in a Dense layer that reads vectors.
    """
    tensor = classifier_output(model)
    if tensor is None or len(tensor.inputs[0].shape) != 2:
        return None
    return Model(model.graph.inputs[0], tensor.inputs[0], name=model.name)


def head_network(model: Model) -> Sequential:
    """Return the network from features to the outputs, of the same layers: what it learns, they do.

    Raises
    ------
    ArgumentError : the network does not end in a Dense layer
    """
    classifier, tensor = need_classifier(model), model.graph.outputs[0]
    after: list[Layer] = []
    while tensor.layer is not classifier:
        after.insert(0, tensor.layer)
        tensor = tensor.inputs[0]
    return Sequential([Input(tensor.inputs[0].shape[1:]), classifier, *after], name="head")


def _last(model: Model) -> SymbolicTensor:
    """Return the first output before what only rescales it."""
    tensor = model.graph.outputs[0]
    while isinstance(tensor.layer, AFTER):
        tensor = tensor.inputs[0]
    return tensor
