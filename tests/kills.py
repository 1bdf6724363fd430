"""Children of a process that run a function to its end, or until they are killed.

A script that uses them has one thread only, so that it can fork.
"""

from __future__ import annotations

import os
import signal
import time
import traceback


def child_of(function, *arguments):
    """Run `function` in a child; return its number."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


def finished(function, *arguments):
    """Run `function` in a child to its end, and return the seconds it took."""
    start = time.monotonic()
    _, status = os.waitpid(child_of(function, *arguments), 0)
    if status != 0:
        raise SystemExit(f"{function.__name__} ended with status {status}")
    return time.monotonic() - start


def killed(rng, most_s, function, *arguments):
    """Kill a child at a random moment; return whether it was still running."""
    child = child_of(function, *arguments)
    time.sleep(rng.uniform(0, most_s))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if status not in (0, signal.SIGKILL):
        raise SystemExit(f"{function.__name__} ended with status {status}")
    return os.WIFSIGNALED(status)
