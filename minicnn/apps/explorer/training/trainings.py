"""The trainings that an explorer watches."""

from __future__ import annotations

from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import UNKNOWN, Problem


class Trainings:
    """The trainings by their numbers."""

    def snapshot(self, number: int) -> OpenNetwork:
        """Return the network of a training with the weights that it has now.

        Raises
        ------
        Problem : there is no such training
        """
        raise Problem(f"there is no training {number}", UNKNOWN)

    def close(self) -> None:
        """Stop all trainings."""
