"""Time all variants in turn, block by block, so that a busy machine slows all of them alike.

A block is measured again if other programs used the same processors meanwhile.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from peers import machine
from peers.agreement import SEED, Way
from peers.engine_processes import EngineProcesses
from peers.engines import ENGINES
from peers.networks import Network
from peers.results import Case, Memory, Result

FOREIGN = 0.05  # share of CPU time that other programs may take during a block
TRIES = 3  # measurements of a disturbed block, of which the least disturbed counts
# A peer's variant that is 1.5 times slower than the fastest peer after 3 blocks cannot become the
# best; it keeps these blocks and is not timed any further.
HOPELESS, TRIAL_BLOCKS = 1.5, 3
FIT_BLOCKS = 5  # each is a whole epoch


class Plan(NamedTuple):
    """How long to measure, and on which processors."""

    blocks: int
    seconds: float
    processors: list[int]


def measure(
    processes: EngineProcesses, ways: list[Way], case: Case, plan: Plan, console: Console
) -> list[Result]:
    """Time block i of every variant, then block i + 1."""
    results = [Result(case, *way, blocks=[], foreign=[]) for way in ways]
    blocks = min(plan.blocks, FIT_BLOCKS) if case.mode == "fit" else plan.blocks
    for done in track(range(blocks), str(case), console=console, transient=True):
        tried = done >= (1 if case.mode == "fit" else TRIAL_BLOCKS)
        for result in _hopeful(results) if tried else results:
            times, foreign = _block(processes, result, plan)
            result.blocks.append(times)
            result.foreign.append(foreign)
    return results


def memory(processes: EngineProcesses, network: Network, engine: str, variant: str) -> Memory:
    """Measure the memory of training in a fresh process."""
    answer = processes.ask(engine, "memory", network=network.name, variant=variant)
    return Memory(network.name, engine, variant, answer["before"], answer["peak"])


def _hopeful(results: list[Result]) -> list[Result]:
    """minicnn's results, and those of peers that may still become the best."""
    rivals = [r for r in results if not ENGINES[r.engine].is_ours]
    fastest = min((r.median for r in rivals), default=np.inf)
    return [r for r in results if r not in rivals or r.median <= HOPELESS * fastest]


def _block(processes: EngineProcesses, result: Result, plan: Plan) -> tuple[list[float], float]:
    """The step times of a block, undisturbed if possible, and other programs' share of CPU time."""
    tries: list[tuple[float, list[float]]] = []
    while len(tries) < TRIES:
        tries.append(_try(processes, result, plan))
        if tries[-1][0] <= FOREIGN:
            break
    foreign, times = min(tries, key=lambda one: one[0])
    return times, foreign


def _try(processes: EngineProcesses, result: Result, plan: Plan) -> tuple[float, list[float]]:
    process = processes.process_id(result.engine)
    start, own = time.perf_counter(), machine.process_seconds(process)
    busy = machine.busy_seconds(plan.processors)
    request: dict[str, Any] = result.case._asdict()
    answer = processes.ask(
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
