"""The group of processes that train together: this process's place in it, and how it is made."""

from __future__ import annotations

import os

from minicnn.checks import check_int
from minicnn.config import limit_threads
from minicnn.distributed import faults
from minicnn.distributed.communicator import Communicator, OneProcess
from minicnn.distributed.data_parallel import DataParallel
from minicnn.distributed.launch import place
from minicnn.distributed.mpi import MPICommunicator
from minicnn.errors import ArgumentError
from minicnn.models.strategy import set_strategy
from minicnn.support.main_process import set_main

SHARDS = 8  # parts of a batch, by default

_communicator: Communicator = OneProcess()
_initialized = False
_shards = SHARDS


def init(shards: int = SHARDS) -> None:
    """Let all processes that `mpirun` has started train one network together, from now on.

    After that `fit`, `train_on_batch` and `evaluate` are called on every process with the same
    arguments, and each computes its part of every batch. All end with the same weights, and these
    have the same bits for any number of processes. Process 0 alone writes files and shows progress.

    A batch is cut into `shards` parts. The gradient of each part is computed on its own, and they
    are added in a fixed order, whichever process computes which. So the result depends on the
    number of shards, and not on the number of processes. Without `mpirun` this process computes
    all shards: it repeats what several have computed.

    A batch normalization computes the mean and the variance of each shard on its own ("ghost batch
    normalization"), so that a shard needs at least a few samples.

    Parameters
    ----------
    shards : a power of two, at least the number of processes; default 8

    Raises
    ------
    ArgumentError : the number of shards is no power of two, or too small for the processes; or
        `init` was called before, with another number
    MissingExtraError : mpirun has started several processes, but mpi4py is not installed

    References
    ----------
    E. Hoffer, I. Hubara, D. Soudry, "Train longer, generalize better: closing the generalization
    gap in large batch training of neural networks", NeurIPS 2017: ghost batch normalization.
    """
    global _initialized, _shards
    check_int(shards, "shards")
    if shards & (shards - 1):
        raise ArgumentError(f"shards must be a power of two, such as 8 or 16; got {shards}")
    if _initialized and shards != _shards:
        raise ArgumentError(f"init was called with shards={_shards} before; got {shards}")
    connect()
    if size() > shards:
        raise ArgumentError(
            f"{size()} processes need at least as many shards; got shards={shards}. Start "
            f"fewer processes, or set shards={1 << (size() - 1).bit_length()}"
        )
    if not _initialized:
        set_strategy(DataParallel(_communicator, shards))
    _initialized, _shards = True, shards


def connect() -> None:
    """Connect the processes that `mpirun` has started, if it has; `init` does this, too.

    From now on process 0 alone writes files and shows progress, and an error that ends one of the
    processes ends all of them. The processes of a machine share its processors, unless
    `mc.config.set_threads` or an environment variable says how many threads each uses.

    Raises
    ------
    MissingExtraError : mpirun has started several processes, but mpi4py is not installed
    """
    global _communicator
    if place().size > 1 and _communicator.size == 1:
        _communicator = job = MPICommunicator()
        set_main(job.rank == 0)
        faults.watch(job)
        limit_threads(max(1, (os.cpu_count() or 1) // job.local_size))


def is_initialized() -> bool:
    """Return whether `init` has been called."""
    return _initialized


def communicator() -> Communicator:
    """Return the processes of the job; before `init` this process alone."""
    return _communicator


def rank() -> int:
    """Return the number of this process, 0 for the one that writes files and shows progress."""
    return communicator().rank


def size() -> int:
    """Return the number of processes."""
    return communicator().size


def shards() -> int:
    """Return into how many parts each batch is cut."""
    return _shards
