"""Indexing that is killed at random moments: no picture is lost, doubled or half written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the script forks")
SCRIPT = Path(__file__).with_name("indexing_kills.py")
FEW, MANY = 6, 200


def kill(tmp_path, kills, children, *address):
    words = [sys.executable, SCRIPT, tmp_path, str(kills), str(children), *address]
    done = subprocess.run(words, capture_output=True, text=True, cwd=SCRIPT.parents[1])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= kills and found["lost_or_doubled"] == 0
    return found


def test_one_file_and_two_processes(tmp_path):
    kill(tmp_path, FEW, 2)


def test_one_database_and_four_processes(tmp_path, postgres):
    kill(tmp_path, FEW, 4, postgres)


@pytest.mark.slow
def test_one_file_is_killed_often(tmp_path):
    assert kill(tmp_path, MANY, 2)["midway"] > MANY / 10


@pytest.mark.slow
def test_one_database_is_killed_often(tmp_path, postgres):
    assert kill(tmp_path, MANY, 4, postgres)["midway"] > MANY / 20
