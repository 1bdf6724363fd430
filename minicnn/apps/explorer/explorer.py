"""Everything that one explorer looks into: networks, images, trainings."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from minicnn.apps.explorer.edits import edited, edited_parameters, edits_of
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.images import Digits, FolderImages, Images
from minicnn.apps.explorer.kept_passes import KeptPasses
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import UNKNOWN, Problem
from minicnn.apps.explorer.training.trainings import Trainings
from minicnn.support.text import quoted

TRAINING = "training-"  # and a number: the network that is being trained


class Explorer:
    """Networks, images and trainings.

    Parameters
    ----------
    networks : those that can be chosen; the first one is shown first
    folder : of images that can be chosen; None: only those of MNIST, drawings and files

    Raises
    ------
    FileNotFoundError : there are no images in the folder
    """

    def __init__(self, networks: Sequence[OpenNetwork], folder: Path | None = None) -> None:
        self.networks = {one.name: one for one in networks}
        self.folder = folder
        self.sources: dict[str, Images] = {"mnist": Digits()}
        if folder is not None:
            self.sources["folder"] = FolderImages(folder)
        self.passes = KeptPasses()
        self.computing = threading.Lock()  # a network computes one batch at a time
        self.trainings = Trainings(folder)

    def all_networks(self) -> list[OpenNetwork]:
        """Return the networks that can be chosen, those that are being trained at the end."""
        found = list(self.networks.values())
        for number in self.trainings.numbers:
            with suppress(Problem):  # it has ended in the meantime
                found.append(self.trainings.snapshot(number))
        return found

    def network(self, name: str) -> OpenNetwork:
        """Return the network of this name; "training-3" is the one that training 3 trains.

        Raises
        ------
        Problem : there is no such network
        """
        if name in self.networks:
            return self.networks[name]
        number = name.removeprefix(TRAINING)
        if name != number and number.isascii() and number.isdigit() and len(number) < 9:
            return self.trainings.snapshot(int(number))
        known = ", ".join(self.networks)
        raise Problem(f"there is no network {quoted(name)}; there are {known}", UNKNOWN)

    def images(self, source: str) -> Images:
        """Return the images of "mnist" or "folder"; raise Problem if there are none."""
        if source not in self.sources:
            known = " and ".join(self.sources)
            raise Problem(f"images come from {known}; got {quoted(source)}", UNKNOWN)
        return self.sources[source]

    def image_pixels(self, address: str, network: OpenNetwork) -> np.ndarray:
        """Return the image of an address such as "mnist:17" as a network reads it: uint8 (H, W, C).

        Raises
        ------
        Problem : there is no such image
        ImageReadError : its file cannot be read
        """
        source, _, name = address.partition(":")
        images = self.images(source)
        return images.pixels(images.number(name), network.preprocess)

    def image_label(self, address: str, network: OpenNetwork) -> int | None:
        """Return the class that an image is known to be of, None if that is not known."""
        source, _, name = address.partition(":")
        images = self.images(source)
        return images.chosen(images.number(name), network).label

    def compute(
        self,
        network: OpenNetwork,
        x: np.ndarray,
        label: int | None = None,
        edits: Sequence[str] = (),
    ) -> Pass:
        """Return the pass of an input, float32 (1, H, W, C); the same question has the same pass.

        Parameters
        ----------
        network : one of this explorer's, or a network that is being trained
        x : what the network is fed, before the changes by hand
        label : the number of the true class
        edits : changes by hand, as `edit_of` reads them

        Raises
        ------
        Problem : there is no such class, or an edit is not possible
        """
        if label is not None and not 0 <= label < len(network.class_names):
            most = len(network.class_names) - 1
            raise Problem(f"{network.name} has classes 0 to {most}; got label {label}")
        wanted = edits_of(edits, network)
        id = _id(network, x, label, [str(edit) for edit in wanted])
        found = self.passes.find(id)
        if found is None:
            changed = edited_parameters(network, wanted)
            found = Pass(id, network, edited(x, wanted), changed, label, self.computing)
            self.passes.add(found)
        return found

    def close(self) -> None:
        """Stop what is running."""
        self.trainings.close()


def drawing_input(pixels: np.ndarray, network: OpenNetwork) -> np.ndarray:
    """Return what the network is fed for a drawing, pixels of 0...255, (H, W, C).

    A drawing is white on black, so it is never inverted.
    """
    return network.preprocess._replace(background="")(pixels[None])


def image_input(pixels: np.ndarray, network: OpenNetwork) -> np.ndarray:
    """Return what the network is fed for an image, uint8 (H, W, C)."""
    return network.preprocess(pixels[None])


def _id(network: OpenNetwork, x: np.ndarray, label: int | None, edits: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{network.name} {label} {edits} {network.fingerprint}".encode())
    digest.update(np.ascontiguousarray(x).data)
    return digest.hexdigest()[:32]
