"""The folder in which processes share a job: its record, its list of inputs, and finished blocks.

    out.csv.parts/
        job.json            what the job computes, and the process that leads it
        leader.lock         locked while a process leads
        3f0c9a52.../        named after what the job computes
            inputs          the names of all inputs, each followed by a zero byte
            0000017.lock    locked while a process computes block 17
            0000017.part    the result of block 17, written in one step

A block is done when its result exists. Results depend on the inputs alone, so it does no harm if a
block is computed twice, as on a file system without locks. They begin with a checksum, because the
processes do not wait for the disk: after a power failure the last ones may be incomplete.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from minicnn.errors import ArgumentError, FolderInUseError, FormatError
from minicnn.support.atomic_files import make_names_durable, write_atomically, write_text
from minicnn.support.files import open_regular, read_text, read_whole
from minicnn.support.locks import FolderLock, is_locked

# Inputs in a block, whose computation a kill costs. Many blocks are shared by many processes, but
# each is a file. All sizes are multiples of the batches that networks get.
SMALLEST, LARGEST = 64, 1024
BLOCKS = 256
CHECKSUM_BYTES = 32
MAX_BYTES = 1 << 30  # of one result
END = b"\0"  # of a name in the list: the only byte that no name has
RECORD, LEADER, INPUTS = "job.json", "leader.lock", "inputs"


class Job(NamedTuple):
    """What a job computes. Two jobs with equal fields have the same results."""

    facts: dict[str, str]  # all but the inputs: {"model": "9f86...", "top": "5"}
    total: int  # inputs
    digest: str  # SHA-256 of the list of inputs
    block: int  # inputs in a block

    @property
    def key(self) -> str:
        """The name of its folder."""
        text = json.dumps(self, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def blocks(self) -> int:
        """The number of blocks."""
        return -(-self.total // self.block)


class Record(NamedTuple):
    """A job as it is written in the folder."""

    job: Job
    offsets: list[int]  # where each block begins in the list of inputs
    leader: int  # number of the process that has checked that the job is the one that is asked for


class Blocks:
    """The blocks of one job: their inputs, locks and results."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder, self.job, self._offsets = folder, record.job, record.offsets

    def inputs(self, block: int) -> list[str]:
        """Return the names of a block's inputs."""
        with open_regular(self.folder / INPUTS) as file:
            file.seek(self._offsets[block])
            content = file.read(self._offsets[block + 1] - self._offsets[block])
        return [os.fsdecode(name) for name in content.split(END)[:-1]]

    def done(self) -> set[int]:
        """Return the blocks that are done, from one look at the folder."""
        names = os.listdir(self.folder)
        return {int(name[:-5]) for name in names if name.endswith(".part")}

    def is_done(self, block: int) -> bool:
        """Return whether a block is done."""
        return self._part(block).exists()

    @contextmanager
    def taken(self, block: int) -> Iterator[bool]:
        """Yield whether this process may compute a block: nobody else does, and it is not done.

        The lock is held inside the `with` statement.
        """
        lock = FolderLock(self.folder, f"{block:07d}.lock")
        try:
            lock.acquire()
        except FolderInUseError:
            yield False
            return
        try:
            yield not self.is_done(block)
        finally:
            lock.release()

    def write(self, block: int, result: bytes) -> None:
        """Write the result of a block; it is done then."""
        checksum = hashlib.sha256(result).digest()
        write_atomically(self._part(block), [checksum, result], durable=False)

    def result(self, block: int) -> bytes | None:
        """Return the result of a block; None if it is damaged."""
        content = read_whole(self._part(block), MAX_BYTES)
        checksum, result = content[:CHECKSUM_BYTES], content[CHECKSUM_BYTES:]
        return result if hashlib.sha256(result).digest() == checksum else None

    def _part(self, block: int) -> Path:
        return self.folder / f"{block:07d}.part"


