"""What the explorer does not do, in words; `code` is for programs."""

from __future__ import annotations

from minicnn.errors import ArgumentError

WRONG, UNKNOWN, GONE, NO_LABEL = "wrong", "unknown", "gone", "no_label"


class Problem(ArgumentError):
    """A question that cannot be answered.

    Parameters
    ----------
    message : a sentence for the person who asked
    code : "wrong": a parameter has a value that is not possible; "unknown": there is nothing of
        that name; "gone": it is not kept any more; "no_label": a gradient needs the true class
    """

    def __init__(self, message: str, code: str = WRONG) -> None:
        super().__init__(message)
        self.code = code
