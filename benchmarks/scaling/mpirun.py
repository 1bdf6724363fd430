"""Start the programs of this folder on several ranks, and read what rank 0 has measured.

The ranks are on one machine. They talk through shared memory, through TCP on the loopback device,
or through TCP between network namespaces.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scaling.agent import inside
from scaling.namespaces import SUBNET, address

FOLDER = Path(__file__).parent
NETWORKS = ("memory", "loopback", "namespaces")
# Programs pin themselves to a processor each: the ranks of several namespaces all believe that they
# have the machine to themselves.
COMMON = ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "pml", "ob1"]
# A rank that waits gives the processor to one that computes, as they may share one.
SHARED = ["--mca", "mpi_yield_when_idle", "1"]


def measure(program: str, ranks: int, network: str, *arguments: object) -> Any:
    """Run a program of this folder, and return the JSON that its rank 0 has written.

    The last argument of the program is the file that it writes.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.json"
        # mpi4py ends all ranks when one has failed.
        line = [
            sys.executable,
            "-m",
            "mpi4py",
            str(FOLDER / program),
            *map(str, arguments),
            str(path),
        ]
        command = _mpirun(ranks, network) + line
        if network == "namespaces":
            command = inside(0, " ".join(f"'{word}'" for word in command))
        result = subprocess.run(command, env=_environment(), check=False)
        if result.returncode != 0:
            raise SystemExit(f"{program} failed on {ranks} ranks ({network}); see above")
        return json.loads(path.read_text())


def _mpirun(ranks: int, network: str) -> list[str]:
    shared = SHARED if ranks > len(os.sched_getaffinity(0)) else []
    return ["mpirun", *COMMON, *shared, *_transport(ranks, network), "-n", str(ranks)]


def _transport(ranks: int, network: str) -> list[str]:
    """The options that choose how messages travel."""
    if network == "memory":
        return ["--mca", "btl", "sm,self"]
    if network == "loopback":
        return _tcp("127.0.0.0/8")
    hosts = ",".join(f"{address(rank)}:1" for rank in range(ranks))
    agent = f"{sys.executable} {FOLDER / 'agent.py'}"
    control = [
        "--prtemca",
        "plm_ssh_agent",
        agent,
        "--prtemca",
        "prte_if_include",
        f"{SUBNET}.0/24",
    ]
    return ["--host", hosts, *control, *_tcp(f"{SUBNET}.0/24")]


def _tcp(subnet: str) -> list[str]:
    return ["--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", subnet]


def _environment() -> dict[str, str]:
    """The environment of the ranks: one thread each, and the modules of this folder."""
    paths = [str(FOLDER.parent), str(FOLDER.parent.parent), os.environ.get("PYTHONPATH", "")]
    one_thread = dict.fromkeys(("MINICNN_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    return {**os.environ, **one_thread, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def pin(rank: int) -> None:
    """Pin this process to one processor; ranks take turns."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, [processors[rank % len(processors)]])
