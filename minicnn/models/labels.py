"""The names of a network's classes, and what goes into it: they are kept with the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.checks import check_int, shape_text
from minicnn.data.image_modes import CHANNELS
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from minicnn.models.network import Network

# Sums of float32 probabilities are this near to 1; logits are not.
NEAR_ONE = 1e-3


def decode_predictions(
    predictions: Any, class_names: Sequence[str] | None = None, top: int = 5
) -> list[list[tuple[float, str]]]:
    """The `top` most probable classes of each image, best first: (probability, class name).

    Parameters
    ----------
    predictions : (N, classes) probabilities, as `predict` gives them; or (N, 1), the probability
        of the second of two classes
    class_names : default: the classes' numbers
    top : at most so many; of equals the first class comes first

    Raises
    ------
    ShapeError, ArgumentError : these are no probabilities, or not of as many classes as names

    Examples
    --------
    >>> decode_predictions(np.array([[0.25, 0.5, 0.25]]), ["ant", "bee", "cat"], top=2)
    [[(0.5, 'bee'), (0.25, 'ant')]]
    >>> decode_predictions(np.array([[0.75]]), ["cat", "dog"])
    [[(0.75, 'dog'), (0.25, 'cat')]]
    """
    rows = _probabilities(predictions)
    classes = rows.shape[1]
    names = [str(i) for i in range(classes)] if class_names is None else list(class_names)
    if len(names) != classes:
        raise ArgumentError(f"predictions are of {classes} classes; got {len(names)} class_names")
    best = np.argsort(-rows, axis=1, kind="stable")[:, : check_int(top, "top")]
    return [
        [(float(row[c]), names[c]) for c in order] for row, order in zip(rows, best, strict=True)
    ]


def _probabilities(predictions: Any) -> np.ndarray:
    """(N, classes); one sigmoid's column p becomes the two columns 1 - p and p."""
    rows = np.asarray(predictions)
    if rows.ndim != 2:
        raise ShapeError(f"predictions must be (N, classes); got {shape_text(rows.shape)}")
    if rows.shape[1] == 1:
        rows = np.concatenate([1 - rows, rows], axis=1)
    # NaN passes: who sees it as a probability knows more than from an error about sums.
    if (rows < 0).any() or (np.abs(rows.sum(1) - 1) > NEAR_ONE).any():
        raise ArgumentError(
            "predictions must be probabilities, each row's sum 1; these are not. Outputs of a "
            "network without softmax become such by mc.layers.Softmax()(outputs)"
        )
    return rows


def checked_names(network: Network, names: Sequence[str] | None) -> list[str] | None:
    """A name for each of the network's classes, or None."""
    if names is None or names == []:
        return None
    fine = isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
    if not fine:
        raise ArgumentError(f"class_names must be a list of strings; got {names!r:.80}")
    outputs = network.output_shape if network.is_built else None
    # One sigmoid tells two classes apart.
    if isinstance(outputs, tuple) and len(names) != max(outputs[-1], 2):
        raise ArgumentError(
            f"{network.name} has {max(outputs[-1], 2)} classes; got {len(names)} class_names: "
            f"{', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
        )
    return list(names)


def checked_preprocess(network: Network, preprocess: Preprocess | None) -> Preprocess | None:
    """What makes arrays of the shape that the network's input has, or None."""
    if preprocess is None:
        return None
    if not isinstance(preprocess, Preprocess):
        raise ArgumentError(f"preprocess must be a mc.data.Preprocess; got {preprocess!r:.80}")
    preprocess = preprocess.checked()
    inputs = network.input_shape if network.is_built else None
    if isinstance(inputs, tuple) and inputs[1:] != preprocess.image_shape:
        raise ShapeError(
            f"preprocess makes images {preprocess.image_shape}; {network.name} takes {inputs[1:]}"
        )
    return preprocess


def usual_preprocess(network: Network) -> Preprocess:
    """The input's size and colors, pixels as 0...1: what most networks were trained with.

    For a model that does not say it. Where its first layer rescales, pixels stay 0...255.
    """
    inputs = network.input_shape
    colors = {channels: mode for mode, channels in CHANNELS.items()}
    if not isinstance(inputs, tuple) or len(inputs) != 4 or inputs[3] not in colors:
        raise ArgumentError(
            f"{network.name} takes {inputs}; an image file becomes (None, H, W, C) with C = 1, 3 "
            "or 4"
        )
    scale = 1.0 if network.rescales(0) else 1 / 255
    return Preprocess(inputs[1:3], colors[inputs[3]], scale=scale)
