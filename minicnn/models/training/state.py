"""How far a training has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minicnn.checks import check_int
from minicnn.errors import CheckpointError
from minicnn.history import numbers
from minicnn.models.batches import START, Place
from minicnn.models.training.evaluation import Totals


@dataclass
class TrainingState:
    """How far a training has come: what a checkpoint holds besides weights and slots."""

    epoch: int = 0  # being trained, counted from 0
    batch: int = 0  # batches of it that are done
    place: Place = START  # in the data, of the epoch's first batch
    seed: int = 0  # of the whole training, whatever `set_random_seed` says meanwhile
    layout: dict[str, Any] = field(default_factory=dict)  # of the data
    past: dict[str, list[float]] = field(default_factory=dict)  # curves of earlier trainings
    totals: Totals | None = None  # of the epoch's batches
    resumed: dict[str, Any] | None = None  # `totals` as a checkpoint knew them

    @property
    def passes(self) -> int:
        """Passes over the data that have begun: the next training starts another one."""
        return self.place.number + (self.place.batch + self.batch > 0)

    def get_state(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "place": list(self.place),
            "seed": self.seed,
            "layout": self.layout,
            "past": self.past,
            "totals": None if self.totals is None else self.totals.get_state(),
        }

    def set_state(self, saved: dict[str, Any]) -> None:
        """Go on from what `get_state` gave, on the data of this training.

        Raises
        ------
        CheckpointError : the data is cut otherwise now, and the middle of an epoch would be
            another place in it; nothing was changed
        """
        epoch, batch = (check_int(saved[name], name, 0) for name in ("epoch", "batch"))
        number, before = saved.get("place", (epoch, 0))
        place = Place(check_int(number, "place", 0), check_int(before, "place", 0))
        layout = saved.get("layout", self.layout)
        if batch or place.batch:
            self._check_layout(layout, epoch, batch)
        seed, past = check_int(saved["seed"], "seed", 0), numbers(saved.get("past", self.past))
        self.epoch, self.batch, self.place = epoch, batch, place
        self.seed, self.past, self.resumed = seed, past, saved["totals"]

    def _check_layout(self, there: dict[str, Any], epoch: int, batch: int) -> None:
        differences = [
            f"{name} {there.get(name)} there, {here} here"
            for name, here in self.layout.items()
            if there.get(name) != here
        ]
        if differences:
            raise CheckpointError(
                f"the checkpoint stands after {batch} batches of epoch {epoch + 1}, and with "
                f"another cut of the data ({'; '.join(differences)}) samples would be left out. "
                "Go on with the data as it was"
            )
