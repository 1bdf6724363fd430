"""Every way in turn, block by block, so that a busy minute of the machine hits all of them alike.

A block during which other programs worked on the same processors is measured again.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from peers import machine
from peers.agreement import SEED, Way
from peers.crew import Crew
from peers.engines import ENGINES
from peers.networks import Network
from peers.results import Case, Memory, Result

FOREIGN = 0.05  # of the processors' time: what others may take of it
TRIES = 3  # at a block; the least disturbed one counts
# A peer's way that is so much slower than its fastest way after so many blocks is not the
# peers' best: it keeps these blocks and is measured no further.
HOPELESS, TRIAL_BLOCKS = 1.5, 3
FIT_BLOCKS = 5  # a whole epoch each


class Plan(NamedTuple):
    """How long to measure, on what."""

    blocks: int
    seconds: float
    processors: list[int]


def measure(crew: Crew, ways: list[Way], case: Case, plan: Plan, console: Console) -> list[Result]:
    """Block i of every way, then block i + 1."""
    results = [Result(case, *way, blocks=[], foreign=[]) for way in ways]
    blocks = min(plan.blocks, FIT_BLOCKS) if case.mode == "fit" else plan.blocks
    for done in track(range(blocks), str(case), console=console, transient=True):
        tried = done >= (1 if case.mode == "fit" else TRIAL_BLOCKS)
        for result in _hopeful(results) if tried else results:
            times, foreign = _block(crew, result, plan)
            result.blocks.append(times)
            result.foreign.append(foreign)
    return results


def memory(crew: Crew, network: Network, engine: str, variant: str) -> Memory:
    """What training takes in a process that has done nothing else."""
    answer = crew.ask(engine, "memory", network=network.name, variant=variant)
    return Memory(network.name, engine, variant, answer["before"], answer["peak"])


def _hopeful(results: list[Result]) -> list[Result]:
    """Ours, and the peers' ways that may still be the best."""
    rivals = [r for r in results if not ENGINES[r.engine].is_ours]
    fastest = min((r.median for r in rivals), default=np.inf)
    return [r for r in results if r not in rivals or r.median <= HOPELESS * fastest]


def _block(crew: Crew, result: Result, plan: Plan) -> tuple[list[float], float]:
    """Times of one block's steps and the others' share of the time; at best an undisturbed one."""
    tries: list[tuple[float, list[float]]] = []
    while len(tries) < TRIES:
        tries.append(_try(crew, result, plan))
        if tries[-1][0] <= FOREIGN:
            break
    foreign, times = min(tries, key=lambda one: one[0])
    return times, foreign


def _try(crew: Crew, result: Result, plan: Plan) -> tuple[float, list[float]]:
    process = crew.process_id(result.engine)
    start, own = time.perf_counter(), machine.process_seconds(process)
    busy = machine.busy_seconds(plan.processors)
    request: dict[str, Any] = result.case._asdict()
    answer = crew.ask(
        result.engine,
        "block",
        **request,
        variant=result.variant,
        seed=SEED,
        seconds=plan.seconds,
    )
    busy = machine.busy_seconds(plan.processors) - busy
    own = machine.process_seconds(process) - own
    passed = time.perf_counter() - start
    return max(0.0, busy - own) / (passed * len(plan.processors)), answer["times"]
