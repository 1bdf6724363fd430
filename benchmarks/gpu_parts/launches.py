"""The time of a launch from Python, and in a graph, by the number of its arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gpu_parts.clock import seconds_each
from gpu_parts.options import Item, Options
from minicnn.backends.cuda.runtime.api import cuda, jit
from minicnn.backends.cuda.runtime.graph import Recorded
from minicnn.backends.cuda.runtime.memory import allocate, new_stream
from minicnn.contracts import Spec

IN_A_GRAPH = 100  # launches
ARRAYS = range(7)


@jit
def _with_0():
    pass


@jit
def _with_1(a):
    a[0] = 0


@jit
def _with_2(a, b):
    a[0] = b[0]


@jit
def _with_3(a, b, c):
    a[0] = b[0] + c[0]


@jit
def _with_4(a, b, c, d):
    a[0] = b[0] + c[0] + d[0]


@jit
def _with_5(a, b, c, d, e):
    a[0] = b[0] + c[0] + d[0] + e[0]


@jit
def _with_6(a, b, c, d, e, f):
    a[0] = b[0] + c[0] + d[0] + e[0] + f[0]


KERNELS = (_with_0, _with_1, _with_2, _with_3, _with_4, _with_5, _with_6)


def items(_options: Options) -> list[Item]:
    """Return launches one by one, and a hundred launches as a graph."""
    ways: tuple[tuple[str, Callable[[int], dict[str, Any]]], ...]
    ways = (("eager", eager), ("graph", graph))
    return [Item(f"{way}, {n} arrays", partial(run, n)) for way, run in ways for n in ARRAYS]


def eager(count: int) -> dict[str, Any]:
    """Measure the microseconds between two launches."""
    launch, _ = _launcher(count)
    stream = new_stream()
    found = seconds_each(partial(launch, stream), cuda.synchronize, 0.2)
    return {"microseconds": 1e6 * found["seconds"]}


def graph(count: int) -> dict[str, Any]:
    """Measure the microseconds per launch of a graph with a hundred of them."""
    launch, _ = _launcher(count)

    def launches(stream: Any) -> None:
        for _ in range(IN_A_GRAPH):
            launch(stream)

    found = seconds_each(Recorded(launches, new_stream()), cuda.synchronize, 0.2)
    return {"microseconds": 1e6 * found["seconds"] / IN_A_GRAPH}


def _launcher(count: int) -> tuple[Callable[[Any], None], list[Any]]:
    arrays = [allocate(Spec((1,)), "a number") for _ in range(count)]

    def launch(stream: Any) -> None:
        KERNELS[count][1, 1, stream](*arrays)

    return launch, arrays
