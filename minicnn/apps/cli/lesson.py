"""`minicnn lesson`: the exercises of the course."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import lesson_check, options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.options import typed
from minicnn.apps.lessons.catalog import CHAPTERS, LESSONS, find_lesson
from minicnn.apps.lessons.lesson import Lesson
from minicnn.apps.lessons.record import state_of
from minicnn.apps.lessons.stub import solution_text, stub_file, write_stub


@cli_command(
    "minicnn lesson",
    "minicnn lesson conv2d",
    "minicnn lesson check conv2d",
    "minicnn lesson conv2d --solution",
    verbs={"check": lesson_check.command},
)
@click.argument("name", required=False)
@click.option("--solution", is_flag=True, help="Print how minicnn itself computes it.")
@options.force(help="Replace an existing file; what you wrote in it is lost.")
@options.as_json()
def command(name: str | None, solution: bool, force: bool, as_json: bool) -> None:
    """Write the exercise NAME of the course into a file, NAME.py, in this folder.

    Without NAME all exercises are listed. `minicnn lesson check NAME` runs the file, compares its
    results with those of minicnn, and says in words what is wrong.
    """
    if name is None:
        list_lessons(as_json)
        return
    lesson = typed("NAME", find_lesson, name)
    if solution:
        output.either(as_json, solution_text(lesson), source=solution_text(lesson))
        return
    file = stub_file(lesson, Path())
    check_it = f"check it: minicnn lesson check {name}. --force begins anew; your code is lost"
    output.check_target(file, force=force, advice=check_it)
    write_stub(lesson, Path())
    output.either(as_json, _next_steps(lesson, file), lesson=name, file=file)


def _next_steps(lesson: Lesson, file: Path) -> str:
    chapter = CHAPTERS[lesson.chapter]
    return (
        f"{file} is written. {lesson.task}\n"
        f"1. Open {file}, read its docstring, and replace the last line by your code.\n"
        f"2. Check it: minicnn lesson check {lesson.name}\n"
        f"The chapter is docs/course/{chapter.file}.md: {lesson.chapter}. {chapter.title}."
    )


def list_lessons(as_json: bool) -> None:
    """Print all lessons with their chapters, and how far each is in this folder."""
    rows = [
        {
            "chapter": lesson.chapter,
            "title": CHAPTERS[lesson.chapter].title,
            "lesson": lesson.name,
            "task": lesson.title,
            "state": state_of(lesson, Path()),
        }
        for lesson in LESSONS.values()
    ]
    if as_json:
        output.print_json(lessons=rows)
        return
    cells = [
        (row["chapter"], row["title"], row["lesson"], row["task"], row["state"]) for row in rows
    ]
    output.result(output.table(["", "chapter", "lesson", "what you write", "state"], cells))
    done = sum(row["state"] == "passed" for row in rows)
    output.note(f"{done} of {len(rows)} passed in this folder. Begin one: minicnn lesson NAME")
