"""A script that is stopped by Ctrl-C after so many steps: `interrupt_at.py STEPS SCRIPT ...`."""

from __future__ import annotations

import runpy
import signal
import sys
from typing import Any

from minicnn.history import History


def main(steps: str, script: str, *arguments: str) -> None:
    """The script, as if it were called by itself."""

    def press_ctrl_c(history: History, batch: int, logs: Any = None) -> None:
        if history.model.optimizer.iterations == int(steps):
            signal.raise_signal(signal.SIGINT)

    History.on_train_batch_end = press_ctrl_c  # every training has one
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have us ignore it
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
