"""Places for the boxes of a graph, in ranks from its inputs on, with few crossings of arrows.

References
----------
Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures. 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Arrow = tuple[int, int]
SWEEPS, MOVES = 12, 40
BOX_WEIGHT = 12.0  # of a box against a bend of an arrow, so that bends give way
LOOSE = 1e-3  # how much a bend attracts a box, or a box a bend; boxes and bends stay in line


class Layout(NamedTuple):
    """The rank of each box, its middle across the ranks, and the bends of each arrow."""

    ranks: list[int]
    middles: list[float]
    bends: dict[Arrow, list[tuple[int, float]]]  # (rank, place) where an arrow passes a rank


def layout(widths: Sequence[float], arrows: Sequence[Arrow], gap: float, lane: float) -> Layout:
    """Return where boxes of these widths go.

    Parameters
    ----------
    widths : of the boxes, across the ranks
    arrows : (from, to), with from < to
    gap : between the boxes of a rank
    lane : what an arrow that passes a rank takes of it

    Examples
    --------
    >>> layout([2, 2, 2], [(0, 1), (1, 2)], 1, 1).middles
    [0.0, 0.0, 0.0]
    """
    ranks = _ranks(len(widths), arrows)
    sizes, chains = _with_bends(list(widths), arrows, ranks, lane)
    steps = [step for chain in chains.values() for step in pairwise(chain)]
    order = _ordered(len(sizes), ranks, steps)
    middles = _placed(order, sizes, len(widths), steps, gap)
    bends = {
        arrow: [(ranks[n], middles[n]) for n in chain[1:-1]] for arrow, chain in chains.items()
    }
    return Layout(ranks[: len(widths)], middles[: len(widths)], bends)


def _ranks(count: int, arrows: Sequence[Arrow]) -> list[int]:
    """Return the length of the longest way to each box."""
    ranks = [0] * count
    for start, end in sorted(arrows, key=lambda arrow: arrow[1]):
        ranks[end] = max(ranks[end], ranks[start] + 1)
    return ranks


def _with_bends(
    sizes: list[float], arrows: Sequence[Arrow], ranks: list[int], lane: float
) -> tuple[list[float], dict[Arrow, list[int]]]:
    """Add a node for each rank that an arrow passes; return the nodes of each arrow."""
    chains = {}
    for start, end in arrows:
        chain = [start]
        for rank in range(ranks[start] + 1, ranks[end]):
            chain.append(len(sizes))
            sizes.append(lane)
            ranks.append(rank)
        chains[start, end] = [*chain, end]
    return sizes, chains


def _ordered(count: int, ranks: list[int], steps: list[Arrow]) -> list[list[int]]:
    """Return the nodes of each rank, ordered by the mean place of their neighbors."""
    order: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for node in range(count):
        order[ranks[node]].append(node)
    before, after = _neighbors(count, steps)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for nodes in order if down else reversed(order):
            place = {n: i for row in order for i, n in enumerate(row)}
            near = before if down else after
            means = {n: _mean([place[m] for m in near[n]], place[n]) for n in nodes}
            nodes.sort(key=means.__getitem__)
    return order


def _placed(
    order: list[list[int]], sizes: list[float], boxes: int, steps: list[Arrow], gap: float
) -> list[float]:
    """Return the middle of each node, near those of its neighbors and apart from the others."""
    before, after = _neighbors(len(sizes), steps)
    weights = [BOX_WEIGHT if n < boxes else 1.0 for n in range(len(sizes))]
    middles = [0.0] * len(sizes)

    def wanted_by(n: int, last: bool) -> float:
        near = before[n] + ([] if last and n < boxes else after[n])
        pulls = [(middles[m], 1.0 if (m < boxes) == (n < boxes) else LOOSE) for m in near]
        return _weighted(pulls, middles[n])

    for move in range(MOVES + 1):
        last = move == MOVES  # here each box goes below the one before it
        for nodes in order if move % 2 == 0 else reversed(order):
            wanted = [wanted_by(n, last) for n in nodes]
            spaces = [(sizes[a] + sizes[b]) / 2 + gap for a, b in pairwise(nodes)]
            for n, x in zip(
                nodes, _apart(wanted, [weights[n] for n in nodes], spaces), strict=True
            ):
                middles[n] = x
    return middles


def _apart(wanted: list[float], weights: list[float], spaces: list[float]) -> list[float]:
    """Return the places nearest to the wanted ones that leave these spaces between neighbors.

    >>> _apart([0.0, 0.0], [1.0, 1.0], [2.0])
    [-1.0, 1.0]
    """
    offsets = [0.0]
    for space in spaces:
        offsets.append(offsets[-1] + space)
    # Minus the offsets, the places must not decrease: neighbors that would are given their mean.
    blocks: list[list[float]] = []  # [mean, weight, count]
    for x, weight, offset in zip(wanted, weights, offsets, strict=True):
        blocks.append([x - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, total, count = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * total) / (last[1] + total)
            last[1] += total
            last[2] += count
    means = [mean for mean, _, count in blocks for _ in range(int(count))]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _neighbors(count: int, steps: list[Arrow]) -> tuple[list[list[int]], list[list[int]]]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for start, end in steps:
        before[end].append(start)
        after[start].append(end)
    return before, after


def _mean(values: list[int], default: float) -> float:
    return sum(values) / len(values) if values else default


def _weighted(values: list[tuple[float, float]], default: float) -> float:
    total = sum(weight for _, weight in values)
    return sum(x * weight for x, weight in values) / total if total else default
