"""A model as a network that can be explored: with class names and preprocessing."""

from __future__ import annotations

from pathlib import Path

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import Problem
from minicnn.data.preprocess import Preprocess
from minicnn.models import Model

MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}


def opened(
    name: str,
    model: Model,
    source: Path | None = None,
    *,
    preprocess: Preprocess | None = None,
    title: str = "",
    run: str | None = None,
    epoch: int | None = None,
) -> OpenNetwork:
    """Return a model with what a page must know about it.

    Parameters
    ----------
    name : what addresses and pages call it
    model : its class names are its own; a model without any has the numbers of its classes
    source : the file that it was read from
    preprocess : how its images are prepared, if the model does not say; default: pixels are divided
        by 255, unless the network rescales them itself
    title, run, epoch : as in OpenNetwork

    Raises
    ------
    Problem : the model does not compute one value per class from one image
    """
    if not model.is_built:
        raise Problem(f"{name} has no input shape yet, so it cannot be explored")
    network = OpenNetwork(
        name, model, _class_names(model), model.preprocess or preprocess or _usual(model),
        source, title, run, epoch,
    )  # fmt: skip
    if network.preprocess.image_shape != network.input_shape:
        raise Problem(
            f"{name} takes images of {network.input_shape}, but its preprocessing makes "
            f"{network.preprocess.image_shape}"
        )
    if len(network.output_shape) != 1:
        raise Problem(
            f"{name} answers with {network.output_shape}, not with one value per class; only "
            "networks that tell classes apart can be looked into"
        )
    return network


def _class_names(model: Model) -> tuple[str, ...]:
    if model.class_names:
        return tuple(model.class_names)
    shape = model.output_shape
    classes = shape[-1] if isinstance(shape, tuple) else 0
    return tuple(map(str, range(max(classes, 2))))


def _usual(model: Model) -> Preprocess:
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        return Preprocess((1, 1))  # the recording says what is wrong
    mode, gray = MODES.get(shape[3], "rgb"), shape[3] == 1
    scale = 1.0 if model.rescales(0) else 1 / 255
    return Preprocess((shape[1], shape[2]), mode, scale=scale, background="dark" if gray else "")
