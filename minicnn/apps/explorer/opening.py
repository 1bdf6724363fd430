"""Opening the networks that are looked into."""

from __future__ import annotations

from collections.abc import Sequence

import minicnn as mc
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.data.preprocess import Preprocess


def open_networks(sources: Sequence[str]) -> list[OpenNetwork]:
    """Return the networks of model files, runs and the zoo; without one, a trained LeNet."""
    model = mc.zoo.lenet()
    preprocess = Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
    return [OpenNetwork("lenet", model, tuple("0123456789"), preprocess)]
