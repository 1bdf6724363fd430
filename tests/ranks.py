"""Several processes of a training in one: each rank is a thread that runs the same function."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.distributed.communicator import copy_own
from minicnn.distributed.data_parallel import DataParallel
from minicnn.models.strategy import set_strategy


class Mailboxes:
    """What the ranks have sent each other and not received yet: by (sender, receiver, tag)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._queues: dict[Any, queue.Queue[Any]] = {}

    def of(self, *key: Any) -> queue.Queue[Any]:
        with self._lock:
            return self._queues.setdefault(key, queue.Queue())


class Arrival:
    """An exchange: what was sent was copied, so that only the receiving is left."""

    def __init__(self, expected: list[tuple[queue.Queue[Any], np.ndarray]]) -> None:
        self.expected = expected

    def is_done(self) -> bool:
        while self.expected and not self.expected[0][0].empty():
            self._receive()
        return not self.expected

    def wait(self) -> None:
        while self.expected:
            self._receive()

    def _receive(self) -> None:
        mailbox, target = self.expected.pop(0)
        sent = mailbox.get(timeout=60)
        assert sent.nbytes == target.nbytes, "the receiver expects another number of bytes"
        target.reshape(-1)[...] = sent.reshape(-1)


class ThreadCommunicator:
    """One rank among threads; see `minicnn.distributed.communicator.Communicator`."""

    host = "threads"

    def __init__(self, rank: int, mailboxes: Mailboxes) -> None:
        self.rank, self.size, self._mailboxes = rank, mailboxes.size, mailboxes
        self._calls = 0

    def exchange(
        self, outgoing: Sequence[np.ndarray], incoming: Sequence[np.ndarray], tag: int
    ) -> Arrival:
        copy_own(outgoing[self.rank], incoming[self.rank])
        others = [rank for rank in range(self.size) if rank != self.rank]
        for rank in others:
            self._mailboxes.of(self.rank, rank, tag).put(outgoing[rank].copy())
        return Arrival([(self._mailboxes.of(r, self.rank, tag), incoming[r]) for r in others])

    def gather(self, value: Any) -> list[Any]:
        self._calls += 1
        for rank in range(self.size):
            self._mailboxes.of("gather", self.rank, rank, self._calls).put(value)
        key = self._calls
        mailboxes = (self._mailboxes.of("gather", r, self.rank, key) for r in range(self.size))
        return [mailbox.get(timeout=60) for mailbox in mailboxes]

    def broadcast(self, value: Any = None) -> Any:
        return self.gather(value)[0]

    def barrier(self) -> None:
        self.gather(None)

    def abort(self) -> None:
        raise AssertionError("abort was called")


def on_ranks(size: int, function: Callable[[ThreadCommunicator], Any]) -> list[Any]:
    """Return what the function returns on each rank, with a communicator for it."""
    mailboxes = Mailboxes(size)
    results: list[Any] = [None] * size
    errors: list[BaseException] = []

    def run(rank: int) -> None:
        try:
            results[rank] = function(ThreadCommunicator(rank, mailboxes))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


class StrategyOfThread:
    """A strategy for `set_strategy` that is, on each rank, that of its thread."""

    def __init__(self) -> None:
        self.threads = threading.local()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.threads.strategy, name)


def train_on_ranks(size: int, function: Callable[[int], Any], shards: int = 8) -> list[Any]:
    """Return what the function of a rank's number returns on each rank.

    `fit`, `evaluate` and `save` share their work among these ranks. Models are made before: the
    names of layers are counted for all threads.
    """
    of_thread = StrategyOfThread()

    def run(communicator: ThreadCommunicator) -> Any:
        of_thread.threads.strategy = DataParallel(communicator, shards)
        return function(communicator.rank)

    set_strategy(of_thread)
    try:
        return on_ranks(size, run)
    finally:
        set_strategy(None)
