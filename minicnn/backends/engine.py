"""What an engine must have: kernels, a Runner for programs, and an Arena for their memory.

Each package in `minicnn/backends` is an engine and has the names that `Engine` lists. `Runner` and
`Arena` say what its classes can do. mypy checks all engines against these protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from minicnn.program import Feed, Program

Kernel = Callable[..., tuple[Any, ...]]  # (*arrays read, **attributes) -> arrays written


class Arena(Protocol):
    """Memory for several programs that run in turn: as much as the largest needs."""

    @property
    def size_bytes(self) -> int:
        """Return how much memory the arena holds now."""


class Runner(Protocol):
    """One program with its arrays on an engine, ready to run any number of times.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a `storage`, by its index, the array of its owner: parameters,
        state and inputs. The program updates them in place; read them through
        `minicnn.host_sync.synced`
    arena : the memory of all other buffers, an Arena of the same engine; a new one by default
    """

    # Training steps that one call of `start` takes at most; 1 if the engine has no `start`.
    max_steps_per_call: int

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Any = None
    ) -> None: ...

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the values of the buffer with that index, as they are after the steps so far."""

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`.

        Ctrl-C may stop it before a step, but not inside the steps from `program.first_change` on.
        """

    def refresh_constants(self) -> None:
        """Run the program's constant steps if the parameters that they read have changed."""


class MultiStepRunner(Runner, Protocol):
    """A Runner that takes several training steps with one call."""

    def start(
        self,
        inputs: Mapping[int, Feed],
        values: Mapping[int, Feed],
        loss: int,
        predictions: int,
    ) -> None:
        """Begin several training steps; they run after those that were begun before.

        Parameters
        ----------
        inputs : for each buffer of samples, what it gets in each step
        values : the same for all other inputs of the program
        loss, predictions : the buffers whose values `finish` returns
        """

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Wait for the steps of the earliest `start`: (steps, N) losses, (steps, N, ...) outputs.

        They end before the first step whose loss is not finite. From that step on nothing changes
        the model until all steps that were begun are finished.
        """


RunnerClass = type[Runner]
ArenaClass = Callable[[Callable[[], None]], Arena]


class Engine(Protocol):
    """The names that the package of an engine defines."""

    @property
    def KERNELS(self) -> Mapping[str, Kernel]:
        """The engine's own kernels by name; the reference computes those that are missing."""

    @property
    def run(self) -> Kernel:
        """run(kernel, *arrays, **attributes): one kernel as a pure function of NumPy arrays."""

    @property
    def Runner(self) -> RunnerClass:
        """The class that runs programs."""

    @property
    def Arena(self) -> ArenaClass:
        """The class of the memory; `minicnn.backends.new_arena` describes the argument."""
