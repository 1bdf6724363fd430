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
    """Send a message of `size` bytes to every other rank, and receive as many.

    The rank goes on with its program at once. It does what comes after the exchange when it finds
    that all messages have arrived, which it tests between two computations.
    """

    size: float
    then: tuple[Operation, ...] = ()


class WaitForAll(NamedTuple):
    """Wait until all exchanges are done, and what comes after them."""


Operation = Compute | Exchange | WaitForAll


class Step(NamedTuple):
    """The predicted time of a training step."""

    seconds: float
    waiting: float  # seconds of it in which the rank had nothing to compute

    @property
    def share_of_waiting(self) -> float:
        """The part of the step in which the rank waits."""
        return self.waiting / self.seconds


class Rank:
    """A rank at a moment of its program."""

    def __init__(self, others: int, network: LogGOPS, sharing: float) -> None:
        self.others, self.network, self.sharing = others, network, sharing
        self.now = 0.0
        self.waiting = 0.0
        self._link_is_free = 0.0
        self._numbers = count()  # orders exchanges that end at the same time
        self._pending: list[tuple[float, int, Callable[[Exchange], None], Exchange]] = []

    def run(self, operations: Iterable[Operation]) -> None:
        """Run operations one after the other."""
        for operation in operations:
            if isinstance(operation, Compute):
                self.now += operation.seconds * self.sharing
                self._move_on()
            elif isinstance(operation, Exchange):
                self._begin(operation)
            else:
                self._wait_for_all()

    def _begin(self, exchange: Exchange) -> None:
        if not self.others:
            self.run(exchange.then)
        elif exchange.size > self.network.S:
            self._later(self.now + self.network.short, self._answer, exchange)
        else:
            self._send(exchange)

    def _later(
        self, arrival: float, action: Callable[[Exchange], None], exchange: Exchange
    ) -> None:
        """Do something when the rank finds that a message has arrived."""
        heapq.heappush(self._pending, (arrival, next(self._numbers), action, exchange))

    def _answer(self, exchange: Exchange) -> None:
        """Answer the others' questions whether this rank expects their messages."""
        self._later(self.now + self.network.short, self._send, exchange)

    def _send(self, exchange: Exchange) -> None:
        self._process(exchange)
        start = max(self.now, self._link_is_free)
        self._link_is_free = start + self.network.link(self.others, exchange.size)
        self._later(self._link_is_free + self.network.L, self._receive, exchange)

    def _receive(self, exchange: Exchange) -> None:
        self._process(exchange)
        self.run(exchange.then)

    def _process(self, exchange: Exchange) -> None:
        """Spend the processor's time on sending the messages, or on receiving them."""
        self.now += self.network.processor(self.others, exchange.size) * self.sharing

    def _move_on(self) -> None:
        """Do what follows the messages that have arrived; MPI does nothing outside of its calls."""
        while self._pending and self._pending[0][0] <= self.now:
            _, _, action, exchange = heapq.heappop(self._pending)
            action(exchange)

    def _wait_for_all(self) -> None:
        while self._pending:
            arrival = self._pending[0][0]
            self.waiting += max(0.0, arrival - self.now)
            self.now = max(self.now, arrival)
            self._move_on()


def predict(
    program: Iterable[Operation], ranks: int, network: LogGOPS, sharing: float = 1.0
) -> Step:
    """The time of a program; `sharing` ranks share each processor."""
    rank = Rank(ranks - 1, network, sharing)
    rank.run(program)
    return Step(rank.now, rank.waiting)