class WorkFolder:
    """The folder beside an output in which processes share the work on it."""

    def __init__(self, output: str | os.PathLike[str]) -> None:
        self.path = Path(f"{os.fspath(output)}.parts")
        self._lock: FolderLock | None = None

    @property
    def is_led(self) -> bool:
        """Whether this process leads."""
        return self._lock is not None

    def lead(self) -> bool:
        """Lead from now on, unless another process does; return whether this process leads."""
        if self._lock is None:
            self.path.mkdir(exist_ok=True)
            lock = FolderLock(self.path, LEADER)
            try:
                lock.acquire()
            except (FolderInUseError, FileNotFoundError):  # removed in the meantime by the last one
                return False
            self._lock = lock
        return True

    def release(self) -> None:
        """Let others lead, and remove the folder if nothing is in it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
            with suppress(OSError):
                self.path.rmdir()

    def has_leader(self) -> bool:
        """Return whether any process leads."""
        return is_locked(self.path / LEADER)

    def record(self) -> Record | None:
        """Return what is written of the job; None if there is none.

        Raises
        ------
        FormatError
            The file is damaged, or was written by another version.
        """
        path = self.path / RECORD
        try:
            fields = json.loads(read_text(path))
            return Record(Job(*fields["job"]), fields["offsets"], fields["leader"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            advice = "if no process works there, remove the folder, and repeat the command"
            raise FormatError(path, f"does not say what is computed here; {advice}") from error

    def checked_record(self) -> Record | None:
        """Return the record, if the process that leads now has checked it."""
        try:
            leader = read_text(self.path / LEADER).strip() if self.has_leader() else ""
        except FileNotFoundError:
            return None
        record = self.record() if leader else None
        return record if record is not None and leader == str(record.leader) else None

    def begin(self, job: Job, inputs: Sequence[str]) -> Record:
        """Make this job the one that is worked on, by this process as the one that leads.

        What is done of it stays, and the blocks of any other job are removed.
        """
        folder = self.path / job.key
        folder.mkdir(exist_ok=True)
        parts = list(_list_of(inputs, job.block))
        write_atomically(folder / INPUTS, parts)
        offsets = [0, *itertools.accumulate(map(len, parts))]
        record = Record(job, offsets, os.getpid())
        write_text(self.path / RECORD, json.dumps(record._asdict()))
        self._remove_all_but(job.key, RECORD)
        return record

    def blocks(self, record: Record) -> Blocks:
        """Return the blocks of a job."""
        return Blocks(self.path / record.job.key, record)

    def remove(self) -> None:
        """Remove the job, whose record goes first, so that no process begins with it."""
        (self.path / RECORD).unlink()
        make_names_durable(self.path)
        self._remove_all_but()

    def remove_rest(self) -> None:
        """Remove what a process left that was killed while it removed a finished job."""
        if self.path.is_dir() and not (self.path / RECORD).exists() and self.lead():
            try:
                if not (self.path / RECORD).exists():
                    self._remove_all_but()
            finally:
                self.release()

    def _remove_all_but(self, *names: str) -> None:
        for name in set(os.listdir(self.path)) - {LEADER, *names}:
            path = self.path / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def job_of(facts: dict[str, str], inputs: Sequence[str]) -> Job:
    """Return the job that computes these inputs.

    Raises
    ------
    ArgumentError
        An input contains a zero byte, which no file name has.
    """
    digest = hashlib.sha256()
    for name in inputs:
        if "\0" in name:
            raise ArgumentError(f"a file name has no zero byte; got {name[:80]!r}")
        digest.update(os.fsencode(name) + END)
    return Job(facts, len(inputs), digest.hexdigest(), block_size(len(inputs)))


def block_size(total: int) -> int:
    """Return how many inputs a block has.

    >>> block_size(100), block_size(100_000), block_size(10_000_000)
    (64, 256, 1024)
    """
    power_of_2: int = 2 ** max(0, (total // BLOCKS).bit_length() - 1)
    return min(max(power_of_2, SMALLEST), LARGEST)


def _list_of(inputs: Sequence[str], block: int) -> Iterator[bytes]:
    """Yield the list of inputs, block by block, as it is in the file."""
    for start in range(0, len(inputs), block):
        yield b"".join(os.fsencode(name) + END for name in inputs[start : start + block])
