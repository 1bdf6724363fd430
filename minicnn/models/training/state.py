"""The progress of a training: what a checkpoint holds besides weights and slots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minicnn.checks import check_int
from minicnn.errors import CheckpointError
from minicnn.history import numbers
from minicnn.models.batches import START, EpochStart
from minicnn.models.training.totals import Totals


@dataclass
class TrainingState:
    """How far a training has come, in epochs and batches."""

    epoch: int = 0  # the current one, counted from 0
    batch: int = 0  # batches of it that are done
    start: EpochStart = START  # where in the data the epoch began
    seed: int = 0  # of the whole training, even if `set_random_seed` is called meanwhile
    layout: dict[str, Any] = field(default_factory=dict)  # of the data
    past: dict[str, list[float]] = field(default_factory=dict)  # curves of earlier trainings
    totals: Totals | None = None  # over the epoch's batches so far
    resumed: dict[str, Any] | None = None  # the totals of a checkpoint, for the epoch to begin with

    @property
    def passes(self) -> int:
        """The number of passes over the data that have begun; the next training begins another."""
        return self.start.pass_number + (self.start.batch + self.batch > 0)

    def get_state(self) -> dict[str, Any]:
        """Return the state as values that JSON can hold."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "place": list(self.start),
            "seed": self.seed,
            "layout": self.layout,
            "past": self.past,
            "totals": None if self.totals is None else self.totals.get_state(),
        }

    def set_state(self, saved: dict[str, Any]) -> None:
        """Continue from what `get_state` returned, on the data of this training.

        Raises
        ------
        CheckpointError : the data is cut into other batches now, so that the position in the
            middle of an epoch would be another one; nothing was changed
        """
        epoch, batch = (check_int(saved[name], name, 0) for name in ("epoch", "batch"))
        number, before = saved.get("place", (epoch, 0))
        start = EpochStart(check_int(number, "place", 0), check_int(before, "place", 0))
        layout = saved.get("layout", self.layout)
        if batch or start.batch:
            self._check_layout(layout, epoch, batch)
        seed, past = check_int(saved["seed"], "seed", 0), numbers(saved.get("past", self.past))
        self.epoch, self.batch, self.start = epoch, batch, start
        self.seed, self.past, self.resumed = seed, past, saved["totals"]

    def _check_layout(self, there: dict[str, Any], epoch: int, batch: int) -> None:
        differences = [
            f"{name} was {there.get(name)}, is {here}"
            for name, here in self.layout.items()
            if there.get(name) != here
        ]
        if differences:
            raise CheckpointError(
                f"the checkpoint is from batch {batch} of epoch {epoch + 1}, and the data was cut "
                f"into other batches ({'; '.join(differences)}), so samples would be left out. "
                "Resume with the data and batch_size of before"
            )
