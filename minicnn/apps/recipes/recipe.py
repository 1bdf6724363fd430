"""What a recipe is: a system of a paper as settings, and what the paper says about it."""

from __future__ import annotations

from dataclasses import dataclass

from minicnn.apps.runs.settings import Settings


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
    """

    title: str
    paper: str
    settings: Settings
    said: tuple[Said, ...]
    printed: Settings | None = None
    notes: tuple[str, ...] = ()
