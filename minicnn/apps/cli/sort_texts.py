"""What `minicnn sort` prints: the plan as text, table and JSON, and how the sorting ended."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from minicnn.apps import sorter
from minicnn.apps.cli import output
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.sorter import Found, Outcome, Plan, PlannedGroup
from minicnn.models import Model
from minicnn.support.text import printable

FEW = 5  # files named in a warning
LEAST_CERTAIN = 10  # images in the table of the plan
BACK = "back as before"  # what an undoing says about images
MEGABYTE = 1e6


def left_alone_text(counts: Mapping[str, int]) -> str:
    """Return the files that are not sorted, as the end of a sentence.

    >>> left_alone_text({"no image": 1, "hidden": 2})
    '; left alone: 2 hidden, 1 no image'
    """
    parts = [f"{count:,} {reason}" for reason, count in sorted(counts.items())]
    return f"; left alone: {', '.join(parts)}" if parts else ""


def counts_text(plan: Plan) -> str:
    """Return the table of folders with the number of images that go there, and how many stay."""
    counts = [[f"{name}{os.sep}", count] for name, count in plan.counts().items()]
    stay = [
        [f"stay: {note}", count]
        for note, count in plan.notes().items()
        if note != sorter.UNSURE or not plan.choices.unsure
    ]
    return output.table(["folder", "images"], [*counts, *stay])


def plan_text(plan: Plan, model: Model) -> str:
    """Return the plan for the terminal: counts, the least certain images, and what to know."""
    parts = [counts_text(plan)]
    if least := plan.least_certain(LEAST_CERTAIN):
        headings = ["least certain", "class", "probability", "second", "third"]
        parts.append(output.table(headings, [_row(plan, one) for one in least]))
    notes = [threshold_text(model, plan), _conflicts_text(plan), _bytes_text(plan)]
    return "\n\n".join([*parts, *(note for note in notes if note)])


def threshold_text(model: Model, plan: Plan) -> str:
    """Return what the threshold means, by the model's own test images; "" if it has none."""
    if model.calibration is None:
        return ""
    least = plan.choices.min_confidence
    found = model.calibration.at(least)
    if found.accuracy is None:
        return f"At {least:.2f} nearly all images are left unsure."
    return (
        f"At {least:.2f} about {found.accuracy:.0%} of what is sorted is right, "
        f"{found.unsure:.0%} are left unsure."
    )


def plan_rows(plan: Plan) -> tuple[list[str], list[list[Any]]]:
    """Return the headings and the rows of the table for `--csv`, one row per image."""
    columns = [f"top{i}{what}" for i in (1, 2, 3) for what in ("", "_probability")]
    rows = []
    for one in plan.items:
        cells = [cell for label, share in one.answer.top for cell in (label, f"{share:.6f}")]
        cells += [""] * (len(columns) - len(cells))
        target = "" if one.target is None else one.target
        rows.append([one.group.image, one.label or "", *cells, target, one.note])
    return ["path", "label", *columns, "target", "note"], rows


def plan_fields(plan: Plan, found: Found, model: Model) -> dict[str, Any]:
    """Return the fields of the plan for `--json`."""
    calibration = model.calibration
    meaning = None if calibration is None else calibration.at(plan.choices.min_confidence)
    return {
        "folder": plan.folder,
        "into": plan.into,
        "move": plan.choices.move,
        "min_confidence": plan.choices.min_confidence,
        "expected": meaning and {"accuracy": meaning.accuracy, "unsure": meaning.unsure},
        "counts": plan.counts(),
        "notes": plan.notes(),
        "left_alone": found.left_alone,
        "renamed": len(plan.conflicts()),
        "bytes_needed": plan.bytes_needed(),
        "images": [_image_fields(one) for one in plan.items],
    }


def outcome_fields(outcome: Outcome | None) -> dict[str, Any]:
    """Return the fields of what was done for `--json`."""
    if outcome is None:
        return {"applied": False}
    return {
        "applied": True,
        "done": outcome.done,
        "skipped": outcome.skipped,
        "failed": [{"path": path, "reason": reason} for path, reason in outcome.failed],
        "journal": outcome.journal,
        "stopped": outcome.stopped,
    }


