"""What a lesson consists of: a function to write, cases with known results, and known mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[..., Any]
SEED = 777


class Case:
    """Arguments for one call of the student's function, and a few words that describe them.

    >>> case = Case("stride 2", x=np.zeros((1, 5, 5, 1)), stride=2)
    >>> case.text, case.shapes()
    ('stride 2', 'x (1, 5, 5, 1), stride 2')
    """

    def __init__(self, text: str, **arguments: Any) -> None:
        self.text = text
        self.arguments = arguments

    def copies(self) -> dict[str, Any]:
        """Return the arguments with copies of the arrays, which a function may overwrite."""
        return {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in self.arguments.items()
        }

    def shapes(self) -> str:
        """Return the arguments in words: the shapes of arrays and the values of numbers."""
        return ", ".join(
            f"{name} {value.shape if isinstance(value, np.ndarray) and value.ndim else value}"
            for name, value in self.arguments.items()
        )


@dataclass(frozen=True)
class Mistake:
    """A wrong way to compute a result, so that whoever made this mistake can be told.

    Parameters
    ----------
    words : one or two sentences for the student. `{stride}` becomes the argument of that name
    wrong : takes the lesson's arguments and returns what the mistake makes of them. It returns None
        where the mistake makes no difference or is not possible
    of : the name of the result that it is about; default: the first of `Lesson.results`
    """

    words: str
    wrong: Function
    of: str = ""


@dataclass(frozen=True)
class Lesson:
    """A function that a student writes.

    Parameters
    ----------
    name : of the function, and of the student's file, `NAME.py`
    chapter : the number of the chapter that it belongs to
    title : a few words, for the list of lessons
    task : what to write, in one or a few sentences; the head of the student's file
    stub : the function's `def` line and docstring, without a body
    cases : takes a random generator and returns the cases, the smallest one first. They differ so
        that each mistake gives a wrong result in one of them
    reference : computes the right results by the engine: `minicnn.operations` or `backends.numpy`
    solution : functions of minicnn whose source is shown as our solution
    mistakes : what students are likely to do wrong; the more special ones first
    results : a name for each array that the function returns
    race : takes a random generator and returns a large case with arrays of float32; None: no race
    engines : the engines that the reference uses in the race
    tolerance : the difference that is allowed, relative to the largest magnitude of the result
    """

    name: str
    chapter: int
    title: str
    task: str
    stub: str
    cases: Callable[[np.random.Generator], Sequence[Case]]
    reference: Function
    solution: tuple[Function, ...]
    mistakes: tuple[Mistake, ...] = ()
    results: tuple[str, ...] = ("y",)
    race: Callable[[np.random.Generator], Case] | None = None
    engines: tuple[str, ...] = ("numpy", "native")
    tolerance: float = 1e-5

    def all_cases(self) -> list[Case]:
        """Return the cases, the same ones at each call."""
        return list(self.cases(np.random.default_rng(SEED)))

    def expected(self, case: Case) -> tuple[np.ndarray, ...]:
        """Return the right results of a case, on the current engine."""
        return as_results(self.reference(**case.copies()))

    def race_case(self) -> Case | None:
        """Return the case of the race, or None if there is no race."""
        return self.race(np.random.default_rng(SEED)) if self.race else None


def as_results(returned: Any) -> tuple[np.ndarray, ...]:
    """Return what a function returned as a tuple of arrays: several, or one."""
    several = returned if isinstance(returned, tuple) else (returned,)
    return tuple(np.asarray(one) for one in several)
