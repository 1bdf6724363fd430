"""Run a script and interrupt it after a number of steps: `interrupt_at.py STEPS SCRIPT ...`."""

from __future__ import annotations

import runpy
import signal
import sys
from typing import Any

from minicnn.history import History


def main(steps: str, script: str, *arguments: str) -> None:
    """Run the script as if it had been called directly."""

    def press_ctrl_c(history: History, batch: int, logs: Any = None) -> None:
        if history.model.optimizer.iterations == int(steps):
            signal.raise_signal(signal.SIGINT)

    History.on_train_batch_end = press_ctrl_c  # every training has a History
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
