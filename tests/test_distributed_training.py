"""Training on several processes of MPI: the bits, the files, and another number of processes."""

from __future__ import annotations

import os
from pathlib import Path

from mpi import ROOT, mpirun, needs_mpi

import minicnn as mc

TRAINING = ROOT / "tests" / "rank_training.py"


def train(folder: Path, ranks: int, epochs: int) -> list[list[str]]:
    """Train, and return [rank, size, digest, steps] of each process, sorted."""
    folder.mkdir(exist_ok=True)
    done = mpirun(ranks, TRAINING, folder, epochs)
    assert done.returncode == 0, done.stderr
    return sorted(line.split() for line in done.stdout.splitlines())


@needs_mpi
def test_two_processes_end_with_the_bits_of_one(tmp_path: Path) -> None:
    ((_, _, digest, steps),) = train(tmp_path / "one", 1, 3)
    assert train(tmp_path / "two", 2, 3) == [
        ["0", "2", digest, steps],
        ["1", "2", digest, steps],
    ]
    for name in ("history.csv", "checkpoints/checkpoint-8.mcnn"):
        assert (tmp_path / "one" / name).is_file() and (tmp_path / "two" / name).is_file()
    one, two = ((tmp_path / name / "history.csv").read_bytes() for name in ("one", "two"))
    assert one == two
    assert_same_models(*(tmp_path / name / "last.mcnn" for name in ("one", "two")))


@needs_mpi
def test_it_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    ((_, _, digest, steps),) = train(tmp_path / "one", 1, 4)
    train(tmp_path / "changing", 3, 2)
    assert train(tmp_path / "changing", 2, 4) == [
        ["0", "2", digest, steps],
        ["1", "2", digest, steps],
    ]
    assert_same_models(*(tmp_path / name / "last.mcnn" for name in ("one", "changing")))


def assert_same_models(a: Path, b: Path) -> None:
    """Compare weights and the optimizer's state, of which each process had a part."""
    one, two = mc.load_model(a), mc.load_model(b)
    assert one.optimizer.steps == two.optimizer.steps
    assert [w.tobytes() for w in one.get_weights()] == [w.tobytes() for w in two.get_weights()]
    slots = [{key: array.tobytes() for key, array in model.slots.items()} for model in (one, two)]
    assert slots[0] == slots[1] and slots[0]


@needs_mpi
def test_processes_share_the_processors_unless_told_otherwise() -> None:
    code = "import minicnn as mc; {}mc.distributed.init(); print(mc.config.get_threads())"
    shared = mpirun(2, "-c", code.format(""), MINICNN_NUM_THREADS="")
    chosen = mpirun(2, "-c", code.format("mc.config.set_threads(2); "), MINICNN_NUM_THREADS="")
    most = len(os.sched_getaffinity(0))
    assert shared.stdout.split() == [str(max(1, min(most, 8, os.cpu_count() // 2)))] * 2
    assert chosen.stdout.split() == [str(min(most, 2))] * 2
