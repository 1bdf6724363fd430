"""The rank and the number of processes, from the environment of a launcher."""

from __future__ import annotations

import json

import pytest
from mpi import mpirun, needs_mpi

from minicnn.distributed.launch import LAUNCHERS, Place, place
from minicnn.errors import ArgumentError

PRINT = "import json; from minicnn.distributed.launch import place; print(json.dumps(place()))"


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    for names in LAUNCHERS:
        for name in names:
            monkeypatch.delenv(name, raising=False)


def test_a_process_that_nobody_launched_is_alone():
    assert place() == Place(rank=0, size=1)


@pytest.mark.parametrize("names", LAUNCHERS)
def test_each_launcher_says_the_place(names, monkeypatch):
    monkeypatch.setenv(names[0], "2")
    assert place() == (0, 1)  # one variable alone says nothing
    monkeypatch.setenv(names[1], "3")
    assert place() == (2, 3)


@pytest.mark.parametrize("values", [("3", "3"), ("-1", "2"), ("a", "2"), ("0", "0"), ("²", "4")])
def test_numbers_that_are_no_place_are_refused(values, monkeypatch):
    for name, value in zip(LAUNCHERS[0], values, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=r"OMPI_COMM_WORLD_RANK=.*start minicnn with mpirun"):
        place()


@needs_mpi
def test_mpirun_gives_each_process_its_place():
    done = mpirun(3, "-c", PRINT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sorted(map(json.loads, lines)) == [[0, 3], [1, 3], [2, 3]]
