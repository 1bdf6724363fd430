"""`minicnn lesson check`: run a student's file, and say what is wrong."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import exit_codes, options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.options import typed
from minicnn.apps.lessons.catalog import LESSONS, find_lesson
from minicnn.apps.lessons.checking import Verdict, check
from minicnn.apps.lessons.lesson import Lesson
from minicnn.apps.lessons.record import remember
from minicnn.apps.lessons.stub import stub_file
from minicnn.apps.lessons.student import SECONDS
from minicnn.errors import ArgumentError, error_text


@cli_command("minicnn lesson check conv2d", "minicnn lesson check conv2d my_conv2d.py")
@click.argument("name", metavar="NAME|FILE")
@click.argument("file", type=options.FILE, required=False)
@click.option("--seconds", type=click.FloatRange(0.1, 3600), default=SECONDS, show_default=True,
              help="Time that one call of your function may take.")  # fmt: skip
@options.as_json()
@click.pass_context
def command(
    ctx: click.Context, name: str, file: Path | None, seconds: float, as_json: bool
) -> None:
    """Check your answer to the exercise NAME: NAME.py in this folder, or FILE.

    Your function is called in a process of its own, so it may crash or never end. The exit code is
    0 if it is right, and 1 if not.
    """
    lesson = typed("NAME", lesson_of, name)
    answer = file or (Path(name) if name.endswith(".py") else stub_file(lesson, Path()))
    if not answer.is_file():
        raise click.UsageError(_no_file(answer, lesson))
    verdict = check(lesson, answer, seconds)
    if verdict.passed:
        _remember(lesson, answer)
    output.either(as_json, verdict_text(lesson, verdict), **_fields(lesson, answer, verdict))
    ctx.exit(exit_codes.OK if verdict.passed else exit_codes.FAILED)


def lesson_of(name: str) -> Lesson:
    """Return the lesson of a name, or of a file's name: `answers/conv2d.py`."""
    if not name.endswith(".py"):
        return find_lesson(name)
    stem = Path(name).stem
    if stem not in LESSONS:
        raise ArgumentError(
            f"{name} has no lesson's name; say which one it is: minicnn lesson check NAME {name}"
        )
    return find_lesson(stem)


def _remember(lesson: Lesson, file: Path) -> None:
    try:
        remember(lesson, file)
    except OSError as error:  # of a folder that must not be written to
        output.warn(f"that it passed cannot be remembered: {error_text(error)}")


def _no_file(file: Path, lesson: Lesson) -> str:
    """Return in words that the answer is not there, and what to type."""
    if file != stub_file(lesson, Path()):
        return f"there is no file {file}. Is it in another folder, or has it another name?"
    check_it = f"minicnn lesson check {lesson.name} FOLDER/{file}"
    return (
        f"there is no file {file} in this folder; write it first: minicnn lesson {lesson.name}. "
        f"If it is in another folder: {check_it}"
    )


def verdict_text(lesson: Lesson, verdict: Verdict) -> str:
    """Return the verdict as lines of text."""
    if not verdict.passed:
        verb = "is" if verdict.right == 1 else "are"
        count = f"{verdict.right} of {verdict.cases} cases {verb} right"
        head = f"{lesson.name}: not right yet. {count}."
        where = [verdict.case] if verdict.case else []
        return "\n".join([head, *where, *(f"    {line}" for line in verdict.words)])
    head = f"{lesson.name}: right, all {verdict.cases} cases."
    ours = f"How minicnn does it: minicnn lesson {lesson.name} --solution"
    return "\n".join([head, *verdict.race, ours])


def _fields(lesson: Lesson, file: Path, verdict: Verdict) -> dict[str, object]:
    return {
        "lesson": lesson.name,
        "file": file,
        "passed": verdict.passed,
        "right": verdict.right,
        "cases": verdict.cases,
        "case": verdict.case,
        "words": verdict.words,
        "seconds": verdict.times,
    }
