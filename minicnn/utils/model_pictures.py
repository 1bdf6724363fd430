"""Keras's `plot_model` and `model_to_dot`: pictures of networks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from minicnn.checks import check_choice, check_int
from minicnn.errors import ArgumentError, UnknownArgumentError
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import read_whole
from minicnn.support.plots import save_figure
from minicnn.utils.architecture.drawing import draw_architecture
from minicnn.utils.layer_boxes import Box, Boxes, Shown, boxes_of
from minicnn.utils.model_drawing import draw

MAX_PICTURE = 1 << 26  # bytes of a picture that a notebook shows

DIRECTIONS = ("TB", "BT", "LR", "RL")
STYLES = ("boxes", "blocks")
GRAPHVIZ_SECONDS = 120


class DotGraph:
    """A picture of a network in the language of Graphviz.

    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> print(model_to_dot(Sequential([Input((4,)), Dense(2, name="out")])).to_string())
    digraph "G" {
      rankdir=TB; splines=ortho; dpi=200;
      node [shape=record, fontname="Helvetica"];
      b0 [label="out (Dense)"];
    }
    <BLANKLINE>
    """

    def __init__(
        self, boxes: Boxes, rankdir: str, dpi: int, splines: str, *, subgraph: str
    ) -> None:
        self.boxes, self.rankdir, self.dpi, self.splines = boxes, rankdir, dpi, splines
        self.subgraph = subgraph  # its label; "" for a graph of its own

    def to_string(self) -> str:
        """Return the text that Graphviz draws."""
        settings = f"rankdir={self.rankdir}; splines={self.splines}; dpi={self.dpi};"
        head = [f"digraph {_quoted('G')} {{", f"  {settings}"]
        head.append('  node [shape=record, fontname="Helvetica"];')
        if self.subgraph:
            name = _quoted(f"cluster_{self.subgraph}")
            head = [f"subgraph {name} {{", f"  label={_quoted(self.subgraph)}; style=dashed;"]
        lines = [f"  b{i} [label={_label(box)}];" for i, box in enumerate(self.boxes.boxes)]
        lines += [f"  b{start} -> b{end};" for start, end in self.boxes.arrows]
        return "\n".join([*head, *lines, "}\n"])

    def create(self, prog: str | None = None, format: str = "png") -> bytes:
        """Return the picture that Graphviz's program draws, as the content of a file.

        Raises
        ------
        ArgumentError : Graphviz is not installed, or cannot draw this format
        """
        program = shutil.which(prog or "dot")
        if program is None:
            raise ArgumentError(
                "the program dot of Graphviz is not installed; plot_model draws without it"
            )
        try:
            done = subprocess.run(
                [program, f"-T{format}"],
                input=self.to_string().encode(),
                capture_output=True,
                timeout=GRAPHVIZ_SECONDS,
                check=True,
            )
        except subprocess.SubprocessError as error:
            text = (getattr(error, "stderr", None) or b"").decode(errors="replace")
            raise ArgumentError(f"Graphviz failed: {text[:200] or error}") from error
        return done.stdout

    def write(self, path: Any, prog: str | None = None, format: str = "raw") -> None:
        """Write the text, format "raw" or "dot", or a picture into a file."""
        text = format in ("raw", "dot")
        content = self.to_string().encode() if text else self.create(prog, format)
        write_atomically(path, [content])

    def write_png(self, path: Any) -> None:
        """Write a PNG file drawn by Graphviz."""
        self.write(path, format="png")

    def __str__(self) -> str:
        return self.to_string()


def _quoted(text: str) -> str:
    """Return a string of Graphviz's language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _label(box: Box) -> str:
    """Return the label of a box: its title above its lines."""
    lines = [box.title, *(f"{label}: {value}" for label, value in box.lines)]
    for special in "{}|<>":
        lines = [line.replace(special, f"\x00{special}") for line in lines]
    text = _quoted("|".join(lines)).replace("\x00", "\\")
    return text if len(lines) == 1 else f'"{{{text[1:-1]}}}"'


