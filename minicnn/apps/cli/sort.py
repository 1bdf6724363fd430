"""`minicnn sort`: put images into folders by what is on them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from minicnn.apps import sorter
from minicnn.apps.cli import options, output, sort_learn
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.progress import counting
from minicnn.apps.cli.shared_work import check_table
from minicnn.apps.cli.sort_job import SortJob
from minicnn.apps.cli.sort_journal import LATEST, check_interrupted, resume_sorting, undo_sorting
from minicnn.apps.cli.sort_texts import (
    counts_text,
    outcome_fields,
    plan_fields,
    plan_text,
    report,
)
from minicnn.apps.sorter import Choices, Outcome, Plan
from minicnn.distributed.launch import place
from minicnn.models.training.interrupt import Interrupt

NOTHING = "There is nothing to do: no image would go to another place."
EXAMPLE = "minicnn sort holiday"


def _journal_option(name: str, help: str) -> options.Decorator:
    """Return an option that takes a journal, or nothing for the newest one of DIR."""
    return click.option(name, is_flag=False, flag_value=LATEST, metavar="[JOURNAL]", help=help)


@cli_command(
    EXAMPLE,
    "minicnn sort holiday --apply --min-confidence 0.8",
    "minicnn sort scene.mcnn holiday",
    "minicnn sort holiday --undo",
    "minicnn sort learn scene.mcnn put-right",
    verbs={"learn": sort_learn.command},
)
@click.argument("words", type=options.PATH, nargs=-1, metavar="[MODEL] DIR")
@click.option("--recursive", is_flag=True, help="Also sort the images in folders below DIR.")
@click.option("--apply", "really", is_flag=True, help="Sort; otherwise only print the plan.")
@click.option("--move", is_flag=True, help="Move the files instead of copying them.")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=Choices().min_confidence,
    show_default=True,
    help="Images whose class is less probable are unsure.",
)
@click.option(
    "--unsure-dir",
    metavar="NAME",
    default=Choices().unsure,
    show_default=True,
    help="Folder for unsure images; '' leaves them where they are.",
)
@click.option("--into", type=options.FOLDER, help="Folder for the class folders; default: DIR.")
@_journal_option("--undo", "Take back the last sorting into DIR, or that of a journal.")
@_journal_option("--resume", "Go on with an interrupted sorting into DIR, or that of a journal.")
@click.option("--csv", "csv_file", type=options.FILE, help="Also write the plan as a table.")
@options.force()
@options.as_json()
def command(
    words: tuple[Path, ...],
    recursive: bool,
    really: bool,
    move: bool,
    min_confidence: float,
    unsure_dir: str,
    into: Path | None,
    undo: str | None,
    resume: str | None,
    csv_file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Put the images in DIR into folders by what MODEL sees on them.

    MODEL is a .mcnn file or a run folder. Without it, the network that comes with minicnn sorts
    photos of animals, architecture, cars, food, nature and people.

    Without --apply, the plan is printed and nothing is changed. Files keep their bytes, times and
    permissions, and nothing is overwritten. A journal allows --undo, also after a kill. The exit
    code is 3 if some images cannot be read or were not sorted.

    With --csv, several processes classify the images together: mpirun -n 4 minicnn sort ... If that
    is interrupted, repeat it, and it goes on.
    """
    if undo is not None and resume is not None:
        raise click.UsageError("give either --undo or --resume")
    folder = into or (words[-1] if words else None)
    if undo is not None:
        undo_sorting(undo, folder, as_json=as_json)
    elif resume is not None:
        resume_sorting(resume, folder, as_json=as_json)
    else:
        check_table(csv_file, force=force, command="sort")
        choices = Choices(min_confidence, move, unsure_dir, into)
        _sort(
            words, choices, csv_file,
            recursive=recursive, really=really, force=force, as_json=as_json,
        )  # fmt: skip


def _sort(
    words: Sequence[Path],
    choices: Choices,
    csv_file: Path | None,
    *,
    recursive: bool,
    really: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Plan, show the plan, and apply it if that is wanted."""
    model_file, directory = _model_and_folder(words)
    if place().rank == 0:
        check_interrupted(choices.into or directory, really=really)
    job = SortJob(model_file, directory, choices, recursive=recursive)
    plan = job.plan() if csv_file is None else _shared_plan(job, csv_file, force=force)
    if plan is None:
        return
    outcome = _applied(plan) if really else None
    if as_json:
        output.print_json(**plan_fields(plan, job.found, job.model), **outcome_fields(outcome))
    else:
        output.result(plan_text(plan, job.model) if outcome is None else counts_text(plan))
    if outcome is None:
        something = any(one.is_carried for one in plan.items)
        line = _apply_line(words, recursive, choices)
        output.note(f"Nothing has been changed. To sort: {line}" if something else NOTHING)
    report(plan, outcome, "moved" if choices.move else "copied")


def _model_and_folder(words: Sequence[Path]) -> tuple[Path | None, Path]:
    """Return MODEL, None if it is left out, and DIR."""
    if not words:
        raise click.UsageError(f"DIR is missing: {EXAMPLE}")
    if len(words) > 2:
        raise click.UsageError(f"give at most one model, and one folder: {EXAMPLE}")
    return (words[0] if len(words) == 2 else None), words[-1]


def _shared_plan(job: SortJob, csv_file: Path, *, force: bool) -> Plan | None:
    """Return the plan if this process has written its table; else another one goes on with it."""
    plan = job.shared_plan(csv_file, force=force)
    if plan is not None:
        output.note(f"Written: {csv_file}, {len(plan.items)} rows")
    elif place().rank == 0:
        output.note(f"Written by another process, which does the rest: {csv_file}")
    return plan


def _applied(plan: Plan) -> Outcome:
    """Apply the plan; the first Ctrl-C stops between two images, the second at once."""
    total = sum(one.is_carried for one in plan.items)
    with Interrupt() as interrupt, counting("sorting") as progress:
        return sorter.apply(plan, done=lambda n: progress(n, total), stop=lambda: interrupt.asked)


def _apply_line(words: Sequence[Path], recursive: bool, choices: Choices) -> str:
    """Return the command that does what the plan says."""
    line = ["minicnn", "sort", *map(str, words), "--apply"]
    line += ["--recursive"] * recursive + ["--move"] * choices.move
    usual = Choices()
    if choices.min_confidence != usual.min_confidence:
        line += ["--min-confidence", f"{choices.min_confidence:g}"]
    if choices.unsure != usual.unsure:
        line += ["--unsure-dir", choices.unsure]
    if choices.into is not None:
        line += ["--into", str(choices.into)]
    return shlex.join(line)
