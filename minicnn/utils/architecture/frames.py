"""Frames of a drawing: blocks as boxes of text, with the branches between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from minicnn.utils.architecture.blocks import Block
from minicnn.utils.architecture.colors import kind_of
from minicnn.utils.architecture.elements import Group, blocks_in
from minicnn.utils.architecture.lanes import branched, heights_of
from minicnn.utils.architecture.marks import Box, Line, Mark, Text, text_width
from minicnn.utils.architecture.pieces import AIR, Piece, in_a_row
from minicnn.utils.architecture.series_parallel import Branches, Series
from minicnn.utils.architecture.steps import LEADING, MAIN, NUMBER, SMALL, Context, joint, params

PAD = 8.0  # between a frame and what is in it
STRIPE = 3.0  # width of the color at the left of a box
LINK, INTO, OUT = 13.0, 18.0, 20.0  # lengths of arrows: in a frame, into it and out of it
TIMES = 12.0  # size of "× 2"


class _Line(NamedTuple):
    text: str
    size: float
    color: str


class _Entry(NamedTuple):
    """A part of a box: the lines of one block, beside its color."""

    kind: str
    lines: list[_Line]

    @property
    def height(self) -> float:
        return sum(LEADING * line.size for line in self.lines) + 7.0


def group(context: Context, element: Group) -> Piece:
    """Return a frame with blocks, and how often they follow each other."""
    counts = [sum(context.blocks[i].parameters for i in blocks_in([one])) for one in element.times]
    equal = len(set(counts)) == 1
    text = params(counts[0], len(counts)) if equal else params(sum(counts))
    times = f"× {len(counts)}" if len(counts) > 1 else ""
    inside = _flow(context._replace(blocks=_in_common(context, element)), element.series)
    return _framed(inside, text if sum(counts) else "", times)


def _in_common(context: Context, element: Group) -> Sequence[Block]:
    """Return the blocks; those of a group say only what is the same each time."""
    blocks = list(context.blocks)
    for same in zip(*(blocks_in([one]) for one in element.times), strict=True):
        texts = {tuple(line.text for line in context.blocks[i].lines) for i in same}
        if len(texts) > 1:
            blocks[same[0]] = blocks[same[0]].without_details()
    return blocks


def network(block: Block) -> Piece:
    """Return a frame with the layers of a network inside the network."""
    name = ", ".join(line.text for line in block.lines)
    entries = [_Entry("Other", [_Line(name, SMALL, "quiet")])]
    entries += [_Entry(kind_of(one.kind), [_Line(one.text, MAIN, "ink")]) for one in block.listed]
    return _framed(_box(entries), params(block.parameters) if block.parameters else "", "")


def _framed(inside: Piece, below: str, times: str) -> Piece:
    """Return a piece in a frame, with text below it and at its upper right corner."""
    width = inside.width + 2 * PAD
    top, bottom = inside.top - PAD, inside.bottom + PAD
    here = inside.after(PAD)
    marks: list[Mark] = [
        Box(0.0, top, width, bottom - top, "frame", "frame-edge", 7.0),
        Line(((here.leave or 0.0, 0.0), (width, 0.0))),
        *here.marks,
    ]
    if times:
        marks.append(Text(width - 3.0, top - 4.0, times, TIMES, "ink", "end", True))
    if below:
        marks.append(Text(width / 2, bottom + LEADING * NUMBER, below, NUMBER, "quiet"))
    return Piece(width, tuple(marks), here.enter, width, head=inside.head).after(INTO)


def _flow(context: Context, series: Series) -> Piece:
    """Return the boxes of a series from left to right."""
    pieces: list[Piece] = []
    run: list[Block] = []
    for before, item in pairwise((None, *series)):
        if isinstance(item, Branches):
            pieces += _boxes(run)
            run = []
        elif item is not None and isinstance(before, Branches):
            rows = [_flow(context, one) if one else None for one in before.series]
            weights = [len(list(blocks_in([one]))) for one in before.series]
            below = max(heights_of(rows, weights)) > 0.0
            joined = _joined(context, item, beside=below)
            pieces.append(branched(rows, weights, joined, context.blocks[item].kind))
        elif item is not None:
            run.append(context.blocks[item])
    pieces += _boxes(run)
    return in_a_row(piece.after(LINK) if i else piece for i, piece in enumerate(pieces))


def _joined(context: Context, number: int, *, beside: bool) -> Piece:
    """Return the circle where branches are joined, with what follows below it or beside it."""
    block = context.blocks[number]
    circle = joint(context, number)
    words = [] if block.kind == "Add" else [block.main.text]
    words += [line.text for line in block.after if line.text]
    widest = max((text_width(word, SMALL) for word in words), default=0.0)
    over = widest if beside else max(0.0, (widest - circle.width) / 2)
    x, anchor = (circle.width, "start") if beside else (circle.width / 2, "middle")
    y, marks = 0.0 if beside else circle.bottom + 2.0, list(circle.marks)
    for word in words:
        y += LEADING * SMALL
        marks.append(Text(x, y - 1.0, word, SMALL, "quiet", anchor))
    joined = Piece(circle.width + over, tuple(marks), 0.0, circle.width)
    return joined if beside else joined.after(max(0.0, over - LINK))


def _boxes(blocks: Sequence[Block]) -> Iterable[Piece]:
    """Yield the box of blocks that follow each other, if there are any."""
    if blocks:
        yield _box([_Entry(kind_of(block.kind), _lines(block)) for block in blocks])


def _lines(block: Block) -> list[_Line]:
    """Return the lines of a block in a box."""
    lines = [
        _Line(", ".join(line.text for line in block.before), SMALL, "quiet"),
        _Line(block.main.text, MAIN, "ink"),
        _Line(", ".join(line.text for line in block.after if line.text), SMALL, "quiet"),
    ]
    return [line for line in lines if line.text]


def _box(entries: Sequence[_Entry]) -> Piece:
    """Return a box with entries one below the other."""
    lines = [line for entry in entries for line in entry.lines]
    width = max(text_width(line.text, line.size) for line in lines) + STRIPE + 17.0
    height = sum(entry.height for entry in entries)
    marks: list[Mark] = [Box(0.0, -height / 2, width, height, "box", "frame-edge", 3.5)]
    y = -height / 2
    for number, entry in enumerate(entries):
        if number:
            marks.append(Line(((0.0, y), (width, y)), "frame-edge", 0.8))
        marks += _entry(entry, y)
        y += entry.height
    return Piece(width, tuple(marks), -AIR / 2, width)


def _entry(entry: _Entry, top: float) -> list[Mark]:
    """Return a stripe of color and the lines beside it."""
    height = entry.height - 6.0
    marks: list[Mark] = [Box(3.0, top + 3.0, STRIPE, height, entry.kind, entry.kind, 1.2, 0.0)]
    y = top + 2.5
    for line in entry.lines:
        y += LEADING * line.size
        marks.append(Text(STRIPE + 8.0, y - 1.5, line.text, line.size, line.color, "start"))
    return marks