class ModelPicture:
    """The picture that `plot_model` wrote; a notebook shows it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _repr_png_(self) -> bytes | None:
        return read_whole(self.path, MAX_PICTURE) if self.path.suffix == ".png" else None

    def __repr__(self) -> str:
        return f"<picture {self.path}>"


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> DotGraph:
    """Return a picture of a network in the language of Graphviz, with `to_string` and `write`.

    The parameters are those of `plot_model`; `subgraph` gives a part for another graph.
    """
    _refuse(kwargs)
    shown = Shown(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable,
        expand_nested,
    )  # fmt: skip
    boxes = boxes_of(model, shown)
    name = model.name if subgraph else ""
    direction = check_choice(rankdir, "rankdir", DIRECTIONS)
    return DotGraph(boxes, direction, check_int(dpi, "dpi"), str(splines), subgraph=name)


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    *,
    style: str = "boxes",
    **kwargs: Any,
) -> ModelPicture:
    """Draw a network into a file: as boxes and arrows, or as stacks of feature maps.

    Parameters
    ----------
    model : Model or Sequential
    to_file : .png, .svg, .pdf, or .dot for the text that Graphviz draws
    show_shapes, show_dtype, show_layer_names : also write the shapes, the dtypes and the names of
        the layers into the boxes
    rankdir : "TB" from top to bottom, "BT", "LR" from left to right, or "RL"
    expand_nested : draw the layers of networks inside the network
    dpi : pixels per inch
    show_layer_activations, show_trainable : also write the activations, and whether layers learn
    splines : how Graphviz draws arrows
    style : "boxes" as in Keras, the default, or "blocks" for stacks of feature maps, as
        `draw_architecture` draws them; of the other arguments these have `expand_nested` and `dpi`

    Returns
    -------
    ModelPicture, which a notebook shows

    Raises
    ------
    MissingExtraError : neither matplotlib nor Graphviz is installed

    Notes
    -----
    Boxes are drawn by Graphviz if its program `dot` is installed, else by matplotlib. Blocks are
    drawn by matplotlib, except in SVG files.
    """
    if check_choice(style, "style", STYLES) == "blocks":
        return _blocks(model, to_file, expand_nested, check_int(dpi, "dpi"), kwargs)
    dot = model_to_dot(
        model,
        show_shapes,
        show_dtype,
        show_layer_names,
        rankdir,
        expand_nested,
        dpi,
        False,
        show_layer_activations,
        show_trainable,
        splines,
        **kwargs,
    )
    path = Path(to_file)
    kind = path.suffix.lstrip(".") or "png"
    path = path if path.suffix else path.with_suffix(".png")
    if kind == "dot" or shutil.which("dot") is not None:
        dot.write(path, format=kind)
    else:
        save_figure(draw(dot.boxes, rankdir, dpi), path)
    return ModelPicture(path)


def _blocks(
    model: Any, to_file: str | os.PathLike[str], nested: bool, dpi: int, kwargs: dict[str, Any]
) -> ModelPicture:
    """Draw a network as stacks of feature maps into a file."""
    _refuse(kwargs)
    path = Path(to_file)
    path = path if path.suffix else path.with_suffix(".png")
    if path.suffix == ".dot":
        raise ArgumentError('Graphviz cannot draw style="blocks"; give a .png, .svg or .pdf file')
    draw_architecture(model, nested=nested).save(path, dpi)
    return ModelPicture(path)


def _refuse(kwargs: dict[str, Any]) -> None:
    if kwargs.pop("layer_range", None) is not None:
        raise ArgumentError("layer_range: draw mc.Model(inputs, outputs) of the part instead")
    if kwargs:
        raise UnknownArgumentError(f"plot_model has no argument {next(iter(kwargs))!r}")
