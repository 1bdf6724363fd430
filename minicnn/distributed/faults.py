"""An error or an early end of one process of a job ends all of them, with its reason and host.

The others would wait for its messages for ever. A process that is killed by a signal is found by
`mpirun`, which names it and its host and ends the job.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from types import FrameType, TracebackType

from minicnn.distributed.endings import Ending, text_for
from minicnn.distributed.mpi import MPICommunicator
from minicnn.errors import error_text
from minicnn.support.main_process import by_main_only

# All processes may have the same error, such as a folder that does not exist. So a process that has
# one waits so long for the others' errors before it ends the job.
SECONDS_FOR_OTHERS = 5.0
INTERRUPTED = 130  # the exit code after Ctrl-C, as shells report it

_job: MPICommunicator | None = None
_process = 0  # the one that has called `watch`: a forked child has no part in the job
_has_ended = False


def watch(job: MPICommunicator) -> None:
    """End the whole job if an error that nobody handles ends this process, or a thread of it.

    At its end each process waits, without using its core, until all have ended.
    """
    global _job, _process
    _job, _process = job, os.getpid()
    sys.excepthook = _excepthook
    threading.excepthook = _thread_excepthook
    atexit.register(_leave)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupted)


def fail(reason: str, show: Callable[[str], object], code: int = 1) -> None:
    """Report an error that ends this process; unless all have one, end the whole job.

    Parameters
    ----------
    reason : the error as one line
    show : prints a line; it is not called if another process prints the same one
    code : the exit code of a job that is ended here
    """
    global _has_ended
    if _job is None or _process != os.getpid():
        show(reason)
        return
    _has_ended = True
    _job.endings.tell(Ending(_job.rank, _job.host, _job.begun, reason))
    endings = _job.endings.wait(SECONDS_FOR_OTHERS)
    if text := text_for(_job.rank, endings, _job.size):
        show(text)
    if len(endings) < _job.size:
        _flush()
        _job.abort(code)


def _leave() -> None:
    """Tell the others that this process has ended, and wait for them."""
    if _job is None or _process != os.getpid() or _has_ended:
        return
    _flush()
    _job.endings.tell(Ending(_job.rank, _job.host, _job.begun))
    _job.endings.wait()


def _excepthook(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    def show(line: str) -> None:
        with redirect_stderr(sys.__stderr__):
            sys.__excepthook__(kind, error, traceback)
        if line != reason:
            _print(line)

    reason = f"{kind.__name__}: {error_text(error)}"
    fail(reason, show)


def _thread_excepthook(caught: threading.ExceptHookArgs) -> None:
    """End this process, whereupon `mpirun` ends the job; only the main thread may call MPI."""
    with redirect_stderr(sys.__stderr__):
        threading.__excepthook__(caught)
    if _job is None or _process != os.getpid() or caught.exc_type is SystemExit:
        return
    thread = caught.thread.name if caught.thread is not None else "a thread"
    me = Ending(_job.rank, _job.host, _job.begun)
    _print(f"{me.name}: {caught.exc_type.__name__} in {thread}: {caught.exc_value}")
    _flush()
    os._exit(1)


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    """End the job at Ctrl-C: the others do not stop at the same step, so nothing can be saved."""
    if _job is not None and _process == os.getpid():
        _say_interrupted()
        _flush()
        _job.abort(INTERRUPTED)
    raise KeyboardInterrupt


@by_main_only
def _say_interrupted() -> None:
    _print("Interrupted.")


def _print(line: str) -> None:
    """Print a line on the real standard error, which the command silences on most processes."""
    print(line, file=sys.__stderr__, flush=True)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # its reader has gone, or it is closed
            stream.flush()
