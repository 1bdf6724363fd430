"""Draw a network as blocks whose sizes say how large its feature maps are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from minicnn.support.atomic_files import write_atomically
from minicnn.support.plots import save_figure
from minicnn.support.text import shortened
from minicnn.utils.architecture.arrays import largest_side
from minicnn.utils.architecture.blocks import Block, blocks_of
from minicnn.utils.architecture.elements import Element
from minicnn.utils.architecture.figure import figure_of
from minicnn.utils.architecture.folding import Folding
from minicnn.utils.architecture.marks import Mark
from minicnn.utils.architecture.nodes import nodes_of
from minicnn.utils.architecture.page import Jump, footer, page, pieces_of, rows_of, unrolled
from minicnn.utils.architecture.series_parallel import tree_of
from minicnn.utils.architecture.steps import Context
from minicnn.utils.architecture.svg import svg_text

SCALE = "Sizes: square roots of height and width, logarithms of channels and units."
STRIDE = ' "/2": a stride of 2.'
MAX_CLASSES = 16  # more names would not fit beside the last bar
MAX_NAME, MAX_CLASS_NAME = 80, 24  # letters
DPI = 200


class Drawing:
    """A drawn network, which a notebook shows.

    `marks` are its lines, boxes, polygons and texts, `width` and `height` its size in points of
    1/72 inch.
    """

    def __init__(self, marks: Sequence[Mark], width: float, height: float, title: str) -> None:
        self.marks, self.width, self.height, self.title = tuple(marks), width, height, title

    def svg(self) -> str:
        """Return the content of an SVG file, which has other colors on dark pages."""
        return svg_text(self.marks, self.width, self.height, self.title)

    def figure(self, dpi: int = DPI) -> Any:
        """Return a matplotlib figure.

        Raises
        ------
        MissingExtraError : matplotlib is not installed
        """
        return figure_of(self.marks, self.width, self.height, dpi)

    def save(self, path: str | os.PathLike[str], dpi: int = DPI) -> None:
        """Write a file in the format of its extension: .svg, or one that matplotlib writes.

        `dpi` are the pixels per inch of formats such as .png, the default format.
        """
        if os.fspath(path).lower().endswith(".svg"):
            write_atomically(path, [self.svg().encode()])
        else:
            save_figure(self.figure(dpi), path)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<drawing of {self.title}, {self.width:.0f} x {self.height:.0f} points>"


def draw_architecture(
    model: Any, *, nested: bool = False, fold: bool = True, title: str | None = None
) -> Drawing:
    """Draw a network from left to right, as stacks of feature maps with arrows between them.

    A convolution or another layer and the normalization, activation and dropout after it are one
    arrow. Blocks with branches, such as residual blocks, are boxes in a frame; blocks that repeat
    are drawn once, with "× 3" for three times. Long networks take several rows.

    Parameters
    ----------
    model : Model or Sequential whose input has a known shape
    nested : also draw the layers of networks inside the network; default False
    fold : draw blocks that repeat once; default True
    title : what the network is called below the drawing; default: its name

    Returns
    -------
    Drawing, with `save("network.svg")`, `svg()` and `figure()`

    Raises
    ------
    DTypeError : `model` is no network
    ArgumentError : the network does not know its input's shape yet

    Notes
    -----
    The sides of a feature map are proportional to the square roots of its height and width. The
    number of sheets of a stack grows with the logarithm of the channels, the length of a bar with
    that of its units. "/2" is a stride of 2. Zero padding before a layer is not shown. An arrow
    that would cross others is drawn as a number where it begins and where it ends.

    Examples
    --------
    >>> import minicnn as mc
    >>> drawing = mc.utils.draw_architecture(mc.zoo.lenet())
    >>> "conv 5×5, 20" in drawing.svg()
    True
    """
    blocks = blocks_of(nodes_of(model, nested=nested))
    outputs = [i for i, block in enumerate(blocks) if block.is_output]
    tree = tree_of([block.sources for block in blocks], outputs)
    apart = [block for jump in tree.jumps for block in jump]
    found = Folding(blocks, apart, fold=fold).elements(tree.series)
    context, elements = _context(blocks, found, tree.jumps, model.class_names or ())
    rows = rows_of(pieces_of(context, elements))
    name = shortened(model.name if title is None else title, MAX_NAME)
    parameters = sum(block.parameters for block in blocks)
    below = footer(name, parameters, _notes(blocks), max(row.width for row in rows))
    marks, width, height = page(rows, below)
    return Drawing(marks, width, height, name)


def _context(
    blocks: Sequence[Block],
    elements: Sequence[Element],
    jumps: Sequence[Jump],
    class_names: Sequence[str],
) -> tuple[Context, Sequence[Element]]:
    """Return what the pieces have in common, and the elements without lines over whole rows."""
    largest = largest_side(block.shape for block in blocks)
    few = len(class_names) <= MAX_CLASSES
    names = [shortened(name, MAX_CLASS_NAME) for name in class_names] if few else []
    inputs = sum(block.is_input for block in blocks)
    outputs = sum(block.is_output for block in blocks)
    context = Context(blocks, largest, names, inputs, outputs, {}, {})
    elements, more = unrolled(context, elements)
    into, out = _numbered([*jumps, *more])
    return context._replace(jumps_into=into, jumps_out=out), elements


def _numbered(jumps: Iterable[Jump]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the numbers of the arrows that are not drawn, by the blocks they lead to and from.

    >>> _numbered([(3, 9), (5, 8), (3, 8)])
    ({9: '1', 8: '2, 1'}, {3: '1', 5: '2'})
    """
    into: dict[int, str] = {}
    out: dict[int, str] = {}
    for start, end in jumps:
        number = out.setdefault(start, str(len(out) + 1))
        into[end] = f"{into[end]}, {number}" if end in into else number
    return into, out


def _notes(blocks: Sequence[Block]) -> str:
    """Return what is said about the sizes, and about the sign for strides if it occurs."""
    strides = any(", /" in line.text for block in blocks for line in block.lines)
    return SCALE + (STRIDE if strides else "")
