"""The space in which the network for photographs was searched for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minicnn.models import Model
from minicnn.tune.space import HyperParameters
from minicnn.zoo import stacked


def photo_space(
    image_shape: tuple[int, int, int] = (150, 150, 3),
    classes: int = 6,
    *,
    rescale: float | None = 1 / 255,
) -> Callable[[HyperParameters], Model]:
    """A function that builds networks of 2 to 9 convolutions and one hidden dense layer.

    Filters of the first convolution (32...128, steps of 32), number of further ones (1...8),
    filters of each (64...256, steps of 32) and units of the dense layer (128...512, steps of 64)
    are searched for; their names are those of the paper's report.

    Parameters
    ----------
    image_shape : (H, W, C)
    classes : int
        Kinds of photographs; labels are class numbers.
    rescale : float, optional
        Of images of 0...255, uint8 or float32; None where they are in 0...1 already.

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
    """Ask for everything that makes a network of this space; its values."""
    hp.Int("conv_input_units", 32, 128, step=32)
    for i in range(hp.Int("num_conv_layers_1+", 1, 8)):
        hp.Int(f"conv_input_units_{i}", 64, 256, step=32)
    hp.Int("dense_input_units", 128, 512, step=64)
    return hp.values


def stacked_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `zoo.stacked` for the values of a trial.

    A report of Keras Tuner may hold units of layers that its network did not have; only the first
    `num_conv_layers_1+` of them count.
    """
    further = range(values["num_conv_layers_1+"])
    names = ["conv_input_units", *(f"conv_input_units_{i}" for i in further)]
    return {
        "filters": [values[name] for name in names],
        "units": values["dense_input_units"],
    }
