"""Everything that one explorer looks into: networks, images, trainings."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.training.trainings import Trainings


class Explorer:
    """Networks, images and trainings.

    Parameters
    ----------
    networks : those that can be chosen; the first one is shown first
    folder : of images that can be chosen; None: only those of MNIST, drawings and files
    """

    def __init__(self, networks: Sequence[OpenNetwork], folder: Path | None = None) -> None:
        self.networks = {one.name: one for one in networks}
        self.folder = folder
        self.computing = threading.Lock()  # a network computes one batch at a time
        self.trainings = Trainings(folder)

    def close(self) -> None:
        """Stop what is running."""
        self.trainings.close()
