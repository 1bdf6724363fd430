"""What runs in the background: look for images, classify, sort, undo.

These functions call the sorter and touch nothing of the window.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.apps import sorter
from minicnn.apps.sorter import learning
from minicnn.apps.sorter.learning import Lesson
from minicnn.apps.window.picture_list import Picture
from minicnn.apps.window.reasons import reason_text
from minicnn.apps.window.tasks import Task
from minicnn.models import Model
from minicnn.support.text import printable


class Opened(NamedTuple):
    """A folder with the images that are still to be sorted."""

    found: sorter.Found
    pictures: list[Picture]  # the same images as rows of a list
    journal: Path | None  # of the last sorting that can be undone
    interrupted: Path | None = None  # the journal of a sorting that was killed


class Sorted(NamedTuple):
    """How a sorting ended, and what it has left where it was."""

    outcome: sorter.Outcome
    left: Opened


def look(folder: Path, recursive: bool) -> Opened:
    """Find the images of a folder."""
    found = sorter.find(folder, recursive=recursive)
    rows = [_picture(i, group, found.folder) for i, group in enumerate(found.groups)]
    return Opened(found, rows, sorter.latest_journal(folder), sorter.interrupted_journal(folder))


def classify(
    task: Task, model: Model, found: sorter.Found, choices: sorter.Choices
) -> sorter.Plan | None:
    """Classify the images, half of the way, and plan where they go; None if it was stopped."""
    count, answers = len(found.groups), []
    for number, answer in sorter.answers(model, found.groups, stop=task.is_stopped):
        answers.append(answer)
        task.report(number + 1, 2 * count, printable(found.groups[number].image.name))
    return None if task.is_stopped() else sorter.make_plan(found, answers, choices)


def sort(task: Task, plan: sorter.Plan, changes: Mapping[int, str | None]) -> Sorted:
    """Copy or move the images, the other half of the way.

    Parameters
    ----------
    task : this function runs in it
    plan : what is to be done
    changes : images, by their number in the plan, that belong to another class than planned
    """
    for number, label in changes.items():
        plan.assign(number, label)
    names = [printable(one.group.image.name) for one in plan.items if one.is_carried]

    def done(count: int) -> None:
        task.report(len(names) + count, 2 * len(names), names[count - 1])

    outcome = sorter.apply(plan, done=done, stop=task.is_stopped)
    return Sorted(outcome, _left(plan, outcome))


def undo(task: Task, journal: Path) -> sorter.Outcome:
    """Take a sorting back."""
    groups = sorter.read_journal(journal).groups
    count = sum(any(entry.is_sorted for entry in group) for group in groups)
    return sorter.undo(journal, done=lambda n: task.report(n, count), stop=task.is_stopped)


def resume(task: Task, journal: Path) -> sorter.Outcome:
    """Go on with a sorting that was killed."""
    groups = sorter.read_journal(journal).groups
    count = sum(not all(entry.is_sorted for entry in group) for group in groups)
    return sorter.resume(journal, done=lambda n: task.report(n, count), stop=task.is_stopped)


def learn(model: Model, folder: Path, target: Path) -> Lesson:
    """Write a model that has learned from pictures in folders of their classes."""
    lesson = learning.learn(model, folder, say=lambda _: None)
    lesson.model.save(target, include_optimizer=False)
    return lesson


def _left(plan: sorter.Plan, outcome: sorter.Outcome) -> Opened:
    """Return the images that stay, each with the reason: unreadable, failed, not begun."""
    failed, not_begun = dict(outcome.failed), _not_begun(outcome)
    groups: list[sorter.Group] = []
    rows: list[Picture] = []
    for item in plan.items:
        reasons = [item.answer.failure, *(failed.get(path) for path in item.group.files)]
        reason = next((one for one in reasons if one), "")
        if reason or item.group.image in not_begun:
            rows.append(_picture(len(rows), item.group, plan.folder, reason))
            groups.append(item.group)
    return Opened(sorter.Found(plan.folder, groups, {}), rows, sorter.latest_journal(plan.into))


def _not_begun(outcome: sorter.Outcome) -> set[Path]:
    """Return the images that a sorting had not come to when it was stopped."""
    if outcome.journal is None or not outcome.stopped:
        return set()
    record = sorter.read_journal(outcome.journal)
    return {record.path_of(group[0].source) for group in record.groups if not group[0].is_sorted}


def _picture(number: int, group: sorter.Group, folder: Path, reason: str = "") -> Picture:
    """Return the row of an image: its name below the folder, and a line about it."""
    path = printable(group.image)
    name = path.removeprefix(printable(folder)).lstrip(os.sep)
    line = printable(reason_text(reason) if reason else _names(group.companions))
    return Picture(number, group.image, f"{name}\n{line}" if line else name, path)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)
