"""Steps of a drawing: an arrow with what is done, and the array that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minicnn.utils.architecture.arrays import Solid, solid_of
from minicnn.utils.architecture.blocks import Block
from minicnn.utils.architecture.colors import kind_of
from minicnn.utils.architecture.marks import Box, Circle, Line, Mark, Text
from minicnn.utils.architecture.pieces import AIR, Piece

MAIN, SMALL, SHAPE, NUMBER = 10.5, 9.5, 10.0, 9.0  # sizes of type
LEADING = 1.25  # from line to line, in sizes of type
GAP, SIDE = 34.0, 7.0  # least length of an arrow, and the space at both sides of its text
CLASS_LINE = 11.5  # height of a class's name beside a bar
SMALL_IMAGES = 40  # the largest side up to which windows are drawn on the maps
SIGN, DOT = 7.5, 3.0  # radius of the circle where branches are joined, with a sign and without
SIGNS = {"Add": "+", "Subtract": "−", "Multiply": "×", "Concatenate": "c", "Dot": "·"}
BADGE = 8.0  # radius of the circle around the number of an arrow
SHAFT = 13.0  # length of the arrow between a number and what it belongs to


class Context(NamedTuple):
    """What the pieces of one drawing have in common."""

    blocks: Sequence[Block]
    largest: int  # side of the feature maps
    class_names: Sequence[str]
    inputs: int  # how many the network has
    outputs: int
    jumps_into: Mapping[int, str]  # numbers of arrows that begin elsewhere, by the block
    jumps_out: Mapping[int, str]  # numbers of arrows that end elsewhere

    def solid(self, index: int) -> Solid:
        """Return the array that a block computes."""
        block = self.blocks[index]
        least = CLASS_LINE * len(self.class_names) if self.shows_classes(index) else 0.0
        return solid_of(block.shape, kind_of(block.kind), self.largest, least)

    def shows_classes(self, index: int) -> bool:
        """Return whether the names of the classes stand beside a block's array."""
        block = self.blocks[index]
        return block.is_output and block.shape == (len(self.class_names),)

    def notes(self, index: int) -> list[str]:
        """Return what is written below the shape of an array; one of several inputs has a name."""
        block = self.blocks[index]
        if block.is_input:
            first = f"input: {block.name}" if self.inputs > 1 else "input"
            return [first, *(line.text for line in block.after if line.text)]
        return [f"output: {block.name}"] if block.is_output and self.outputs > 1 else []


def step(context: Context, index: int) -> Piece:
    """Return a block's arrow with its text, and the array at its end."""
    block = context.blocks[index]
    array = column(context, index)
    if block.is_input:
        return array
    text = _arrow_text(block)
    circle = joint(context, index) if block.is_merge else Piece(0.0, ())
    gap = max(GAP, max((one.width for one in text), default=0.0) + 2 * SIDE)
    whole = array.after(circle.width + gap)
    marks = [*circle.marks, *(one.moved(circle.width + gap / 2, 0.0) for one in text)]
    if block.is_merge:
        marks.append(Line(((circle.width + AIR, 0.0), (whole.enter or 0.0, 0.0)), head=True))
        return whole._replace(marks=(*marks, *whole.marks), enter=circle.enter, head=circle.head)
    return whole._replace(marks=(*marks, *whole.marks), window=_window(context, block))


def column(context: Context, index: int) -> Piece:
    """Return an array with its shape below it."""
    solid = context.solid(index)
    labels = [Text(0, 0, context.blocks[index].shape_text, SHAPE)]
    labels += [Text(0, 0, note, SMALL, "quiet") for note in context.notes(index)]
    width = max(solid.width, *(label.width for label in labels))
    x = (width - solid.width) / 2
    marks = [mark.moved(x, 0.0) for mark in solid.marks]
    y = solid.bottom + 3.0
    for label in labels:
        y += LEADING * label.size
        marks.append(label.moved(width / 2, y - 1.0))
    if context.shows_classes(index):
        names = [name.moved(x + solid.width + 5.0, 0.0) for name in _classes(context, solid)]
        marks += names
        width = max(width, *(name.bounds[2] for name in names))
    if index in context.jumps_out:
        top = solid.top - 3.0
        marks += _jump(context.jumps_out[index], x + solid.width / 2, top, top - SHAFT)
    left, top, right, bottom = solid.front
    enter = None if context.blocks[index].is_input else x - AIR
    front = (x + left, top, x + right, bottom)
    return Piece(width, tuple(marks), enter, x + solid.leave + AIR, front=front)


def joint(context: Context, index: int) -> Piece:
    """Return the circle where branches are joined."""
    kind = context.blocks[index].kind
    radius = joint_radius(kind)
    marks: list[Mark] = [Circle(radius, 0.0, radius, "box" if kind in SIGNS else "line", "line")]
    if kind in SIGNS:
        marks.append(Text(radius, 4.0, SIGNS[kind], 12.0))
    if index in context.jumps_into:
        start = -radius - 2.0 - SHAFT
        marks += _jump(context.jumps_into[index], radius, start, -radius - 1.0)
    return Piece(2 * radius, tuple(marks), 0.0, 2 * radius)


def joint_radius(kind: str) -> float:
    """Return the radius of the circle where a layer of this class joins branches."""
    return SIGN if kind in SIGNS else DOT


def params(count: int, times: int = 1) -> str:
    """Return a number of parameters in words.

    >>> params(1234), params(1234, 2)
    ('1,234 params', '2 × 1,234 params')
    """
    return f"{count:,} params" if times == 1 else f"{times} × {count:,} params"


def _arrow_text(block: Block) -> list[Text]:
    """Return the lines below an arrow, in the middle of which x = 0 is."""
    lines = [(line.text, SMALL, "quiet") for line in block.before]
    lines.append((block.main.text, MAIN, "ink"))
    lines += [(line.text, SMALL, "quiet") for line in block.after]
    if block.parameters:
        lines.append((params(block.parameters), NUMBER, "quiet"))
    found, y = [], 2.5
    for text, size, color in lines:
        if text:
            y += LEADING * size
            found.append(Text(0, y - 1.0, text, size, color))
    return found


def _window(context: Context, block: Block) -> tuple[float, float] | None:
    """Return the part of the maps, in height and width, that a pixel of the output sees."""
    if block.window is None or len(block.window) != 2 or len(block.reads) != 3:
        return None
    parts = [length / side for length, side in zip(block.window, block.reads, strict=False)]
    if context.largest > SMALL_IMAGES or max(block.window) == 1 or max(parts) >= 1:
        return None
    return parts[0], parts[1]


def _classes(context: Context, solid: Solid) -> list[Text]:
    """Return the names of the classes, each at its cell of a bar."""
    height = (solid.bottom - solid.top) / len(context.class_names)
    return [
        Text(0, solid.top + (i + 0.5) * height + 3.2, name, SMALL, "ink", "start")
        for i, name in enumerate(context.class_names)
    ]


def _jump(number: str, x: float, start: float, end: float) -> list[Mark]:
    """Return an arrow between the number of a jump and what it belongs to, which is below it."""
    text = Text(x, min(start, end) - BADGE + 3.3, number, SMALL)
    width = max(2 * BADGE, text.width + BADGE)
    top = min(start, end) - 2 * BADGE
    return [
        Line(((x, start), (x, end)), head=True),
        Box(x - width / 2, top, width, 2 * BADGE, "box", "line", BADGE),
        text,
    ]
