"""A training that can go back to any of its steps, and take them again, bit for bit."""

from __future__ import annotations

from minicnn.apps.explorer.training.record import Record
from minicnn.apps.explorer.training.snapshots import Snapshots
from minicnn.apps.explorer.training.stepper import Stepper


class Timeline:
    """Steps with their record, and states from which they can be taken again.

    Parameters
    ----------
    stepper : at step 0
    """

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self.record = Record(stepper.learning_rate)
        self.snapshots = Snapshots(stepper.state())

    @property
    def step(self) -> int:
        """How many steps lead to the weights as they are now."""
        return self.stepper.step_number

    def advance(self) -> None:
        """Take one step, with the learning rate that is recorded for it.

        Raises
        ------
        NumericError : the loss is not finite; nothing was changed
        """
        number = self.step
        self.record.add(number, self.stepper.step())
        self.stepper.learning_rate = self.record.rate_at(self.step)
        if self.snapshots.wants(number + 1):
            self.snapshots.add(self.stepper.state())

    def rewind(self, step: int) -> None:
        """Go back to the last kept state at or before a step; `advance` leads on from there."""
        self.stepper.restore(self.snapshots.before(step))
        self.stepper.learning_rate = self.record.rate_at(self.step)

    def change_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps; if it is another, those after now are gone."""
        if rate == self.record.rate_at(self.step):
            return
        self.forget_future()
        self.record.change_rate(self.step, rate)
        self.stepper.learning_rate = rate

    def forget_future(self) -> None:
        """Drop what was recorded after this step, because another way is taken from here."""
        self.record.drop_after(self.step)
        self.snapshots.drop_after(self.step)
