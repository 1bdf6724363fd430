"""Predict the time of a training step: the program of a rank runs on a processor and a link.

All ranks run the same program at the same time, so that one timeline describes them all. What all
ranks send at once shares the links: each rank's link sends its messages one after the other, while
it receives as many.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import NamedTuple

from scaling.loggops import LogGOPS


class Compute(NamedTuple):
    """Computations that take so many seconds on a processor of one's own."""

    seconds: float


class Exchange(NamedTuple):
    """Begin to send a message of `size` bytes to every other rank, and to receive as many."""

    name: str
    size: float
    then: tuple[Operation, ...] = ()  # what a rank does when it finds that all have arrived


class Poll(NamedTuple):
    """Let MPI go on, and do what follows the exchanges that have arrived."""


class Wait(NamedTuple):
    """Wait until an exchange has arrived, and do what follows it."""

    name: str


Operation = Compute | Exchange | Poll | Wait


class Step(NamedTuple):
    """The predicted time of a training step."""

    seconds: float
    waiting: float  # seconds of it in which the rank had nothing to compute


class Rank:
    """A rank at a moment of its program."""

    def __init__(self, others: int, network: LogGOPS, sharing: float) -> None:
        self.others, self.network, self.sharing = others, network, sharing
        self.now = 0.0
        self.waiting = 0.0
        self._link_is_free = 0.0
        self._owed = 0.0  # seconds of the processor for messages that were begun
        self._numbers = count()  # orders what happens at the same time
        self._coming: list[tuple[float, int, Callable[[Exchange], None], Exchange]] = []
        self._arrived: dict[str, Exchange] = {}  # those that nothing has followed yet
        self._begun: set[str] = set()

    def run(self, operations: Iterable[Operation]) -> None:
        """Run operations one after the other."""
        for operation in operations:
            if isinstance(operation, Compute):
                self._work_off()
                self.now += operation.seconds * self.sharing
            elif isinstance(operation, Exchange):
                self._begin(operation)
            elif isinstance(operation, Wait):
                self._wait(operation.name)
            else:
                self._move_on()
                self._follow(list(self._arrived))

    def _begin(self, exchange: Exchange) -> None:
        self._begun.add(exchange.name)
        if not self.others:
            self._arrived[exchange.name] = exchange
        elif exchange.size > self.network.S:
            self._later(self.now + self.network.short, self._answer, exchange)
        else:
            self._send(exchange)

    def _later(self, when: float, action: Callable[[Exchange], None], exchange: Exchange) -> None:
        """Do something when the rank finds that a message has arrived."""
        heapq.heappush(self._coming, (when, next(self._numbers), action, exchange))

    def _answer(self, exchange: Exchange) -> None:
        """Answer the others, who ask whether this rank expects their long messages."""
        self._later(self.now + self.network.short, self._send, exchange)

    def _send(self, exchange: Exchange) -> None:
        work = self.network.processor(self.others, exchange.size)
        self._owed += 2 * work * self.sharing  # to send, and to receive as much
        start = max(self.now, self._link_is_free)
        self._link_is_free = start + self.network.link(self.others, exchange.size)
        self._later(self._link_is_free + self.network.L, self._receive, exchange)

    def _receive(self, exchange: Exchange) -> None:
        self._arrived[exchange.name] = exchange

    def _work_off(self) -> None:
        """Spend the processor's time on messages, which computations have to leave to them."""
        self.now += self._owed
        self._owed = 0.0

    def _move_on(self) -> None:
        """Let MPI see what has arrived; it does nothing outside of its calls."""
        while self._coming and self._coming[0][0] <= self.now:
            _, _, action, exchange = heapq.heappop(self._coming)
            action(exchange)

    def _follow(self, names: Iterable[str]) -> None:
        for name in names:
            self._begun.discard(name)
            self.run(self._arrived.pop(name).then)

    def _wait(self, name: str) -> None:
        if name not in self._begun:
            return  # a poll has seen it, and done what follows
        while name not in self._arrived:
            gap = max(0.0, self._coming[0][0] - self.now)
            worked = min(gap, self._owed)
            self._owed -= worked
            self.waiting += gap - worked
            self.now += gap
            self._move_on()
        if not self._coming:
            self._work_off()
        self._follow([name])


def predict(
    program: Iterable[Operation], ranks: int, network: LogGOPS, sharing: float = 1.0
) -> Step:
    """The time of a program; `sharing` ranks share each processor."""
    rank = Rank(ranks - 1, network, sharing)
    rank.run(program)
    return Step(rank.now, rank.waiting)
