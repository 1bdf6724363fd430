"""A network that is explored: with its name, its classes and how its images are prepared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from minicnn.apps.explorer.recording import Recording
from minicnn.contracts import Shape
from minicnn.data.preprocess import Preprocess
from minicnn.models import Model


@dataclass(frozen=True)
class OpenNetwork:
    """A network and what the page says about it. Its weights must not change any more.

    Parameters
    ----------
    name : what addresses and pages call it
    model : the network
    class_names : one for each of its classes
    preprocess : how image files become its inputs
    source : the file it was read from; None: it was made here
    title : what people call it; default: the name
    run : the name of the run that it is from
    epoch : after which epoch of this run, counted from 1; None: it is not known
    """

    name: str
    model: Model
    class_names: tuple[str, ...]
    preprocess: Preprocess
    source: Path | None = None
    title: str = ""
    run: str | None = None
    epoch: int | None = None

    @cached_property
    def recording(self) -> Recording:
        """The steps that it runs for one image."""
        return Recording(self.model, self.name)

    @cached_property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """The values of all parameters by their names; they cannot be written."""
        return {name: one.value for name, one in self.model.named_parameters().items()}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the weights: what was computed with others has another one."""
        digest = hashlib.sha256()
        for name, value in self.parameters.items():
            digest.update(f"{name} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the image that it is fed."""
        return self.recording.input_shape

    @property
    def output_shape(self) -> Shape:
        """The shape of what it answers, such as (classes,)."""
        return self.recording.shape_of(self.recording.output)
