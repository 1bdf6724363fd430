"""Start a command in the network namespace of an address, for mpirun in place of ssh.

    mpirun --prtemca plm_ssh_agent "python benchmarks/scaling/agent.py" --host 10.77.0.1 ...

The command sees a host name of its own, because Open MPI recognizes machines by their names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from scaling.namespaces import name


def inside(rank: int, command: str) -> list[str]:
    """The command that runs a line of the shell in the namespace of a rank."""
    line = f"hostname {name(rank)}; {command}"
    return ["ip", "netns", "exec", name(rank), "unshare", "--uts", "sh", "-c", line]


def main(arguments: Sequence[str]) -> None:
    """Become the command; its first argument is the address."""
    address, *command = arguments
    full = inside(int(address.rpartition(".")[2]) - 1, " ".join(command))
    os.execvp(full[0], full)


if __name__ == "__main__":
    main(sys.argv[1:])
