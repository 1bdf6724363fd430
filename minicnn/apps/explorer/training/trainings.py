"""The trainings that an explorer watches."""

from __future__ import annotations


class Trainings:
    """The trainings by their numbers."""

    def close(self) -> None:
        """Stop all trainings."""
