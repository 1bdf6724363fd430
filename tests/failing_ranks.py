"""A job of two processes in which something goes wrong: `mpirun -n 2 ... failing_ranks.py WHAT`."""

from __future__ import annotations

import os
import signal
import sys
import threading

from minicnn import distributed


def fail(what: str) -> None:
    """Let rank 1, or both, fail in this way."""
    both = what.startswith("both")
    if distributed.rank() == 0 and not both:
        return
    match what:
        case "exit 0":
            sys.exit(0)
        case "exit 3":
            sys.exit(3)
        case "exit at once":
            os._exit(0)
        case "error" | "both: error":
            raise FileNotFoundError(2, "no such folder", "photos")
        case "both: errors":
            raise ValueError(f"the value of rank {distributed.rank()}")
        case "error in a thread":
            thread = threading.Thread(target=int, args=("seven",), name="reader")
            thread.start()
            thread.join()
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "interrupted":
            os.kill(os.getpid(), signal.SIGINT)


def main(what: str) -> None:
    """Do something together, fail, and do something together again."""
    distributed.init()
    group = distributed.communicator()
    print("processes", group.gather(os.getpid()), flush=True)
    if what == "error of the main process at the end":
        if group.rank == 0:
            raise OSError(28, "No space left on device", "runs/scene-1")
        return
    while what == "work":
        group.barrier()
    fail(what)
    for _ in range(3):
        group.barrier()
    print("all is well", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
