"""Find the blocks of a network that belong together, and those that repeat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from minicnn.utils.architecture.blocks import Block
from minicnn.utils.architecture.elements import Element, Group, Lanes, Step, blocks_in
from minicnn.utils.architecture.series_parallel import Branches, Item, Series

MAX_GROUP = 12  # blocks of a group, which is drawn as boxes in a frame
MAX_BRANCH = 6  # blocks of one of its branches
MAX_PERIOD = 6  # elements of a sequence that is looked for several times


class Folding:
    """Turns the tree of a graph into the elements of its drawing.

    Parameters
    ----------
    blocks : of the network
    apart : blocks that an edge outside the tree leads to or from
    fold : whether sequences that repeat become one group
    """

    def __init__(self, blocks: Sequence[Block], apart: Iterable[int], *, fold: bool) -> None:
        self.blocks, self.apart, self.fold = blocks, set(apart), fold

    def elements(self, series: Series) -> tuple[Element, ...]:
        """Return the elements of a series; branches become groups or lanes."""
        found: list[Element] = []
        rest = list(series)
        while rest:
            item = rest.pop(0)
            if not isinstance(item, Branches):
                found.append(Step(item))
            elif found and rest and self._is_small(item, rest[0]):
                found.append(Group(((item, rest.pop(0)),)))
            else:
                found.append(Lanes(tuple(self.elements(one) for one in item.series)))
        return tuple(self._alike(self._repeated(found)) if self.fold else found)

    def _is_small(self, branches: Branches, merge: Item) -> bool:
        """Return whether branches, and the block that joins them, are drawn in a frame."""
        inside = list(blocks_in(branches.series))
        longest = max(len(list(blocks_in([series]))) for series in branches.series)
        return (
            isinstance(merge, int)
            and len(inside) <= MAX_GROUP
            and longest <= MAX_BRANCH
            and not self.apart.intersection([*inside, merge])
            and not any(_enlarges(self.blocks[i]) or self.blocks[i].is_output for i in inside)
        )

    def _repeated(self, elements: list[Element]) -> list[Element]:
        """Return the elements; sequences that follow each other several times are groups."""
        loose = [self._key(element, with_parameters=False) for element in elements]
        exact = [self._key(element, with_parameters=True) for element in elements]
        found: list[Element] = []
        i = 0
        while i < len(elements):
            period, count = _best_period(loose[i:], exact[i:])
            starts = [i + t * period for t in range(count)]
            times = [_series(elements[start : start + period]) for start in starts]
            found.append(elements[i] if count == 1 else Group(tuple(times)))
            i += period * count
        return found

    def _key(self, element: Element, *, with_parameters: bool) -> Hashable:
        """Return what equal elements share; None for one that stays alone."""
        if isinstance(element, Lanes):
            return None
        series = element.series if isinstance(element, Group) else (element.block,)
        inside = list(blocks_in([series]))
        alone = isinstance(element, Step) and len(self.blocks[element.block].sources) != 1
        if (
            alone
            or self.apart.intersection(inside)
            or any(self.blocks[i].is_output for i in inside)
        ):
            return None
        if isinstance(element, Step) and with_parameters:
            return self._series_key(series), self.blocks[element.block].parameters
        return self._series_key(series)

    def _series_key(self, series: Series) -> Hashable:
        return tuple(
            frozenset(Counter(map(self._series_key, item.series)).items())
            if isinstance(item, Branches)
            else _block_key(self.blocks[item])
            for item in series
        )

    def _alike(self, elements: list[Element]) -> list[Element]:
        """Return the elements; steps that are built like the blocks of a group are a group, too."""
        patterns = {
            self._pattern(series)
            for element in elements
            if isinstance(element, Group)
            for series in _chains(element.series)
        }
        lengths = sorted({len(one) for one in patterns if len(one) > 1}, reverse=True)
        found: list[Element] = []
        i = 0
        while i < len(elements):
            parts = (elements[i : i + length] for length in lengths)
            like = next((part for part in parts if self._are_like(part, patterns)), None)
            found.append(elements[i] if like is None else Group((_series(like),)))
            i += len(like or [i])
        return found

    def _are_like(self, part: Sequence[Element], patterns: set[Pattern]) -> bool:
        """Return whether elements are plain steps whose blocks have one of the patterns."""
        steps = [e.block for e in part if isinstance(e, Step) and e.block not in self.apart]
        plain = [i for i in steps if len(self.blocks[i].sources) == 1]
        if len(plain) < len(part) or any(self.blocks[i].is_output for i in plain[:-1]):
            return False
        return self._pattern(tuple(plain)) in patterns

    def _pattern(self, series: Series) -> Pattern:
        """Return the kinds of a series' blocks with their windows."""
        inside = [self.blocks[i] for i in blocks_in([series])]
        return tuple((block.kind, block.window) for block in inside)


Pattern = tuple[Hashable, ...]


def _enlarges(block: Block) -> bool:
    """Return whether a block's output has more places than its input, as in a decoder."""
    return math.prod(block.shape[:-1]) > math.prod(block.reads[:-1])


def _block_key(block: Block) -> Hashable:
    """Return a block's texts and the size of its output, without the number of channels.

    Most texts say the number of channels. A pooling or a concatenation has those of its input,
    which grow from block to block in a DenseNet.
    """
    return tuple(line.short for line in block.lines), block.shape[:-1]


def _best_period(loose: Sequence[Hashable], exact: Sequence[Hashable]) -> tuple[int, int]:
    """Return (p, n): the first p elements come n times, so that most elements are covered.

    Single elements are equal by their loose keys, longer sequences by the exact ones, so that a
    sequence begins where a person would begin it.

    >>> _best_period(list("ababc"), list("ababc")), _best_period(list("aaab"), list("xyzb"))
    ((2, 2), (1, 3))
    >>> _best_period(list("abab"), list("abcb"))
    (1, 1)
    """
    best = (1, 1)
    for period in range(1, min(MAX_PERIOD, len(loose) // 2) + 1):
        keys = loose if period == 1 else exact
        first, count = keys[:period], 1
        while None not in first and keys[count * period : (count + 1) * period] == first:
            count += 1
        if count > 1 and period * count > best[0] * best[1]:
            best = period, count
    return best


def _series(elements: Iterable[Element]) -> Series:
    """Return the series of steps and groups."""
    items: list[Item] = []
    for element in elements:
        if isinstance(element, Step):
            items.append(element.block)
        elif isinstance(element, Group):
            items += element.series
    return tuple(items)


def _chains(series: Series) -> list[Series]:
    """Return the branches of a series, or the series itself if it has none; none with branches."""
    first = series[0]
    chains = first.series if isinstance(first, Branches) else (series,)
    return [one for one in chains if not any(isinstance(item, Branches) for item in one)]