def images_text(count: int) -> str:
    """Return a number of images as text.

    >>> images_text(1), images_text(1200)
    ('1 image', '1,200 images')
    """
    return f"{count:,} image{'' if count == 1 else 's'}"


def report(plan: Plan | None, outcome: Outcome | None, done: str) -> None:
    """Say what was done, name the images that stay, and end with the exit code for them.

    Raises
    ------
    click.Abort : the sorting was stopped by Ctrl-C
    BadDataFound : some images cannot be read, or were not sorted
    """
    if outcome is not None:
        _report_outcome(outcome, done)
    unreadable = [one for one in plan.items if one.note == sorter.UNREADABLE] if plan else []
    _warn_of([(one.group.image, one.answer.failure or "") for one in unreadable], "cannot be read")
    failed = outcome.failed if outcome is not None else []
    if failed or unreadable:
        parts = [(len(failed), "not sorted"), (len(unreadable), "unreadable")]
        raise BadDataFound(", ".join(f"{images_text(n)} {what}" for n, what in parts if n))


def _report_outcome(outcome: Outcome, done: str) -> None:
    left = f"; left alone: {outcome.skipped:,}" if outcome.skipped else ""
    output.note(f"{images_text(outcome.done)} {done}{left}.")
    _warn_of(outcome.failed, "stays where it is")
    if outcome.journal is None:
        return
    folder = outcome.journal.parent.parent
    if outcome.stopped:
        output.note(f"Stopped before the end. To go on: {journal_line(folder, '--resume')}")
        raise click.Abort
    if outcome.done and done != BACK:
        output.note(f"To take it back: {journal_line(folder, '--undo')}")


def journal_line(folder: Path, option: str) -> str:
    """Return the command that undoes or resumes the last sorting into a folder."""
    return shlex.join(["minicnn", "sort", str(folder), option])


def _warn_of(files: list[tuple[Path, str]], what: str) -> None:
    for path, reason in files[:FEW]:
        output.warn(printable(f"{path} {what}: {reason}"))
    if len(files) > FEW:
        output.warn(f"{len(files) - FEW:,} more like it")


def _row(plan: Plan, one: PlannedGroup) -> list[str]:
    """Return the row of an image in the table of the least certain."""
    others = [f"{label} {share:.2f}" for label, share in one.answer.top[1:]]
    label, share = one.answer.top[0]
    name = os.path.relpath(one.group.image, plan.folder)
    return [name, label, f"{share:.2f}", *others, *[""] * (2 - len(others))]


def _conflicts_text(plan: Plan) -> str:
    """Say that some names are taken, and which names the images get instead."""
    renamed = plan.conflicts()
    if not renamed:
        return ""
    names = [one.target.name for one in renamed[:3] if one.target is not None]
    more = ", ..." if len(renamed) > len(names) else ""
    return (
        f"{len(renamed):,} names exist already in their folders. The images would be saved as "
        f"{', '.join(map(printable, names))}{more}; nothing is overwritten."
    )


def _bytes_text(plan: Plan) -> str:
    """Say how much will be written, and how much room there is."""
    needed = plan.bytes_needed()
    if not needed:
        return ""
    folder = next(one for one in (plan.into, *plan.into.parents) if one.exists())
    free = shutil.disk_usage(folder).free
    text = f"{needed / MEGABYTE:,.1f} MB will be written; {free / MEGABYTE:,.1f} MB are free."
    return f"{text} Not all images have room." if needed > free else text


def _image_fields(one: PlannedGroup) -> dict[str, Any]:
    return {
        "path": one.group.image,
        "companions": list(one.group.companions),
        "label": one.label,
        "probability": one.probability,
        "top": [{"label": label, "probability": share} for label, share in one.answer.top],
        "target": one.target,
        "note": one.note,
        "failure": one.answer.failure,
    }
