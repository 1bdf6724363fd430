"""A long list of inputs, computed by any number of processes that send each other no messages.

The processes need only a folder that all of them see. The list is cut into blocks. A process locks
a block, computes it and writes the result; the system releases the lock however the process ends,
so the block of one that was killed is done again by another. When all blocks are done, one process
joins their results in the order of the inputs.

That process leads: it makes the list of inputs, checks that the work folder belongs to this job,
and joins the results. Process 0 leads; if it dies, another one takes its place. If all processes
are killed, the same command goes on with the blocks that are missing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from minicnn.distributed.launch import Place, place
from minicnn.distributed.work_folder import Blocks, Job, WorkFolder, job_of
from minicnn.errors import DistributedError
from minicnn.support.text import printable

SECONDS_TO_POLL = 0.2
SECONDS_TO_COUNT = 1.0  # between two looks at how many blocks are done
# That the other processes wait for process 0. On a large cluster they do not start all at once.
SECONDS_FOR_A_LEADER = 30.0

Progress = Callable[[int, int], object]  # (inputs that are done by all processes, all inputs)


class Work(NamedTuple):
    """What is to be computed; nothing is called before it is needed.

    Parameters
    ----------
    facts : returns what the results depend on besides the inputs: {name in messages: value}
    inputs : returns the list of all inputs, such as paths
    compute : returns the result for the inputs of one block
    """

    facts: Callable[[], dict[str, str]]
    inputs: Callable[[], Sequence[str]]
    compute: Callable[[Sequence[str]], bytes]


@contextmanager
def shared(
    output: str | os.PathLike[str],
    work: Work,
    *,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> Iterator[Iterator[bytes] | None]:
    """Compute all blocks, together with other processes that call this for the same output.

    Parameters
    ----------
    output : the file that is made of the results; the work is done in a folder beside it, which has
        its name with `.parts` at the end
    work : what is to be computed
    force : replace the output, and unfinished work of another job
    progress : is told how many inputs are done

    Yields
    ------
    In one process the results of all blocks, in the order of the inputs. Its `with` block writes
    the output; if that succeeds, the work folder is removed. In the other processes None, after the
    output has been written.

    Raises
    ------
    DistributedError
        The work folder belongs to another job.
    OSError
        The folder cannot be written to, or the disk is full. What is done stays.
    """
    run = _Run(Path(output), work, place(), force)
    try:
        blocks = run.begin()
        if blocks is not None:
            run.compute(blocks, progress)
        if blocks is not None and run.has_to_join(blocks):
            yield run.results(blocks)
            run.folder.remove()
        else:
            yield None
    finally:
        run.folder.release()


def remove_rest(output: str | os.PathLike[str]) -> None:
    """Remove what a process left that was killed after it had written the output."""
    WorkFolder(output).remove_rest()


class _Run:
    """What one process does for a job."""

    def __init__(self, output: Path, work: Work, here: Place, force: bool) -> None:
        self.folder = WorkFolder(output)
        self._output, self._before = output, _state(output)
        self._work, self._here, self._force = work, here, force

    def begin(self) -> Blocks | None:
        """Return the blocks when the process that leads, perhaps this one, has checked the job.

        Return None if the output has been written, or if process 0 has not come to begin a job.
        """
        may_lead = self._here.rank == 0
        end = time.monotonic() + SECONDS_FOR_A_LEADER
        while True:
            if may_lead and self.folder.lead():
                return None if self._is_written() else self._blocks_of_leader()
            record = self.folder.checked_record()
            if record is not None:
                self._check_same(record.job)
                return self.folder.blocks(record)
            if self.folder.has_leader():
                end = time.monotonic() + SECONDS_FOR_A_LEADER
            elif self._is_written():
                return None
            elif time.monotonic() > end:
                if self.folder.record() is None:
                    return None
                may_lead = True  # process 0 has died, or comes very late
            time.sleep(SECONDS_TO_POLL)

    def compute(self, blocks: Blocks, progress: Progress) -> None:
        """Compute blocks until all are done, by this process or by others."""
        job, rank, size = blocks.job, *self._here
        # First the blocks that are dealt to this process, then those of the next ones.
        left = sorted(range(job.blocks), key=lambda one: ((one - rank) % size, one))
        counted = 0.0
        try:
            while left:
                before = len(left)
                for block in left:
                    self._compute_if_free(blocks, block)
                    if time.monotonic() - counted >= SECONDS_TO_COUNT:
                        progress(min(len(blocks.done()) * job.block, job.total), job.total)
                        counted = time.monotonic()
                done = blocks.done()
                left = [one for one in left if one not in done]
                if len(left) == before:
                    time.sleep(SECONDS_TO_POLL)  # others compute these blocks
        except FileNotFoundError:
            if blocks.folder.exists():
                raise  # else the job has been finished or replaced by another process

    def has_to_join(self, blocks: Blocks) -> bool:
        """Return whether this process leads, if need be after the one that led has ended."""
        while True:
            leads = self.folder.lead()
            record = self.folder.record()
            if record is None:
                return False
            if record.job != blocks.job:
                raise DistributedError(
                    f"{printable(self.folder.path)}: another command, with --force, works on this "
                    "file now; repeat this one with another file"
                )
            if leads:
                return True
            time.sleep(SECONDS_TO_POLL)

    def results(self, blocks: Blocks) -> Iterator[bytes]:
        """Yield the results of all blocks, in the order of the inputs."""
        for block in range(blocks.job.blocks):
            result = blocks.result(block)
            yield self._work.compute(blocks.inputs(block)) if result is None else result

    def _compute_if_free(self, blocks: Blocks, block: int) -> None:
        if not blocks.is_done(block):
            with blocks.taken(block) as mine:
                if mine:
                    blocks.write(block, self._work.compute(blocks.inputs(block)))

    def _blocks_of_leader(self) -> Blocks:
        """Write the record of the job, or accept the one that is there."""
        inputs = self._work.inputs()
        job = job_of(self._work.facts(), inputs)
        record = self.folder.record()
        if record is not None and record.job != job and not self._force:
            raise self._refusal(record.job, job, "to begin anew, add --force")
        return self.folder.blocks(self.folder.begin(job, inputs))

    def _check_same(self, job: Job) -> None:
        """Check a job that another process leads; the list of inputs only if this is process 0.

        The others were started by the same command.
        """
        here = job._replace(facts=self._work.facts())
        if self._here.rank == 0:
            here = job_of(here.facts, self._work.inputs())
        if here != job:
            raise self._refusal(job, here, "or wait for its end")

    def _refusal(self, job: Job, here: Job, advice: str) -> DistributedError:
        return DistributedError(
            f"{printable(self.folder.path)} belongs to a command that is not this one: "
            f"{differences(job, here)}. To go on with it, repeat that command; {advice}"
        )

    def _is_written(self) -> bool:
        """Return whether the output was written after this process had begun, or is complete."""
        state = _state(self._output)
        return state != self._before or (state is not None and not self._force)


def differences(there: Job, here: Job) -> str:
    """Return how two jobs differ, as text.

    >>> there = Job({"model": "9f86", "top": "5"}, 100, "d1", 64)
    >>> differences(there, Job({"model": "9f86", "top": "3"}, 101, "d2", 64))
    'its top is 5, here 3; it has 100 files, here 101'
    """
    names = [*there.facts, *(set(here.facts) - set(there.facts))]
    pairs = [(name, there.facts.get(name, ""), here.facts.get(name, "")) for name in names]
    texts = [f"its {name} is {a[:16]}, here {b[:16]}" for name, a, b in pairs if a != b]
    if there.total != here.total:
        texts.append(f"it has {there.total:,} files, here {here.total:,}")
    elif there.digest != here.digest:
        texts.append("it has other files, or in another order")
    return "; ".join(texts)


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is replaced; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
