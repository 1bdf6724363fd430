"""A process whose children save one archive over and over until they are killed.

    python saving_loop.py PATH KILLS

After each kill the archive is read; a line of JSON on stdout says, for each, the last save that was
reported as done and the save that was found. Run as a script, so that it can fork while it has one
thread only.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

import numpy as np

from minicnn.models.saving.archive import read_archive, write_archive

NUMBER_BYTES = 8
MAX_LIFE_S = 0.03  # after its first save; a save takes some milliseconds


def save(path, step):
    weights = {"all/of/one/step": np.full(20_000, step, np.int64)}
    write_archive(path, weights, {"config": {"step": step}})


def save_for_ever(path, step, reports):
    while True:
        step += 1
        save(path, step)
        os.write(reports, step.to_bytes(NUMBER_BYTES, "little"))


def kill_a_child_that_saves(path, step, life_s):
    """The last step that the child reported."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            save_for_ever(path, step, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with open(reader, "rb") as reports:
        reported = reports.read(NUMBER_BYTES)  # however slow the disk is, it has begun
        time.sleep(life_s)
        os.kill(child, signal.SIGKILL)
        reported += reports.read()
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise SystemExit(f"the child ended by itself with status {status}")
    return int.from_bytes(reported[-NUMBER_BYTES:], "little")


def found_step(path):
    archive = read_archive(path)
    step = archive.documents["config"]["step"]
    if not (archive.weights["all/of/one/step"] == step).all():
        raise SystemExit(f"{path} is of two steps")
    return step


def main(path, kills):
    rng, step = random.Random(0), 0
    save(path, step)
    for _ in range(kills):
        reported = kill_a_child_that_saves(path, step, rng.uniform(0, MAX_LIFE_S))
        step = found_step(path)
        print(json.dumps({"reported": reported, "found": step}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
