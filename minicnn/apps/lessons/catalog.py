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
    """A chapter: the name of its file in docs/course, without `.md`, its title and its lessons."""

    file: str
    title: str
    lessons: tuple[Lesson, ...]


CHAPTERS = {
    1: Chapter("01-an-image", "What an image is to a program", chapter01.LESSONS),
    2: Chapter("02-one-neuron", "One neuron", chapter02.LESSONS),
    3: Chapter("03-convolution", "Convolution by hand", chapter03.LESSONS),
    4: Chapter("04-pooling", "Pooling, and the other layers", chapter04.LESSONS),
    5: Chapter("05-softmax", "Softmax and cross-entropy", chapter05.LESSONS),
    6: Chapter("06-gradients", "The gradient of each", chapter06.LESSONS),
    7: Chapter("07-sgd-momentum-adam", "SGD, momentum, Adam", chapter07.LESSONS),
    8: Chapter("08-lenet-in-numpy", "A whole LeNet in NumPy", chapter08.LESSONS),
    9: Chapter("09-what-goes-wrong", "What goes wrong", chapter09.LESSONS),
    10: Chapter("10-overfitting", "Overfitting and augmentation", chapter10.LESSONS),
    11: Chapter("11-how-it-is-made-fast", "How it is made fast", chapter11.LESSONS),
    12: Chapter("12-on-a-gpu", "On a GPU", chapter12.LESSONS),
}

LESSONS = {lesson.name: lesson for chapter in CHAPTERS.values() for lesson in chapter.lessons}


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
