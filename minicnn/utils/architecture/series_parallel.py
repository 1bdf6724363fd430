"""A graph as a tree of series and branches, which can be drawn from left to right.

References
----------
Valdes, Tarjan, Lawler: The recognition of series parallel digraphs. 1982.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

START, END = -1, -2  # before all nodes that read nothing, after all that the network returns


class Branches(NamedTuple):
    """Series that begin at the same node and end at the same one."""

    series: tuple[Series, ...]


Item = int | Branches  # a node by its number, or branches before the node that joins them
Series = tuple[Item, ...]


class Tree(NamedTuple):
    """A graph as a series, and the edges that the series does not have."""

    series: Series
    jumps: list[tuple[int, int]]


class _Edge(NamedTuple):
    start: int
    end: int
    series: Series


def tree_of(sources: Sequence[Sequence[int]], outputs: Sequence[int]) -> Tree:
    """Return the tree of a graph.

    Parameters
    ----------
    sources : for each node the nodes that it reads, which come before it
    outputs : the nodes that the network returns

    Examples
    --------
    Node 0 is read by 1 and by 2, which reads 1 as well:

    >>> tree_of([[], [0], [0, 1]], [2]).series
    (0, Branches(series=((1,), ())), 2)
    """
    edges = [_Edge(read, node, ()) for node, reads in enumerate(sources) for read in reads]
    edges += [_Edge(START, node, ()) for node, reads in enumerate(sources) if not reads]
    used = {edge.start for edge in edges}
    ends = [node for node in range(len(sources)) if node in outputs or node not in used]
    edges += [_Edge(node, END, ()) for node in ends]
    jumps: list[tuple[int, int]] = []
    while len(edges) > 1:
        reduced = _joined(_merged(edges))
        if len(reduced) == len(edges):
            edge = _to_cut(edges)
            jumps += [(end, edge.end) for end in _ends(edge.series, edge.start)]
            reduced = _without(edges, edge)
        edges = reduced
    return Tree(edges[0].series, sorted(jumps))


def _merged(edges: list[_Edge]) -> list[_Edge]:
    """Return the edges with those between the same two nodes made one, with branches."""
    groups: dict[tuple[int, int], list[_Edge]] = {}
    for edge in edges:
        groups.setdefault((edge.start, edge.end), []).append(edge)
    return [
        group[0] if len(group) == 1 else _Edge(start, end, (_branches(group),))
        for (start, end), group in groups.items()
    ]


def _branches(edges: list[_Edge]) -> Branches:
    """Return the branches of edges, those of branches among them included."""
    found: list[Series] = []
    for edge in edges:
        only = edge.series[0] if len(edge.series) == 1 else None
        found += only.series if isinstance(only, Branches) else [edge.series]
    return Branches(tuple(found))


def _joined(edges: list[_Edge]) -> list[_Edge]:
    """Return the edges with the two at a node between them made one."""
    into: dict[int, list[_Edge]] = {}
    out: dict[int, list[_Edge]] = {}
    for edge in edges:
        into.setdefault(edge.end, []).append(edge)
        out.setdefault(edge.start, []).append(edge)
    middle = {n for n in into if len(into[n]) == 1 and len(out.get(n, ())) == 1}
    joined = []
    for edge in edges:
        if edge.start in middle:
            continue
        series, end = list(edge.series), edge.end
        while end in middle:
            following = out[end][0]
            series += [end, *following.series]
            end = following.end
        joined.append(_Edge(edge.start, end, tuple(series)))
    return joined


def _to_cut(edges: list[_Edge]) -> _Edge:
    """Return the edge to leave out where no more can be joined: a long one with nothing on it."""
    into, out = _counts(edges)
    possible = [
        edge for edge in edges if edge.end != END and into[edge.end] > 1 and out[edge.start] > 1
    ] or [edge for edge in edges if edge.end != END and into[edge.end] > 1]
    return min(possible, key=lambda edge: (len(edge.series), edge.start - edge.end))


def _without(edges: list[_Edge], cut: _Edge) -> list[_Edge]:
    """Return the edges without one; what is on it leads to the end instead."""
    rest = [edge for edge in edges if edge is not cut]
    _, out = _counts(edges)
    if cut.series or out[cut.start] == 1:
        rest.append(cut._replace(end=END))
    return rest


def _ends(series: Series, start: int) -> list[int]:
    """Return the nodes at the ends of a series that begins after `start`."""
    if not series:
        return [start]
    last = series[-1]
    if not isinstance(last, Branches):
        return [last]
    before = _ends(series[:-1], start)[-1]
    return [end for branch in last.series for end in _ends(branch, before)]


def _counts(edges: list[_Edge]) -> tuple[dict[int, int], dict[int, int]]:
    """Return how many edges lead into and out of each node."""
    into: dict[int, int] = {}
    out: dict[int, int] = {}
    for edge in edges:
        into[edge.end] = into.get(edge.end, 0) + 1
        out[edge.start] = out.get(edge.start, 0) + 1
    return into, out
