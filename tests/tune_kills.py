"""Kill the workers of a search at random moments, and compare its trials with those of one worker.

    python tune_kills.py FOLDER TRIALS WORKERS KILLS SAMPLER [ADDRESS]

One worker makes a search of TRIALS trials undisturbed. Then WORKERS workers share searches with the
same settings; each worker is killed (SIGKILL) at a random moment, and another takes its place. When
a search is complete, its trials must be those of the first: the same numbers, hyperparameters,
states and scores, bit for bit. SAMPLER is random, or tpe, which prunes by the median. The searches
are in FOLDER, or in the database at ADDRESS. A line of JSON on stdout sums up. Run as a script, so
that it can fork while it has one thread only.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

from kills import child_of, finished
from tiny_searches import DATA, X, Y

import minicnn as mc
from minicnn import tune
from minicnn.layers import Conv2D, Dense, Flatten, Input

KINDS = {"random": tune.RandomSearch, "tpe": tune.BayesianOptimization}
EPOCHS = 4
KILLS_PER_SEARCH = 20  # after which its workers are left to end


def build(hp):
    """Build one of 80 networks of two or three layers, or one layer with any learning rate.

    80 is few enough for a trial to avoid those of earlier ones.
    """
    model = mc.Sequential([Input((8, 8, 1))])
    layers = hp.Int("layers", 1, 3)
    for i in range(layers):
        model.add(Conv2D(hp.Int(f"filters_{i}", 2, 8, step=2), 3, activation="relu"))
    model.add(Flatten())
    model.add(Dense(3, activation="softmax"))
    rate = hp.Float("rate", 0.001, 0.1, sampling="log") if layers == 1 else 0.01
    model.compile(mc.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Place(NamedTuple):
    """What all searches have in common."""

    folder: Path
    address: str | None
    sampler: str
    workers: int


def tuner(place, name, trials):
    """The tuner of a search."""
    options = {"directory": place.folder, "project_name": name, "storage": place.address}
    if place.sampler == "tpe":
        options |= {"pruner": "median", "workers": place.workers}
    return KINDS[place.sampler](build, "val_loss", trials, seed=5, verbose=0, **options)


def work(place, name, trials):
    """Work on a search until it is complete."""
    tuner(place, name, trials).search(X[:80], Y[:80], **{**DATA, "epochs": EPOCHS})


def write_trials(place, name, trials, path):
    """Write what must not depend on the workers."""
    rows = sorted(
        [one.number, one.state, one.values, one.score.hex(), one.best_step, one.seconds is not None]
        for one in tuner(place, name, trials).results()
    )
    path.write_text(json.dumps(rows))


def trials_of(place, name, trials):
    """The trials of a search that is complete."""
    path = place.folder / f"{name}.json"
    finished(write_trials, place, name, trials, path)
    return json.loads(path.read_text())


def kill_workers(place, name, trials, workers, rng, most_s):
    """Replace workers that are killed, until enough are; return how many were."""
    kills, running = 0, {}
    ended = False
    while kills < KILLS_PER_SEARCH and not ended:
        while len(running) < workers:
            moment = time.monotonic() + rng.uniform(0, most_s)
            running[child_of(work, place, name, trials)] = moment
        child = min(running, key=running.get)
        time.sleep(max(0.0, running.pop(child) - time.monotonic()))
        os.kill(child, signal.SIGKILL)
        ended = not was_killed(child)
        kills += not ended
    for child in running:
        if was_killed(child):
            raise SystemExit("a worker that was left alone was killed")
    return kills


def was_killed(child):
    """Wait for a child to end; return whether it was killed."""
    _, status = os.waitpid(child, 0)
    if status not in (0, signal.SIGKILL):
        raise SystemExit(f"a worker ended with status {status}")
    return os.WIFSIGNALED(status)


def run(place, trials, workers, kills):
    """Kill at least so often; print how many searches there were and how many were different."""
    rng, total, searches, different = random.Random(time.time_ns()), 0, 0, 0
    most_s = finished(work, place, "whole", trials)
    right = trials_of(place, "whole", trials)
    if len(right) != trials:
        raise SystemExit(f"{len(right)} of {trials} trials")
    while total < kills:
        searches += 1
        name = f"killed-{searches}"
        total += kill_workers(place, name, trials, workers, rng, most_s / 2)
        finished(work, place, name, trials)  # what was left of the last ones to be killed
        found = trials_of(place, name, trials)
        for row in [one for one in found if one not in right]:
            print("different:", row, file=sys.stderr)
        different += found != right
        print(f"{searches} searches, {total} kills, {different} different", file=sys.stderr)
    print(json.dumps({"kills": total, "searches": searches, "different": different}))
    return different


if __name__ == "__main__":
    folder, trials, workers, kills, sampler, *address = sys.argv[1:]
    place = Place(Path(folder), address[0] if address else None, sampler, int(workers))
    sys.exit(run(place, int(trials), int(workers), int(kills)) > 0)
