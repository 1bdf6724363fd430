"""`minicnn doctor --mpi`: what several processes need, and whether they can train together."""

from __future__ import annotations

import importlib.util
import json
import stat
import sys

import pytest
from mpi import mpirun, needs_mpi
from ranks import on_ranks

from minicnn.apps.cli import doctor_mpi, main
from minicnn.distributed import probe
from minicnn.distributed.probe import Member
from minicnn.installed import install_command

ONE = Member(0, "node1", 2, "0.1.0", "2.1.0", "native", "avx512")


def doctor(capsys) -> list[str]:
    assert main.run(["doctor", "--mpi"]) == 0
    return capsys.readouterr().out.splitlines()


def test_missing_packages_come_with_the_line_that_installs_them(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "mpi4py" else find(name)
    )
    assert doctor(capsys) == [f"! mpi4py is missing: {install_command('mpi')}"]


needs_mpi4py = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="pip install -e '.[mpi]'"
)


@needs_mpi4py
def test_a_missing_mpirun_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (line,) = doctor(capsys)
    assert line.startswith("! mpirun is missing: ") and "install the MPI of your system" in line


@needs_mpi4py
@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_an_mpirun_that_fails_is_quoted(monkeypatch, capsys, tmp_path):
    program = tmp_path / "mpirun"
    program.write_text("#!/bin/sh\necho no slots are left >&2\nexit 7\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(doctor_mpi, "find_mpirun", lambda: str(program))
    lines = doctor(capsys)
    assert lines[0] == f"  mpirun is {program}"
    assert lines[1].startswith("! ") and lines[1].endswith("exit code 7: no slots are left")


@needs_mpi
def test_two_processes_are_started_and_measured(capsys):
    text = "\n".join(doctor(capsys))
    assert "! " not in text
    assert " runs 2 processes and has " in text
    assert "all have minicnn " in text
    assert "a small message takes " in text and "GB/s each way" in text


@needs_mpi
def test_another_instruction_set_is_found():
    command = ["-m", "minicnn", "doctor", "--mpi", "--json"]
    other = ["-x", "MINICNN_ISA=generic", sys.executable, *command]
    done = mpirun(1, *command, ":", "-n", "1", *other)
    findings = json.loads(done.stdout)["findings"]
    (bad,) = (one["text"] for one in findings if one["bad"])
    assert bad.startswith("the processes differ in instruction set: rank 0 on ")


def test_equal_and_different_processes():
    assert probe.differences([ONE, ONE._replace(rank=1, host="node2", processors=8)]) == []
    other = ONE._replace(rank=1, host="node2", minicnn="0.2.0", engine="numpy")
    assert probe.differences([ONE, other]) == ["minicnn", "engine"]
    finding = doctor_mpi.agreement([ONE, other])
    assert finding.bad
    assert "rank 1 on node2 has 0.2.0, numpy" in finding.text


def test_more_processes_than_processors_are_pointed_out():
    job = [ONE._replace(rank=rank) for rank in range(3)] + [ONE._replace(rank=3, host="node2")]
    assert doctor_mpi.member_texts(job) == [
        "node1 runs 3 processes and has 2 processors; use no more processes than processors",
        "node2 runs 1 process and has 2 processors",
    ]


def test_messages_are_measured_between_two_of_several():
    first, *others = on_ranks(3, lambda group: probe.speed(group, 0, 2))
    assert others == [first] * 2
    assert first[:2] == (0, 2)
    assert first.latency_us > 0 and first.gigabytes_per_second > 0
    text = doctor_mpi.speed_text(first, [ONE, ONE, ONE._replace(host="node2")])
    assert text.startswith("ranks 0 and 2, from node1 to node2: ")
