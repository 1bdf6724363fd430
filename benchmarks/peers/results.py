"""What was measured: steps of one way to run one engine, ratios, and the file that keeps them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from peers.engines import OURS

SCHEMA = 2


class Case(NamedTuple):
    """Results of one case may be compared with each other."""

    network: str
    mode: str  # "training", "inference" or "fit"
    batch: int  # images a step; of `fit`, images an epoch
    threads: int

    def __str__(self) -> str:
        threads = f", {self.threads} thread" if self.threads == 1 else ""
        unit = "images" if self.mode == "fit" else "batch"
        return f"{self.mode}, {unit} {self.batch}{threads}"


class Result(NamedTuple):
    """One way to run one engine, in one case."""

    case: Case
    engine: str
    variant: str
    blocks: list[list[float]]  # seconds of every step
    foreign: list[float]  # for each block, what others took of the processors' time

    @property
    def name(self) -> str:
        """Engine and variant."""
        return f"{self.engine} {self.variant}".strip()

    @property
    def median(self) -> float:
        """Median of the blocks' medians, in seconds: a disturbed block does not move it."""
        return float(np.median([np.median(block) for block in self.blocks]))

    @property
    def p95(self) -> float:
        """95th percentile of all steps, in seconds."""
        return float(np.percentile(np.concatenate(self.blocks), 95))

    @property
    def images_per_second(self) -> float:
        """Throughput at the median."""
        return self.case.batch / self.median


class Memory(NamedTuple):
    """What a process that trains needs, in bytes."""

    network: str
    engine: str
    variant: str
    before: int  # after its imports
    peak: int

    @property
    def grown(self) -> int:
        """What the training itself took."""
        return self.peak - self.before


class Run(NamedTuple):
    """All that was measured for one network."""

    network: str
    about: dict[str, Any]
    results: list[Result]
    memory: list[Memory]

    def disturbed(self, limit: float) -> float:
        """The share of blocks during which others took more than `limit` of the time."""
        shares = [share for result in self.results for share in result.foreign]
        return float(np.mean([share > limit for share in shares])) if shares else 0.0


def best(results: list[Result], engines: tuple[str, ...]) -> Result | None:
    """The fastest way that any of `engines` has; None where there is none."""
    candidates = [r for r in results if r.engine in engines]
    return min(candidates, key=lambda r: r.median, default=None)


def cases(results: list[Result]) -> dict[Case, list[Result]]:
    """Results that may be compared with each other."""
    found: dict[Case, list[Result]] = {}
    for result in results:
        found.setdefault(result.case, []).append(result)
    return found


def peers_of(results: list[Result]) -> tuple[str, ...]:
    """The engines among them that are not minicnn."""
    return tuple({r.engine for r in results} - set(OURS))


def ratio(result: Result | None, rival: Result | None) -> float | None:
    """How many times as fast as the rival; None where one of the two is missing."""
    return None if result is None or rival is None else rival.median / result.median


def write(path: Path, run: Run) -> None:
    """Everything that was measured; SCHEMA grows when a key changes its meaning."""
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
    """What `write` wrote, each block as its median; None for a file of another schema."""
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
