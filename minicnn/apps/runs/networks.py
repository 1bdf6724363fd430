"""The networks that a training can be asked for by name, and the images that each was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minicnn import zoo
from minicnn.checks import nearest
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model

TEN = 10  # classes of the networks for digits
ANY = ("image_shape", "classes")


class Network(NamedTuple):
    """A function of the zoo, and the size and colors of its images."""

    build: Callable[..., Model]
    preprocess: Preprocess
    takes: tuple[str, ...] = ANY  # which of the two its function can be told


# As MNIST has them, light on dark. The two networks rescale by themselves, as Caffe's does.
DIGITS = Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
NETWORKS = {
    "lenet": Network(zoo.lenet, DIGITS, ()),
    "lenet5": Network(zoo.lenet5, DIGITS, ()),
    "cifar": Network(zoo.cifar, Preprocess((32, 32))),
    "scene": Network(zoo.scene, Preprocess((150, 150))),
    "photo": Network(zoo.photo, Preprocess((150, 150))),
    "stacked": Network(zoo.stacked, Preprocess((150, 150))),
    "xray": Network(zoo.xray, Preprocess((512, 512))),
    "catdog": Network(zoo.catdog, Preprocess((64, 64))),
}


def network(name: str) -> Network:
    """The network of that name; an unknown one is refused with the nearest known one."""
    if name not in NETWORKS:
        raise ArgumentError(f"no network {name!r}{nearest(name, NETWORKS)}")
    return NETWORKS[name]


def build(name: str, preprocess: Preprocess, classes: int, options: Mapping[str, Any]) -> Model:
    """The network for images of this size and so many classes; `options` go to its function.

    `classes=1` in the options gives two classes one sigmoid.
    """
    kind = network(name)
    asked = {"image_shape": preprocess.image_shape, "classes": classes}
    own = {"image_shape": kind.preprocess.image_shape, "classes": TEN}
    for what, value in asked.items():
        if what not in kind.takes and value != own[what]:
            raise ArgumentError(
                f"{name} is made for {what} {own[what]}; got {value}. cifar takes any size and "
                "number of classes"
            )
    return kind.build(**{what: asked[what] for what in kind.takes} | dict(options))
