"""A thread pool that also works with fewer threads than asked for, or none.

The pool of the standard library fails if a thread cannot be started, keeps the process from ending
until all jobs are done, and makes a forked child wait for threads that only its parent has.
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
    """A function call that a thread makes, and its result."""

    def __init__(self, function: Callable[..., R], arguments: tuple[Any, ...]) -> None:
        self._function, self._arguments = function, arguments
        self._process = os.getpid()
        self._ended = threading.Event()
        self._results: list[R] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the function and keep its result or exception."""
        try:
            self._results.append(self._function(*self._arguments))
        except BaseException as error:
            self._error = error
        self._ended.set()

    def result(self) -> R:
        """Wait for the call; return its result or raise its exception."""
        if self._process != os.getpid() and not self._ended.is_set():
            return self._function(*self._arguments)  # a forked child does not have the thread
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._results[0]


class ThreadPool:
    """A pool of at most `count` threads, which begin jobs in the order of their submission.

    Leaving the `with` block waits for all jobs. If an exception such as Ctrl-C leaves it, no job is
    waited for, and jobs that have not begun are dropped.
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
            except RuntimeError:  # can't start new thread: too little memory or too many threads
                break
            self._threads.append(thread)

    def __len__(self) -> int:
        """Return the number of threads; 0 in a forked child."""
        return len(self._threads) if self._process == os.getpid() else 0

    def __enter__(self) -> ThreadPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(wait=kind is None)

    def submit(self, function: Callable[..., R], *arguments: Any) -> Job[R]:
        """Let a thread call `function(*arguments)`; without threads, call it at once."""
        job = Job(function, arguments)
        if len(self):
            self._jobs.put(job)
        else:
            job.run()
        return job

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Return an iterator over `function(item)` for all items, in their order."""
        jobs = [self.submit(function, item) for item in items]
        return (job.result() for job in jobs)

    def close(self, *, wait: bool = True) -> None:
        """End the threads after all jobs; with `wait=False` drop the jobs that have not begun."""
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
        del job  # its result may be large, and the next job may come much later
