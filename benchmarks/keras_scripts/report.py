"""The table of the runs: ran, parameters, curves' ends, speeds, by script."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

HEAD = ["script", "ran", "parameters", "loss Keras", "loss minicnn", "accuracy Keras",
        "accuracy minicnn", "within noise", "images/s Keras", "minicnn", "ratio"]  # fmt: skip
# A difference of means below this is no difference, whatever the spread of few seeds says.
LEAST = 0.01


class Ends(NamedTuple):
    """The last values of a curve, by seed."""

    values: list[float]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation between seeds, 0 for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}"


def ends(runs: list[dict], key: str | None) -> Ends | None:
    """Return the last value of a curve in each run."""
    return Ends([run["history"][key][-1] for run in runs]) if key else None


def accuracy_key(history: dict) -> str | None:
    """Return the name of the first accuracy, or of the first other metric."""
    keys = [k for k in history if not k.startswith("val_") and k.rpartition("_")[2] != "loss"]
    keys = [k for k in keys if k not in ("loss", "learning_rate")]
    return next((k for k in keys if "acc" in k), keys[0] if keys else None)


def within_noise(ours: Ends, theirs: Ends) -> bool:
    """Whether two means differ by less than three deviations of the difference, or by 1 %."""
    deviation = (ours.spread**2 + theirs.spread**2) ** 0.5
    return abs(ours.mean - theirs.mean) <= max(3 * deviation, LEAST * max(1, abs(theirs.mean)))


def row(script: str, engines: dict) -> list[str]:
    """Return the cells of a script."""
    keras, ours = (list(engines.get(e, {}).values()) for e in ("keras", "minicnn"))
    failed = [name for name, runs in (("Keras", keras), ("minicnn", ours)) if not _fine(runs)]
    if failed:
        return [script, "not on " + " and ".join(failed), *[""] * (len(HEAD) - 2)]
    key, our_key = (accuracy_key(runs[0]["history"]) for runs in (keras, ours))
    losses = ends(keras, "loss"), ends(ours, "loss")
    accuracies = ends(keras, key), ends(ours, our_key)
    speeds = [statistics.median(r["images_per_second"] for r in runs) for runs in (keras, ours)]
    same = within_noise(*reversed(losses)) and within_noise(*reversed(accuracies))
    counts = {r["params"] for r in keras + ours}
    parameters = f"{counts.pop():,}" if len(counts) == 1 else f"differ: {sorted(counts)}"
    numbers = [f"{speeds[0]:,.0f}", f"{speeds[1]:,.0f}", f"{speeds[1] / speeds[0]:.2f}"]
    curves = [*map(str, losses), *map(str, accuracies), "yes" if same else "no"]
    return [script, "yes", parameters, *curves, *numbers]


def _fine(runs: list[dict]) -> bool:
    return bool(runs) and not any("error" in run for run in runs)


def print_table(results: dict, path: Path) -> None:
    """Print the table and write it as Markdown."""
    rows = [HEAD, ["---"] * len(HEAD), *(row(s, results[s]) for s in sorted(results))]
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
    print(text)
    path.write_text(text)
