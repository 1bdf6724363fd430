"""A network that is looked into: with its name, its classes and how its images are prepared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from minicnn.data.preprocess import Preprocess
from minicnn.models import Model


@dataclass(frozen=True)
class OpenNetwork:
    """A network and what the page says about it.

    Parameters
    ----------
    name : what addresses and pages call it
    model : the network
    class_names : one for each of its outputs
    preprocess : how image files become its inputs
    source : the file it was read from; None: it was made here
    """

    name: str
    model: Model
    class_names: tuple[str, ...]
    preprocess: Preprocess
    source: Path | None = None
