"""`minicnn doctor --mpi`: can mpirun start processes that train together, and how fast are they?

If mpirun has started this command, its processes look at each other. If not, it starts two.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from minicnn import distributed, installed
from minicnn.distributed import probe
from minicnn.distributed.launch import place
from minicnn.explain import Finding
from minicnn.support.text import shortened

SECONDS = 60  # that the test of mpirun may take
SEVERAL = "mpirun -n 2 --host NODE1,NODE2 minicnn doctor --mpi"


def check_mpi() -> list[Finding]:
    """Report whether several processes can train together, and what must be installed for it."""
    if importlib.util.find_spec("mpi4py") is None:
        return [Finding(True, f"mpi4py is missing: {installed.install_command('mpi')}")]
    if place().size > 1:
        distributed.connect()
        return check_job()
    program = find_mpirun()
    if program is None:
        return [
            Finding(
                True,
                f"mpirun is missing: {installed.install_command('mpi')}, or install the MPI of "
                "your system or cluster",
            )
        ]
    return [Finding(False, f"mpirun is {program}"), *check_start(program)]


def find_mpirun() -> str | None:
    """Return the path of mpirun; pip installs it beside Python, whose folder may not be in PATH."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return shutil.which("mpirun", path=os.pathsep.join(folders))


def check_start(program: str) -> list[Finding]:
    """Start two processes of this command by mpirun, and return what they have found."""
    options, notes = start_options()
    words = [sys.executable, "-m", "minicnn", "doctor", "--mpi", "--json"]
    line = [program, *options, "-n", "2", *words]
    try:
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        found = json.loads(done.stdout)["findings"] if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        return [Finding(True, f"{' '.join(line)} does not work: {shortened(str(error), 200)}")]
    if found is None:
        said = shortened(" ".join(done.stderr.split()), 400)
        return [Finding(True, f"{' '.join(line)} ended with exit code {done.returncode}: {said}")]
    several = Finding(False, f"to check several machines: {SEVERAL}")
    return [*notes, *(Finding(**one) for one in found), several]


def start_options() -> tuple[list[str], list[Finding]]:
    """Return the options of mpirun for two processes here, and what there is to say about them."""
    options, notes = [], []
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-run-as-root")
        notes.append(Finding(False, "you are root: mpirun needs the option --allow-run-as-root"))
    if (os.cpu_count() or 1) < 2:
        options.append("--oversubscribe")
        notes.append(
            Finding(False, "with one processor mpirun needs --oversubscribe for a second process")
        )
    return options, notes


def check_job() -> list[Finding]:
    """Return what the processes of this job find out about each other; all must call it."""
    group = distributed.communicator()
    found = probe.members(group)
    speeds = [probe.speed(group, 0, last) for last in sorted({1, group.size - 1})]
    return [
        *(Finding(False, text) for text in member_texts(found)),
        agreement(found),
        *(Finding(False, speed_text(one, found)) for one in speeds),
    ]


def member_texts(found: list[probe.Member]) -> list[str]:
    """Return a sentence for each host.

    >>> one = probe.Member(0, "node1", 4, "0.1.0", "2.1.0", "native", "avx2")
    >>> member_texts([one, one._replace(rank=1)])
    ['node1 runs 2 processes and has 4 processors']
    """
    counts = Counter((one.host, one.processors) for one in found)
    return [
        f"{host} runs {_counted(count, 'process', 'es')} and has "
        f"{_counted(processors, 'processor')}"
        + ("; use no more processes than processors" if count > processors else "")
        for (host, processors), count in counts.items()
    ]


def agreement(found: list[probe.Member]) -> Finding:
    """Say whether all processes have the same versions and the same engine."""
    one = found[0]
    if not (names := probe.differences(found)):
        return Finding(
            False,
            f"all have minicnn {one.minicnn}, NumPy {one.numpy}, the engine {one.engine} "
            f"({one.instruction_set or 'NumPy'})",
        )
    fields = [name.replace(" ", "_") for name in names]
    each = (
        f"rank {member.rank} on {member.host} has {', '.join(getattr(member, f) for f in fields)}"
        for member in found
    )
    return Finding(
        True,
        f"the processes differ in {', '.join(names)}: {'; '.join(each)}. Install the same "
        "versions everywhere; MINICNN_ISA sets a lower instruction set",
    )


def speed_text(one: probe.Speed, found: list[probe.Member]) -> str:
    """Return the speed of messages between two processes as a sentence."""
    hosts = [found[rank].host for rank in (one.first, one.second)]
    where = f"on {hosts[0]}" if len(set(hosts)) == 1 else f"from {hosts[0]} to {hosts[1]}"
    return (
        f"ranks {one.first} and {one.second}, {where}: a small message takes "
        f"{one.latency_us:.0f} us, large ones {one.gigabytes_per_second:.1f} GB/s each way"
    )


def _counted(count: int, what: str, plural: str = "s") -> str:
    return f"{count} {what}{plural if count != 1 else ''}"
