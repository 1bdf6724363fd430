"""The chapters of the course: form, exercises and links. Building the site runs their code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minicnn.apps.lessons.catalog import CHAPTERS, LESSONS

COURSE = Path(__file__).parent.parent / "docs" / "course"
TEXTS = {
    chapter.file: text.read_text(encoding="utf-8")
    for chapter in CHAPTERS.values()
    if (text := COURSE / f"{chapter.file}.md").exists()
}
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUESTION = re.compile(r"^\*\*The question:\*\* (.+?\?)\n\n", re.MULTILINE | re.DOTALL)
chapters = pytest.mark.parametrize(("file", "text"), TEXTS.items(), ids=TEXTS)


def number_of(file):
    return int(file[:2])


def cells(text):
    """The executed code of a chapter, without the options of the cells."""
    return [
        re.sub(r"\A(:.*\n)+", "", code) for kind, code in FENCED.findall(text) if "cell" in kind
    ]


def test_every_chapter_is_there():
    assert list(TEXTS) == [chapter.file for chapter in CHAPTERS.values()]


@chapters
def test_it_is_a_notebook_with_title_and_question(file, text):
    chapter = CHAPTERS[number_of(file)]
    head = text.partition("\n---\n")[0].splitlines()
    assert {"file_format: mystnb", "  name: python3", "  language: python"} <= set(head)
    assert f"\n# {number_of(file)}. {chapter.title}\n" in text
    assert len(QUESTION.findall(text)) == 1 and "## What you know now\n" in text


@chapters
def test_all_python_is_executed(file, text):
    kinds = {kind for kind, _ in FENCED.findall(text)}
    assert kinds <= {"{code-cell} python", "sh", "text"} and len(cells(text)) >= 5


@chapters
def test_it_has_two_exercises_that_there_are(file, text):
    named = re.findall(r"^minicnn lesson (\w+)$", text, re.MULTILINE)
    assert len(named) == 2
    assert set(named) == {one.name for one in LESSONS.values() if one.chapter == number_of(file)}


@chapters
def test_links_lead_somewhere(file, text):
    for target in re.findall(r"\]\(([^)#\s]+)", FENCED.sub("", text)):
        assert target.startswith("http") or (COURSE / target).exists(), (file, target)
    for line in re.findall(r"^(?:Next|The code): (.*)$", text, re.MULTILINE):
        assert "](" in line


@chapters
def test_the_list_of_chapters_has_its_question(file, text):
    question = " ".join(QUESTION.findall(text)[0].split())
    listed = (COURSE / "index.md").read_text(encoding="utf-8")
    row = f"| {number_of(file)} | [{CHAPTERS[number_of(file)].title}]({file}.md) | "
    assert f"{row}{question[0].upper()}{question[1:]} |\n" in listed
    assert f"\n{file}\n" in listed  # in the table of contents


def test_the_network_of_chapter_8_has_at_most_60_lines():
    (program,) = [code for code in cells(TEXTS["08-lenet-in-numpy"]) if "def pool(" in code]
    assert program.startswith("import numpy") and "def train_step(" in program
    assert len(program.splitlines()) <= 60
