"""Trainings of several processes of which one is killed, and resumed on another number of them."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from mpi import needs_mpi

pytestmark = needs_mpi


@pytest.fixture
def kill_ranks(monkeypatch):
    """The benchmark that kills ranks."""
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent.parent / "benchmarks"), *sys.path])
    return pytest.importorskip("kill_ranks")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ranks are found in /proc")
def test_killed_trainings_end_with_the_same_bits(kill_ranks, tmp_path):
    """More of them: `python benchmarks/kill_ranks.py --kills 100`."""
    found = kill_ranks.measure(3, random.Random(0), tmp_path)
    assert [one["same bits"] for one in found] == [True] * 3
    assert all(one["named"] for one in found)


def test_what_is_not_as_it_must_be_is_listed(kill_ranks):
    good = {"same bits": True, "ended after": 1.0, "named": True}
    assert kill_ranks.faults([good]) == []
    bad = [
        good | change for change in ({"same bits": False}, {"ended after": 11}, {"named": False})
    ]
    assert len(kill_ranks.faults(bad)) == 3
