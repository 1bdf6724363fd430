"""What a drawing consists of: steps, groups of blocks that may repeat, and lanes side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from minicnn.utils.architecture.series_parallel import Branches, Series


class Step(NamedTuple):
    """A block: an arrow, and the array at its end."""

    block: int


class Group(NamedTuple):
    """Blocks in a frame, before the array that the last of them computes."""

    times: tuple[Series, ...]  # each time that the blocks come; mostly once

    @property
    def series(self) -> Series:
        """The blocks of the first time."""
        return self.times[0]

    @property
    def block(self) -> int:
        """The block whose result is drawn after the frame."""
        *_, last = blocks_in(self.times[-1:])
        return last


class Lanes(NamedTuple):
    """Branches that are drawn side by side, before the step that joins them."""

    lanes: tuple[tuple[Element, ...], ...]


Element = Step | Group | Lanes


def blocks_in(series: Iterable[Series]) -> Iterator[int]:
    """Yield all blocks of some series, in order."""
    for one in series:
        for item in one:
            if isinstance(item, Branches):
                yield from blocks_in(item.series)
            else:
                yield item
