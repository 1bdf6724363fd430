"""A recipe: the settings that reproduce a paper's system, and the results that the paper claims."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn.apps.runs.settings import Settings
from minicnn.errors import ArgumentError

FEW = 3  # classes that an error names

# Augmentation that leaves a photograph recognizable.
PHOTO_AUGMENTATION = {
    "rotation_range": 10,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def adam(rate: float) -> dict[str, Any]:
    """Return Adam's settings, whose rate rises during 5 % of the steps and falls along a cosine."""
    return {"name": "adam", "learning_rate": rate, "schedule": "cosine", "warm_up": 0.05}


@dataclass(frozen=True)
class PaperClaim:
    """One row of the table that compares the paper with the run."""

    what: str
    paper: str  # the value as the paper prints it
    measured: str = ""  # a key of `report_json.measured_texts`; "" if a run does not measure it


@dataclass(frozen=True)
class Recipe:
    """The system of a paper.

    Parameters
    ----------
    title : title of the report
    paper : the paper, and what its authors did
    settings : the training that reaches the paper's result; `data` is a name below the data folder
    claims : the results that the paper prints
    printed : the training exactly as the paper describes it, if `settings` differ from it
    notes : remarks for the reader of the report
    classes : what the images show; a data set of your own must have the same classes
    """

    title: str
    paper: str
    settings: Settings
    claims: tuple[PaperClaim, ...]
    printed: Settings | None = None
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def check_classes(self, found: Sequence[str], data: str) -> None:
        """Raise ArgumentError if images of these classes do not fit the paper's system.

        Capitals and a plural s are ignored: "Cats" matches "cat".
        """
        if {_normalized(name) for name in found} != {_normalized(name) for name in self.classes}:
            network, folder = self.settings.model, shlex.quote(data)
            raise ArgumentError(
                f"{Path(data).name} has the {len(found)} classes {_few(found)}, but {self.title!r} "
                f"needs {_few(self.classes)}; to train on your own classes: minicnn train --data "
                f"{folder} --model {network}"
            )


def _few(names: Sequence[str]) -> str:
    """Return the first few names, for a message."""
    return ", ".join(names[:FEW]) + (", ..." if len(names) > FEW else "")


def _normalized(name: str) -> str:
    return name.lower().removesuffix("s")
