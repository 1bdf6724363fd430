"""What the preview shows of a plan: a column for each folder, and a note about the rest."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.apps import sorter
from minicnn.apps.window.picture_list import Picture
from minicnn.apps.window.status import Status, percent
from minicnn.support.text import printable

MOST_EMPTY = 12  # a model with more classes has no columns for those without pictures


class ColumnContent(NamedTuple):
    """The pictures that are going to one folder, the least certain first."""

    label: str | None  # the class; None for the unsure ones
    title: str
    pictures: list[Picture]


class PreviewContent(NamedTuple):
    """A plan as the preview shows it."""

    plan: sorter.Plan
    columns: list[ColumnContent]
    note: str


def preview_content(plan: sorter.Plan, class_names: Sequence[str]) -> PreviewContent:
    """Return the columns of a plan, and a note; this reads the sizes of all files."""
    return PreviewContent(plan, _columns(plan, class_names), " ".join(_notes(plan)))


def _columns(plan: sorter.Plan, class_names: Sequence[str]) -> list[ColumnContent]:
    going: dict[str | None, list[int]] = defaultdict(list)
    for number, item in enumerate(plan.items):
        if item.is_carried:
            going[item.label].append(number)
    shown = [name for name in class_names if name in going or len(class_names) <= MOST_EMPTY]
    return [
        ColumnContent(label, plan.choices.unsure if label is None else label, _cards(plan, numbers))
        for label, numbers in ((label, going[label]) for label in [*shown, None])
    ]


def _cards(plan: sorter.Plan, numbers: list[int]) -> list[Picture]:
    numbers = sorted(numbers, key=lambda number: plan.items[number].probability or 0.0)
    return [_card(number, plan.items[number]) for number in numbers]


def _card(number: int, item: sorter.PlannedGroup) -> Picture:
    path = item.group.image
    answers = [f"{printable(label)} {percent(share)}" for label, share in item.answer.top]
    tip = "\n".join([printable(path.name), *answers])
    return Picture(number, path, percent(item.probability or 0.0), tip)


def _notes(plan: sorter.Plan) -> Iterator[str]:
    text = Status()
    taken = plan.conflicts()
    if taken and taken[0].target:
        yield text.taken(len(taken), taken[0].target.name)
    yield from text.left_images(plan)
    needed, free = plan.bytes_needed(), _free_bytes(plan.into)
    if needed > free:
        yield text.too_large(needed, free)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
