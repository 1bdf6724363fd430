"""The page of a drawing: rows of pieces, the lines between them, and what is said below."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from minicnn.utils.architecture.elements import Element, Group, Lanes, Step
from minicnn.utils.architecture.frames import OUT, group, network
from minicnn.utils.architecture.lanes import MEET, branched
from minicnn.utils.architecture.marks import Line, Mark, Point, Text, bounds_of, text_width
from minicnn.utils.architecture.pieces import Piece, in_a_row
from minicnn.utils.architecture.steps import LEADING, SMALL, Context, column, step

Jump = tuple[int, int]  # the blocks that an arrow leads from and to
ROW = 960.0  # the usual width of a row
SLACK = 1.06  # how much wider a single row may be
MARGIN, BETWEEN = 14.0, 34.0  # around the drawing, and between rows
NARROWEST = 300.0  # to which notes are folded
INDENT, TURN = 18.0, 14.0  # of the second row and those below; the bend after a row


def pieces_of(context: Context, elements: Sequence[Element]) -> list[Piece]:
    """Return the pieces that a row is not broken in."""
    found: list[Piece] = []
    frames: list[Piece] = []  # those whose array is drawn after the last of them
    joined = False  # whether the step was drawn with the lanes before it
    for element, following in zip(elements, (*elements[1:], None), strict=True):
        if isinstance(element, Lanes):
            found.append(_lanes(context, element, following))
        elif isinstance(element, Group) or _is_network(context, element):
            frames.append(_frame(context, element))
            wide = sum(frame.width for frame in frames) > ROW / 2
            if wide or not _gives_the_same(context, element, following):
                found.append(in_a_row([*frames, column(context, element.block).after(OUT)]))
                frames = []
        elif not joined:
            piece = step(context, element.block)
            found.append(piece.after(MEET) if context.blocks[element.block].is_merge else piece)
        joined = isinstance(element, Lanes)
    return found


def _is_network(context: Context, element: Step) -> bool:
    """Return whether a step is a network inside the network, whose layers are listed."""
    block = context.blocks[element.block]
    return bool(block.listed) and not block.is_merge


def _frame(context: Context, element: Step | Group) -> Piece:
    if isinstance(element, Group):
        return group(context, element)
    return network(context.blocks[element.block])


def _gives_the_same(context: Context, element: Step | Group, following: Element | None) -> bool:
    """Return whether two groups give arrays of the same shape, so that one need be drawn."""
    if not isinstance(element, Group) or not isinstance(following, Group):
        return False
    if element.block in context.jumps_out:
        return False
    return context.blocks[element.block].shape == context.blocks[following.block].shape


def _lanes(context: Context, lanes: Lanes, following: Element | None) -> Piece:
    """Return branches side by side with the step that joins them."""
    rows = [in_a_row(pieces_of(context, lane)) if lane else None for lane in lanes.lanes]
    weights = [len(lane) for lane in lanes.lanes]
    if not isinstance(following, Step):
        return branched(rows, weights, None, "")
    joined = step(context, following.block)
    return branched(rows, weights, joined, context.blocks[following.block].kind)


def unrolled(context: Context, elements: Sequence[Element]) -> tuple[list[Element], list[Jump]]:
    """Return the elements without lines over branches that are wider than a row.

    What leads over such a branch becomes a jump: the same number where it begins and ends.
    """
    found: list[Element] = []
    jumps: list[Jump] = []
    for element, following in zip(elements, (*elements[1:], None), strict=True):
        lane = _wide_lane(context, element, following)
        if lane and isinstance(following, Step) and found and not isinstance(found[-1], Lanes):
            jumps.append((found[-1].block, following.block))
            inside, more = unrolled(context, lane)
            found += inside
            jumps += more
        else:
            found.append(element)
    return found, jumps


def _wide_lane(
    context: Context, element: Element, following: Element | None
) -> tuple[Element, ...] | None:
    """Return the only branch with blocks if it is wider than a row."""
    if not isinstance(element, Lanes) or not isinstance(following, Step):
        return None
    solid = [lane for lane in element.lanes if lane]
    if len(solid) != 1 or _lanes(context, element, following).width <= ROW:
        return None
    return solid[0]


def rows_of(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces in as few rows as are not too wide, and about equally wide."""
    widths = [piece.width for piece in pieces]
    if sum(widths) <= SLACK * ROW:
        return [in_a_row(pieces)]
    starts = _row_starts(widths, max(ROW, *widths))
    return [in_a_row(pieces[a:b]) for a, b in pairwise([*starts, len(pieces)])]


def _row_starts(widths: Sequence[float], most: float) -> list[int]:
    """Return the first piece of each row.

    There are as few rows as possible, and of those the least sum of squares of the space that is
    left at their ends.

    >>> _row_starts([4, 4, 4, 4], 12)
    [0, 2]
    """
    best: list[tuple[int, float, list[int]]] = [(0, 0.0, [])]  # for the first 0, 1, ... pieces
    for end in range(1, len(widths) + 1):
        choices = []
        for start in reversed(range(end)):
            width = sum(widths[start:end])
            if width > most and start + 1 < end:
                break
            rows, space, starts = best[start]
            choices.append((rows + 1, space + (most - width) ** 2, [*starts, start]))
        best.append(min(choices))
    return best[-1][2]


def page(rows: Sequence[Piece], footer: Sequence[Text]) -> tuple[list[Mark], float, float]:
    """Return the marks of rows below each other, and the width and height of the page."""
    marks: list[Mark] = []
    y, end = MARGIN, None
    for number, row in enumerate(rows):
        axis = y - row.top
        x = MARGIN + (INDENT if number else 0.0)
        if end is not None:
            start = (x + (row.enter or 0.0), axis)
            marks.append(_turned(end, y - BETWEEN / 2, start, head=row.head))
        marks += row.marks_at(x, axis)
        end = None if row.leave is None else (x + max(row.leave, row.width), axis)
        if end is not None and number + 1 < len(rows):
            marks.append(Line(((x + (row.leave or 0.0), axis), end)))
        y = axis + row.bottom + BETWEEN
    y -= BETWEEN - 10.0
    for line in footer:
        y += LEADING * line.size + 1.0
        marks.append(line.moved(MARGIN, y))
    _, _, right, bottom = bounds_of(marks)
    return marks, right + MARGIN, bottom + MARGIN - 4.0


def _turned(start: Point, middle: float, end: Point, *, head: bool) -> Line:
    """Return the line from the end of a row to the start of the next one."""
    right, left = start[0] + TURN, MARGIN + 4.0
    points = (start, (right, start[1]), (right, middle), (left, middle), (left, end[1]), end)
    return Line(points, head=head)


def footer(name: str, parameters: int, notes: str, width: float) -> list[Text]:
    """Return the lines below a drawing; the notes are folded to its width."""
    lines = [Text(0, 0, f"{name}: {parameters:,} parameters", SMALL, "ink", "start")]
    words: list[str] = []
    for word in notes.split():
        if words and text_width(" ".join([*words, word]), SMALL) > max(width, NARROWEST):
            lines.append(Text(0, 0, " ".join(words), SMALL, "quiet", "start"))
            words = []
        words.append(word)
    return [*lines, Text(0, 0, " ".join(words), SMALL, "quiet", "start")]
