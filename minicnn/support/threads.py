"""Threads that work side by side. Where the system gives fewer, those do that are there, or none.

The standard library's pool fails where a thread cannot be started, keeps the process from ending
until all are done, and leaves a forked child waiting for threads that only its parent has.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Job(Generic[R]):
    """A function's call, made by some thread, whose result somebody waits for."""

    def __init__(self, function: Callable[..., R], arguments: tuple[Any, ...]) -> None:
        self._function, self._arguments = function, arguments
        self._process = os.getpid()
        self._ended = threading.Event()
        self._results: list[R] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the call."""
        try:
            self._results.append(self._function(*self._arguments))
        except BaseException as error:
            self._error = error
        self._ended.set()

    def result(self) -> R:
        """What the function gave, or raised; waits for it."""
        if self._process != os.getpid() and not self._ended.is_set():
            return self._function(*self._arguments)  # forked: the thread that had it is not here
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._results[0]


class Threads:
    """At most `count` threads; jobs are begun in the order in which they were given.

    Leaving the `with` block waits for all jobs; by an exception, Ctrl-C too, for none: those that
    were not begun are left out, the others end by themselves.
    """

    def __init__(self, count: int, name: str = "minicnn") -> None:
        self._process = os.getpid()
        self._jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        for number in range(count):
            thread = threading.Thread(
                target=_work, args=(self._jobs,), name=f"{name}-{number}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # can't start new thread: too little memory, or too many of them
                break
            self._threads.append(thread)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._threads) if self._process == os.getpid() else 0

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(wait=kind is None)

    def submit(self, function: Callable[..., R], *arguments: Any) -> Job[R]:
        """Have `function(*arguments)` called; without threads, here and now."""
        job = Job(function, arguments)
        if len(self):
            self._jobs.put(job)
        else:
            job.run()
        return job

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """What `function` gives for each, in their order."""
        jobs = [self.submit(function, item) for item in items]
        return (job.result() for job in jobs)

    def close(self, *, wait: bool = True) -> None:
        """End the threads: after all jobs, or, without waiting, after those that were begun."""
        if not len(self):
            return
        while not wait:
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()


def _work(jobs: queue.SimpleQueue[Job[Any] | None]) -> None:
    while (job := jobs.get()) is not None:
        job.run()
        del job  # its result may be large, and the next job late
