"""`minicnn` as one of several processes, some of which kill themselves in the middle of the work.

    python dying_rank.py RANKS minicnn's words...

Those of RANKS, such as 02, die when they have begun to classify a block of images, or to read a
picture for a library.
"""

from __future__ import annotations

import os
import signal
import sys

from minicnn.apps.cli import main, predict_table
from minicnn.distributed.launch import place


def die(*_):
    """End this process as the system does when the memory is full."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    dying, *sys.argv[1:] = sys.argv[1:]
    if str(place().rank) in dying:
        predict_table.predict = die
        if "index" in sys.argv:
            from minicnn.apps.library import indexing

            indexing.read_job = die
    main.main()
