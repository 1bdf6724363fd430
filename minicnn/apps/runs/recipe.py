"""What a recipe is: a system of a paper as settings, and what the paper says about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn.apps.runs.settings import Settings
from minicnn.errors import ArgumentError

FEW = 3  # classes that an error names

# What a photograph may undergo and still show the same.
PHOTOGRAPHS = {
    "rotation_range": 10,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def adam(rate: float) -> dict[str, Any]:
    """Settings of Adam whose rate rises for a twentieth of the steps, then falls to 0 as a wave."""
    return {"name": "adam", "learning_rate": rate, "schedule": "cosine", "warm_up": 0.05}


@dataclass(frozen=True)
class Said:
    """One line of the table "paper / here"."""

    what: str
    paper: str  # as it is printed there
    here: str = ""  # a key of `report.measured`; "" if nothing was measured for it


@dataclass(frozen=True)
class Recipe:
    """A system of a paper.

    Parameters
    ----------
    title : of the report
    paper : which one, and what it did
    settings : the training that reaches the paper's figure; `data` is a name below the data folder
    printed : the training as the paper prints it, where that is another one
    said : what the paper says
    notes : what a reader of the report should know
    classes : what the images show; those of a data set of one's own must be the same kinds
    """

    title: str
    paper: str
    settings: Settings
    said: tuple[Said, ...]
    printed: Settings | None = None
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def check_classes(self, found: Sequence[str], data: str) -> None:
        """Raise ArgumentError if images of these classes are not what the system is about.

        Capitals and a plural's s do not matter: "Cats" are "cat".
        """
        if {_kind(name) for name in found} != {_kind(name) for name in self.classes}:
            network, place = self.settings.model, shlex.quote(data)
            raise ArgumentError(
                f"{Path(data).name} has {len(found)} classes, {_few(found)}; {self.title!r} is "
                f"about {_few(self.classes)}. For others: minicnn train --data {place} "
                f"--model {network}"
            )


def _few(names: Sequence[str]) -> str:
    """The first of the names, for a message."""
    return ", ".join(names[:FEW]) + (", ..." if len(names) > FEW else "")


def _kind(name: str) -> str:
    return name.lower().removesuffix("s")
