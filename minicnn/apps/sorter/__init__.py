"""Sorting images into folders by what a network sees on them, without losing any.

`find` lists the images of a folder, `classify` asks a model about them, `make_plan` decides where
each goes, and `apply` copies or moves the files. `undo` and `resume` go by the journal.
"""

from minicnn.apps.sorter.applying import apply
from minicnn.apps.sorter.classifying import Answer, answers, classify
from minicnn.apps.sorter.companions import Group
from minicnn.apps.sorter.finding import Found, find
from minicnn.apps.sorter.journal_reading import (
    interrupted_journal,
    latest_journal,
    read_journal,
    unfinished_journal,
)
from minicnn.apps.sorter.outcome import Outcome
from minicnn.apps.sorter.planning import (
    THERE,
    UNREADABLE,
    UNSURE,
    Choices,
    Plan,
    PlannedGroup,
    make_plan,
)
from minicnn.apps.sorter.undoing import resume, undo

__all__ = [
    "THERE",
    "UNREADABLE",
    "UNSURE",
    "Answer",
    "Choices",
    "Found",
    "Group",
    "Outcome",
    "Plan",
    "PlannedGroup",
    "answers",
    "apply",
    "classify",
    "find",
    "interrupted_journal",
    "latest_journal",
    "make_plan",
    "read_journal",
    "resume",
    "undo",
    "unfinished_journal",
]
