"""The search space in which the network for photographs was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minicnn.models import Model
from minicnn.tune.space import HyperParameters
from minicnn.zoo.stacked import stacked


def photo_space(
    image_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 6,
    *,
    rescale: float | None = 1 / 255,
) -> Callable[[HyperParameters], Model]:
    """Return a `build_model` for networks of 2 to 9 convolutions and one hidden dense layer.

    It searches for the filters of the first convolution (32...128 in steps of 32), the number of
    further convolutions (1...8), the filters of each (64...256 in steps of 32) and the units of the
    dense layer (128...512 in steps of 64). The names of these are those of the paper's report.

    Parameters
    ----------
    image_shape : tuple of 3 ints, default (150, 150, 3)
        (H, W, C).
    classes : int, default 6
        Number of classes; labels are class indices.
    rescale : float or None, default 1/255
        Factor for images of 0...255, uint8 or float32; None if they are in 0...1 already.

    Examples
    --------
    >>> hp = HyperParameters({"num_conv_layers_1+": 2, "conv_input_units": 96})
    >>> model = photo_space((64, 64, 3))(hp)
    >>> stacked_arguments(hp.values)
    {'filters': [96, 64, 64], 'units': 128}
    """

    def build_model(hp: HyperParameters) -> Model:
        model = stacked(image_shape, classes, rescale=rescale, **stacked_arguments(ask(hp)))
        model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return build_model


def ask(hp: HyperParameters) -> dict[str, Any]:
    """Ask for every hyperparameter of a network of this space, and return their values."""
    hp.Int("conv_input_units", 32, 128, step=32)
    for i in range(hp.Int("num_conv_layers_1+", 1, 8)):
        hp.Int(f"conv_input_units_{i}", 64, 256, step=32)
    hp.Int("dense_input_units", 128, 512, step=64)
    return hp.values


def stacked_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a trial's values to arguments of `zoo.stacked`.

    A report of Keras Tuner may contain units of layers that the network did not have; only the
    first `num_conv_layers_1+` of them are used.
    """
    further = range(values["num_conv_layers_1+"])
    names = ["conv_input_units", *(f"conv_input_units_{i}" for i in further)]
    return {
        "filters": [values[name] for name in names],
        "units": values["dense_input_units"],
    }
