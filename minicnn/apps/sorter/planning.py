"""The plan of a sorting: where each image goes, under which name, and why some stay."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.apps.sorter.classifying import Answer
from minicnn.apps.sorter.companions import Group
from minicnn.apps.sorter.finding import Found
from minicnn.apps.sorter.names import folder_name, folder_names, free_folder_name
from minicnn.apps.sorter.target_names import TargetNames
from minicnn.checks import check_number
from minicnn.errors import ArgumentError

UNSURE, UNREADABLE, THERE = "unsure", "unreadable", "already there"


class Choices(NamedTuple):
    """What the user chose.

    Parameters
    ----------
    min_confidence : an image whose most probable class has a smaller probability is unsure
    move : move the files; default: copy them
    unsure : name of the folder for unsure images; "" leaves them where they are
    into : the folder in which the class folders are; default: the folder of the images
    """

    min_confidence: float = 0.6
    move: bool = False
    unsure: str = "unsure"
    into: Path | None = None


class PlannedGroup(NamedTuple):
    """Where one image goes with its companions."""

    group: Group
    answer: Answer
    label: str | None  # the class that the model or a person chose; None if unsure or unreadable
    target: Path | None  # of the image; None if it stays
    note: str = ""  # UNSURE, UNREADABLE or THERE
    targets: tuple[Path, ...] = ()  # of the image and its companions

    @property
    def probability(self) -> float | None:
        """The probability of the most probable class."""
        return self.answer.top[0][1] if self.answer.top else None

    @property
    def is_carried(self) -> bool:
        """Whether applying the plan moves or copies it."""
        return self.target is not None and self.note != THERE


class Plan:
    """What a sorting will do; nothing has been changed yet.

    Attributes
    ----------
    folder : of the images
    into : the folder in which the class folders are
    choices : as given
    items : one PlannedGroup per image, in the order of `found.groups`
    """

    def __init__(self, found: Found, answers: Sequence[Answer], choices: Choices) -> None:
        """Plan as `make_plan` describes it."""
        self.folder, self.choices = found.folder, choices
        self.into = Path(os.path.abspath(choices.into or found.folder))
        labels = {label for answer in answers for label, _ in answer.top}
        self._folders = folder_names(labels)
        self._names = TargetNames()
        self.items: list[PlannedGroup] = []
        for group, answer in zip(found.groups, answers, strict=True):
            self.items.append(self._planned(group, answer, self._label_of(answer)))

    def counts(self) -> dict[str, int]:
        """Return how many images go to each folder, by the folder's name, the largest first."""
        folders = (one.target.parent.name for one in self.items if one.is_carried and one.target)
        return dict(Counter(folders).most_common())

    def notes(self) -> dict[str, int]:
        """Return how many images have each note."""
        return dict(Counter(one.note for one in self.items if one.note))

    def conflicts(self) -> list[PlannedGroup]:
        """Return the images that get another name, because theirs is taken."""
        return [
            one
            for one in self.items
            if one.is_carried and one.target and one.target.name != one.group.image.name
        ]

    def bytes_needed(self) -> int:
        """Return how many bytes will be written to the disk of `into`."""
        carried = [one.group for one in self.items if one.is_carried]
        disk = _disk(self.into)
        return sum(
            os.path.getsize(path)
            for group in carried
            if not self.choices.move or _disk(group.image.parent) != disk
            for path in group.files
            if os.path.exists(path)
        )

    def least_certain(self, n: int) -> list[PlannedGroup]:
        """Return the `n` readable images with the smallest probabilities, the smallest first."""
        read = [one for one in self.items if one.answer.top]
        return sorted(read, key=lambda one: one.answer.top[0][1])[:n]

    def assign(self, index: int, label: str | None) -> None:
        """Let the image `items[index]` go to another class, or to the unsure ones with None."""
        one = self.items[index]
        if label is not None and label not in self._folders:
            self._folders[label] = free_folder_name(label, self._folders.values())
        self._names.release(one.targets)
        self.items[index] = self._planned(one.group, one.answer, label)

    def _label_of(self, answer: Answer) -> str | None:
        if not answer.top or answer.top[0][1] < self.choices.min_confidence:
            return None
        return answer.top[0][0]

    def _planned(self, group: Group, answer: Answer, label: str | None) -> PlannedGroup:
        """Return where a group goes if its image is of this class."""
        note = UNSURE if label is None else ""
        if label is None and not answer.top:
            return PlannedGroup(group, answer, None, None, UNREADABLE)
        if label is None and not self.choices.unsure:
            return PlannedGroup(group, answer, None, None, note)
        name = self.choices.unsure if label is None else self._folders[label]
        targets, there = self._names.take(self.into / name, group)
        return PlannedGroup(group, answer, label, targets[0], THERE if there else note, targets)


def make_plan(found: Found, answers: Sequence[Answer], choices: Choices | None = None) -> Plan:
    """Plan where each image goes, without changing anything.

    An image goes to the folder of its most probable class, under its own name. A name that is taken
    gets a number, as in `cat (1).jpg`; names that differ only in case count as one. An image whose
    target exists with the same content, and the same companions, is already there.

    Parameters
    ----------
    found : as `find` returned it
    answers : one per image, as `classify` returned them
    choices : default: `Choices()`

    Raises
    ------
    ArgumentError : a choice is not possible
    """
    choices = choices or Choices()
    if check_number(choices.min_confidence, "min_confidence", 0.0) > 1.0:
        raise ArgumentError(f"min_confidence must be in 0...1; got {choices.min_confidence}")
    if choices.unsure and folder_name(choices.unsure) != choices.unsure:
        raise ArgumentError(f"unsure must be the name of a folder; got {choices.unsure!r}")
    return Plan(found, answers, choices)


def _disk(folder: Path) -> int:
    """Return the number of the disk of a folder, or of the first one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.stat(folder).st_dev
