"""Opening the networks that are explored."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from minicnn import zoo
from minicnn.apps.explorer.default_networks import default_networks
from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.run_networks import run_networks
from minicnn.apps.runs.networks import NETWORKS
from minicnn.checks import nearest
from minicnn.errors import ArgumentError, MissingExtraError
from minicnn.models import load_model
from minicnn.support.text import quoted
from minicnn.zoo.pretrained.efficientnet_lite0 import weights_path

Say = Callable[[str], None]
PHOTO_SMALL, LITE0 = "photo-small", "efficientnet-lite0"


def open_networks(sources: Sequence[str], say: Say = lambda _text: None) -> list[OpenNetwork]:
    """Return the networks of model files, runs and the zoo; without one, a trained LeNet.

    Parameters
    ----------
    sources : model files, folders of runs, or names of the zoo: "photo-small" and, with the extra
        `imagenet`, "efficientnet-lite0" are trained, the others have initial weights. A file or
        folder of that name counts more than a network of the zoo
    say : is told about what takes time

    Raises
    ------
    ArgumentError : there is no such network, or it cannot be explored
    OSError, FormatError : a file cannot be read
    """
    found = [one for source in sources for one in _networks(source)]
    return _with_own_names(found) if found else default_networks(say)


def _networks(source: str) -> list[OpenNetwork]:
    path = Path(source)
    if path.is_dir():
        return run_networks(path)
    if path.exists():
        return [opened(path.stem, load_model(path, compile=False), path)]
    if source in NETWORKS:
        return [_of_zoo(source)]
    if path.suffix or len(path.parts) > 1:
        raise FileNotFoundError(errno.ENOENT, "no such file or folder", source)
    raise ArgumentError(
        f"{quoted(source)} is not a file, a run folder or a network of the zoo"
        f"{nearest(source, NETWORKS)}"
    )


def _of_zoo(name: str) -> OpenNetwork:
    if name == PHOTO_SMALL:
        return opened(name, zoo.photo_small(weights="photos"), title="photo-small, trained")
    if name == LITE0 and _has_lite0_weights():
        return opened(name, zoo.efficientnet_lite0(), title="EfficientNet-Lite0, trained")
    spec = NETWORKS[name]
    model = spec.build(weights=None) if name == LITE0 else spec.build()
    return opened(name, model, preprocess=spec.preprocess, title=f"{name}, initial weights")


def _has_lite0_weights() -> bool:
    try:
        weights_path()
    except MissingExtraError:
        return False
    return True


def _with_own_names(networks: Sequence[OpenNetwork]) -> list[OpenNetwork]:
    """Return the networks with different names: a second lenet is called lenet-2."""
    taken: set[str] = set()
    named = []
    for network in networks:
        name, number = network.name, 1
        while name in taken:
            number += 1
            name = f"{network.name}-{number}"
        taken.add(name)
        named.append(network if name == network.name else replace(network, name=name))
    return named
