"""The chapters of the course, and all lessons by name."""

from __future__ import annotations

from typing import NamedTuple

from minicnn.apps.lessons import (
    chapter01,
    chapter02,
    chapter03,
    chapter04,
    chapter05,
    chapter06,
    chapter07,
    chapter08,
    chapter09,
    chapter10,
    chapter11,
    chapter12,
)
from minicnn.apps.lessons.lesson import Lesson
from minicnn.checks import similar
from minicnn.errors import ArgumentError


class Chapter(NamedTuple):
    """A chapter: the name of its file in docs/course, without `.md`, and its title."""

    file: str
    title: str


CHAPTERS = {
    1: Chapter("01-an-image", "What an image is to a program"),
    2: Chapter("02-one-neuron", "One neuron"),
    3: Chapter("03-convolution", "Convolution by hand"),
    4: Chapter("04-pooling", "Pooling, and the other layers"),
    5: Chapter("05-softmax", "Softmax and cross-entropy"),
    6: Chapter("06-gradients", "The gradient of each"),
    7: Chapter("07-sgd-momentum-adam", "SGD, momentum, Adam"),
    8: Chapter("08-lenet-in-numpy", "A whole LeNet in NumPy"),
    9: Chapter("09-what-goes-wrong", "What goes wrong"),
    10: Chapter("10-overfitting", "Overfitting and augmentation"),
    11: Chapter("11-how-it-is-made-fast", "How it is made fast"),
    12: Chapter("12-on-a-gpu", "On a GPU"),
}

LESSONS: dict[str, Lesson] = {
    lesson.name: lesson
    for chapter in (
        chapter01,
        chapter02,
        chapter03,
        chapter04,
        chapter05,
        chapter06,
        chapter07,
        chapter08,
        chapter09,
        chapter10,
        chapter11,
        chapter12,
    )
    for lesson in chapter.LESSONS
}


def find_lesson(name: str) -> Lesson:
    """Return the lesson of that name.

    Raises
    ------
    ArgumentError : there is none; the message names the most similar one

    >>> find_lesson("conv2d").title
    'a convolution with stride and bias'
    """
    if name not in LESSONS:
        close = similar(name, LESSONS)
        hint = f": did you mean {close}?" if close else "; all are listed by: minicnn lesson"
        raise ArgumentError(f"no lesson {name!r}{hint}")
    return LESSONS[name]
