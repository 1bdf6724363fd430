"""States of a training at some of its steps, in bounded memory: dense near now, sparse before."""

from __future__ import annotations

from minicnn.apps.explorer.training.stepper import State

MAX_BYTES = 192 << 20
LEAST = 4  # states that are kept however large they are
EVERY = 10  # steps


class Snapshots:
    """Keeps states by their steps; the first one is never dropped.

    The gap between two kept steps is about proportional to how long ago they were, so going back
    by n steps means taking a fraction of n steps again.
    """

    def __init__(self, first: State, max_bytes: int = MAX_BYTES) -> None:
        self._states = {first.step: first}
        self._most = max(LEAST, max_bytes // max(first.size, 1))

    @property
    def steps(self) -> list[int]:
        """The steps whose states are kept."""
        return sorted(self._states)

    def wants(self, step: int) -> bool:
        """Return whether the state after so many steps should be added."""
        return step % EVERY == 0 and step not in self._states

    def add(self, state: State) -> None:
        """Keep a state; drop one if there are too many."""
        self._states[state.step] = state
        if len(self._states) > self._most:
            del self._states[self._least_useful()]

    def before(self, step: int) -> State:
        """Return the last state that is kept at or before a step."""
        return self._states[max(one for one in self._states if one <= step)]

    def drop_after(self, step: int) -> None:
        """Forget the states after a step."""
        self._states = {one: state for one, state in self._states.items() if one <= step}

    def _least_useful(self) -> int:
        """Return the step without which the gap is smallest for its age."""
        steps = self.steps
        now = steps[-1]
        inner = range(1, len(steps) - 1)
        return min(
            (steps[i] for i in inner),
            key=lambda step: _gap(steps, step) / (now - step + EVERY),
        )


def _gap(steps: list[int], step: int) -> int:
    """Return the distance of the neighbors of a step."""
    i = steps.index(step)
    return steps[i + 1] - steps[i - 1]
