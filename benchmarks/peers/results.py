"""The results of a comparison: times, ratios, and the JSON file that stores them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from peers.engines import OURS

SCHEMA = 2


class Case(NamedTuple):
    """What was timed. Only results of the same case are compared with each other."""

    network: str
    mode: str  # "training", "inference" or "fit"
    batch: int  # images per step, or per epoch of `fit`
    threads: int

    def __str__(self) -> str:
        threads = f", {self.threads} thread" if self.threads == 1 else ""
        unit = "images" if self.mode == "fit" else "batch"
        return f"{self.mode}, {unit} {self.batch}{threads}"


class Result(NamedTuple):
    """The times of one variant of one engine in one case."""

    case: Case
    engine: str
    variant: str
    blocks: list[list[float]]  # seconds of each step, block by block
    foreign: list[float]  # share of CPU time that other programs took, per block

    @property
    def name(self) -> str:
        """The engine's name and its variant."""
        return f"{self.engine} {self.variant}".strip()

    @property
    def median(self) -> float:
        """Median of the medians of the blocks, in seconds; one disturbed block hardly matters."""
        return float(np.median([np.median(block) for block in self.blocks]))

    @property
    def p95(self) -> float:
        """95th percentile of all steps in seconds."""
        return float(np.percentile(np.concatenate(self.blocks), 95))

    @property
    def images_per_second(self) -> float:
        """Throughput at the median time."""
        return self.case.batch / self.median


class Memory(NamedTuple):
    """Memory of a training process in bytes."""

    network: str
    engine: str
    variant: str
    before: int  # after the imports
    peak: int

    @property
    def grown(self) -> int:
        """Memory of the training itself."""
        return self.peak - self.before


class Run(NamedTuple):
    """All results of one network."""

    network: str
    about: dict[str, Any]
    results: list[Result]
    memory: list[Memory]

    def disturbed(self, limit: float) -> float:
        """The share of blocks in which other programs took more than `limit` of the CPU time."""
        shares = [share for result in self.results for share in result.foreign]
        return float(np.mean([share > limit for share in shares])) if shares else 0.0


def best(results: list[Result], engines: tuple[str, ...]) -> Result | None:
    """The fastest result of any of `engines`; None if there is none."""
    candidates = [r for r in results if r.engine in engines]
    return min(candidates, key=lambda r: r.median, default=None)


def cases(results: list[Result]) -> dict[Case, list[Result]]:
    """The results grouped by case."""
    found: dict[Case, list[Result]] = {}
    for result in results:
        found.setdefault(result.case, []).append(result)
    return found


def peers_of(results: list[Result]) -> tuple[str, ...]:
    """The engines of these results that are not minicnn's."""
    return tuple({r.engine for r in results} - set(OURS))


def ratio(result: Result | None, rival: Result | None) -> float | None:
    """The speed of `result` relative to `rival`; None if one of them is missing."""
    return None if result is None or rival is None else rival.median / result.median


def write(path: Path, run: Run) -> None:
    """Write all results as JSON; SCHEMA increases when a key changes its meaning."""
    rows = []
    for group in cases(run.results).values():
        rival = best(group, peers_of(group))
        for r in group:
            rows.append(
                {
                    **r.case._asdict(),
                    "engine": r.engine,
                    "variant": r.variant,
                    "median_ms": r.median * 1e3,
                    "p95_ms": r.p95 * 1e3,
                    "images_per_second": r.images_per_second,
                    "times_best_peer": ratio(r, rival),
                    "times_tensorflow": ratio(r, best(group, ("tensorflow",))),
                    "steps": sum(map(len, r.blocks)),
                    "blocks": [float(np.median(block)) for block in r.blocks],
                    "foreign": [round(share, 3) for share in r.foreign],
                }
            )
    memory = [{**m._asdict(), "grown": m.grown} for m in run.memory]
    document = {"schema": SCHEMA, "network": run.network, **run.about}
    path.write_text(json.dumps({**document, "results": rows, "memory": memory}, indent=1) + "\n")


def read(path: Path) -> Run | None:
    """Read a file of `write`, with each block's median only; None for another schema."""
    document = json.loads(path.read_text())
    if document.pop("schema", None) != SCHEMA:
        return None
    results = [
        Result(
            Case(*(row[key] for key in Case._fields)),
            row["engine"],
            row["variant"],
            [[seconds] for seconds in row["blocks"]],
            row["foreign"],
        )
        for row in document.pop("results")
    ]
    rows = document.pop("memory")
    memory = [Memory(*(row[key] for key in Memory._fields)) for row in rows]
    return Run(document.pop("network"), document, results, memory)
