"""The networks that `--model` can name, and the images that each was designed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minicnn import zoo
from minicnn.apps.runs import bases
from minicnn.apps.runs.settings import Settings
from minicnn.checks import nearest
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import Model

TEN = 10  # classes of the networks for digits
ANY = ("image_shape", "classes")
KERAS = ("input_shape", "classes")  # the words of keras.applications


class NetworkSpec(NamedTuple):
    """A function of the zoo, and the preprocessing of the images that it was designed for."""

    build: Callable[..., Model]
    preprocess: Preprocess
    takes: tuple[str, ...] = ANY  # the arguments for the images' shape and the number of classes


# Like MNIST's digits: light on dark. Both networks rescale the pixels themselves, as Caffe's does.
LARGE = Preprocess((224, 224))
DIGITS = Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
NETWORKS = {
    "lenet": NetworkSpec(zoo.lenet, DIGITS, ()),
    "lenet5": NetworkSpec(zoo.lenet5, DIGITS, ()),
    "cifar": NetworkSpec(zoo.cifar, Preprocess((32, 32))),
    "scene": NetworkSpec(zoo.scene, Preprocess((150, 150))),
    "photo": NetworkSpec(zoo.photo, Preprocess((150, 150))),
    "photo-small": NetworkSpec(zoo.photo_small, Preprocess((112, 112))),
    "stacked": NetworkSpec(zoo.stacked, Preprocess((150, 150))),
    "xray": NetworkSpec(zoo.xray, Preprocess((512, 512))),
    "catdog": NetworkSpec(zoo.catdog, Preprocess((64, 64))),
    "efficientnet-lite0": NetworkSpec(zoo.efficientnet_lite0, LARGE, KERAS),
    "mobilenet-v1": NetworkSpec(zoo.mobilenet_v1, LARGE, KERAS),
    "mobilenet-v2": NetworkSpec(zoo.mobilenet_v2, LARGE, KERAS),
    "resnet18": NetworkSpec(zoo.resnet18, LARGE, KERAS),
    "resnet50": NetworkSpec(zoo.resnet50, LARGE, KERAS),
    "vgg11": NetworkSpec(zoo.vgg11, LARGE, KERAS),
    "vgg16": NetworkSpec(zoo.vgg16, LARGE, KERAS),
}


def network_spec(name: str) -> NetworkSpec:
    """Return the network of that name; the error for an unknown one suggests the nearest."""
    if name not in NETWORKS:
        raise ArgumentError(f"no network {name!r}{nearest(name, NETWORKS)}")
    return NETWORKS[name]


def input_preprocess(settings: Settings) -> Preprocess:
    """Return the preprocessing of the settings' network, at the settings' image size if given."""
    if settings.base:
        preprocess = bases.find(settings.base).preprocess
    else:
        preprocess = network_spec(settings.model).preprocess
    size = settings.image_size
    return preprocess if size is None else preprocess._replace(size=size)


def build(name: str, preprocess: Preprocess, classes: int, options: Mapping[str, Any]) -> Model:
    """Build a network for images of this size and this number of classes.

    `options` are passed to the network's function; `classes=1` there gives two classes one
    sigmoid.
    """
    spec = network_spec(name)
    if spec.takes == KERAS:
        return _with_new_weights(spec, preprocess, classes, options)
    wanted = {"image_shape": preprocess.image_shape, "classes": classes}
    fixed = {"image_shape": spec.preprocess.image_shape, "classes": TEN}
    for argument, value in wanted.items():
        if argument not in spec.takes and value != fixed[argument]:
            raise ArgumentError(
                f"{name} needs {argument} {fixed[argument]}; got {value}. cifar accepts any size "
                "and number of classes"
            )
    return spec.build(**{argument: wanted[argument] for argument in spec.takes} | dict(options))


def _with_new_weights(
    spec: NetworkSpec, preprocess: Preprocess, classes: int, options: Mapping[str, Any]
) -> Model:
    """Build one of the networks whose arguments are those of keras.applications."""
    chosen = {"classes": classes, **options}
    activation = "sigmoid" if chosen["classes"] == 1 else "softmax"
    known = {"input_shape": preprocess.image_shape, "classifier_activation": activation}
    return spec.build(**{"weights": None, **known, **chosen})
