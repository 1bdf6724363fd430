"""The networks that a training can be asked for by name, and the images that each was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minicnn import zoo
from minicnn.checks import nearest
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model


class Network(NamedTuple):
    """A function of the zoo, and the size and colours of its images."""

    build: Callable[..., Model]
    preprocess: Preprocess
    fixed: bool = False  # does it take images of this one size only?


NETWORKS = {
    # Its first layer rescales by 1/256, as Caffe does.
    "lenet": Network(zoo.lenet, Preprocess((28, 28), "grayscale", scale=1.0), fixed=True),
    "lenet5": Network(zoo.lenet5, Preprocess((28, 28), "grayscale")),
    "cifar": Network(zoo.cifar, Preprocess((32, 32))),
    "scene": Network(zoo.scene, Preprocess((150, 150))),
    "photo": Network(zoo.photo, Preprocess((150, 150))),
    "stacked": Network(zoo.stacked, Preprocess((150, 150))),
    "xray": Network(zoo.xray, Preprocess((512, 512))),
    "catdog": Network(zoo.catdog, Preprocess((64, 64))),
    "caffenet": Network(zoo.caffenet, Preprocess((227, 227))),
}


def network(name: str) -> Network:
    """The network of that name; an unknown one is refused with the nearest known one."""
    if name not in NETWORKS:
        raise ArgumentError(f"no network {name!r}{nearest(name, NETWORKS)}")
    return NETWORKS[name]


def build(name: str, preprocess: Preprocess, classes: int, options: Mapping[str, Any]) -> Model:
    """The network for images of this size and so many classes; `options` go to its function."""
    kind = network(name)
    if not kind.fixed:
        return kind.build(preprocess.image_shape, classes, **options)
    if preprocess.image_shape != kind.preprocess.image_shape or classes != FIXED_CLASSES:
        raise ArgumentError(
            f"{name} is made for {FIXED_CLASSES} classes of {kind.preprocess.size} images; got "
            f"{classes} classes of {preprocess.size}. --model lenet5 takes others"
        )
    return kind.build(**options)


FIXED_CLASSES = 10
