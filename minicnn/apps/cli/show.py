"""`minicnn show MODEL architecture|kernels|maps|gradcam|occlusion`: draw a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from minicnn import explain
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import load_network, saved_or_named
from minicnn.apps.cli.options import typed
from minicnn.checks import nearest
from minicnn.data.images import decode
from minicnn.errors import MissingExtraError
from minicnn.models import Model, decode_predictions
from minicnn.models.images import usual_preprocess
from minicnn.support.plots import save_figure
from minicnn.support.text import printable
from minicnn.utils import draw_architecture

ENDINGS = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
ARCHITECTURE = "architecture"
KINDS = (ARCHITECTURE, "kernels", "maps", "gradcam", "occlusion")


class InputImage(NamedTuple):
    """An image, and the network's input that is made from it."""

    pixels: np.ndarray  # uint8 (H, W, C)
    x: np.ndarray  # float32 (1, H, W, C)


@cli_command(
    "minicnn show lenet architecture",
    "minicnn show scene.mcnn gradcam photo.jpg",
    "minicnn show lenet.mcnn kernels --out kernels.png",
)
@click.argument("model", type=options.PATH)
@click.argument("what", metavar=f"[{'|'.join(KINDS)}]")
@click.argument("image", type=options.PATH, required=False)
@click.option("--layer", help="Name of a layer; default: the first convolution for kernels, the "
              "last for gradcam, all layers for maps.")  # fmt: skip
@click.option(
    "--class", "class_name", help="Name or number of the class; default: the predicted class."
)
@click.option(
    "--details",
    is_flag=True,
    help="Of an architecture draw every block, also those that repeat, "
    "and the layers of networks inside the network.",
)
@click.option(
    "--out",
    type=options.FILE,
    help="File of the figure; default: IMAGE-gradcam.png and the like, "
    "MODEL-architecture.svg and .png for an architecture.",
)
@options.force()
@options.as_json()
def command(
    model: Path,
    what: str,
    image: Path | None,
    layer: str | None,
    class_name: str | None,
    details: bool,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Draw MODEL's layers, what it has learned, or what it sees in IMAGE, as a figure.

    MODEL is a .mcnn file or a run folder; for architecture also the name of a network, such as
    resnet18.

    \b
    architecture  the layers as blocks whose sizes are those of the feature maps
    kernels       the kernels of a convolution; with IMAGE also the feature map of each
    maps          the feature maps of every layer
    gradcam       the regions of IMAGE that raise the score of a class
    occlusion     how much a class's probability falls when a region of IMAGE is covered
    """
    model, what = ordered(model, what)
    if what == ARCHITECTURE:
        if image is not None:
            raise click.UsageError(f"architecture needs no image: minicnn show {model} {what}")
        show_architecture(model, details, out, force, as_json)
        return
    if image is None and what != "kernels":
        raise click.UsageError(f"{what} needs an image: minicnn show {model} {what} IMAGE")
    target = out or Path(f"{(image or model).stem}-{what}.png")
    output.check_target(target, force=force, endings=ENDINGS)
    network = load_network(model)
    shown = None if image is None else read_input(network, image)
    figure = typed("--layer", draw, network, what, shown, layer, class_name)
    save_figure(figure, target)
    output.either(as_json, printable(target), written=target)


def show_architecture(
    path: Path, details: bool, out: Path | None, force: bool, as_json: bool
) -> None:
    """Draw a network into a file, or into an SVG file and, with matplotlib, a PNG file."""
    name = path.stem if path.is_file() else path.resolve().name
    targets = [out] if out else [Path(f"{name}-{ARCHITECTURE}{end}") for end in (".svg", ".png")]
    for target in targets:
        output.check_target(target, force=force, endings=ENDINGS)
    network = saved_or_named(path)
    drawing = draw_architecture(network, nested=details, fold=not details, title=name)
    written = []
    for target in targets:
        try:
            drawing.save(target)
        except MissingExtraError as error:
            if out is not None:
                raise
            output.note(f"No PNG file: {error}")
        else:
            written.append(target)
    output.either(as_json, "\n".join(map(printable, written)), written=written)


def ordered(model: Path, what: str) -> tuple[Path, str]:
    """Return (model, kind of figure), which may be given in either order."""
    if what not in KINDS and str(model) in KINDS:
        return Path(what), str(model)
    if what not in KINDS:
        text = f"must be one of {', '.join(KINDS)}; got {what!r}{nearest(what, KINDS)}"
        raise click.BadParameter(text, param_hint="the second argument")
    return model, what


def read_input(model: Model, path: Path) -> InputImage:
    """Read an image and preprocess it as the model's training images were."""
    preprocess = model.preprocess
    if preprocess is None:
        preprocess = usual_preprocess(model)
        output.note(f"The model has no preprocessing; using {preprocess}.")
    pixels = decode(path, **preprocess.reading)
    return InputImage(pixels, preprocess(pixels[None]))


def draw(
    model: Model, what: str, shown: InputImage | None, layer: str | None, class_name: str | None
) -> Any:
    """Return the matplotlib figure of one of the `KINDS`."""
    if shown is None or what == "kernels":
        return draw_kernels(model, shown, layer)
    if what == "maps":
        maps = explain.feature_maps(model, shown.x, None if layer is None else [layer])
        return explain.maps_figure({name: found[0] for name, found in maps.items()}, shown.pixels)
    index, title = class_to_explain(model, shown, class_name)
    output.note(title)
    if what == "gradcam":
        cam = explain.gradcam(model, shown.x, index, layer)[0]
        if not cam.any():
            output.note(
                "No region raises the score of this class, so nothing is marked. Try an earlier "
                "--layer, or occlusion"
            )
        return explain.gradcam_figure(shown.pixels, cam, title)
    lost = explain.occlusion_map(model, shown.x[0], index)
    return explain.occlusion_figure(shown.pixels, lost, title)


def draw_kernels(model: Model, shown: InputImage | None, layer: str | None) -> Any:
    """Draw a convolution's kernels, and their feature maps if there is an image."""
    name, kernels = explain.kernels_of(model, layer)
    if shown is None:
        return explain.kernels_figure(kernels, name)
    maps = explain.feature_maps(model, shown.x, [name])[name]
    return explain.first_layer_figure(kernels, maps[0], shown.pixels)


def class_to_explain(model: Model, shown: InputImage, class_name: str | None) -> tuple[int, str]:
    """Return the class's index and a title such as "forest 93.1%; shown: sea 2.0%"."""
    outputs = model.predict_on_batch(shown.x)
    count = max(outputs.shape[1], 2)
    names = model.class_names or [str(i) for i in range(count)]
    top = decode_predictions(outputs, [str(i) for i in range(count)], count)[0]
    shares = {int(index): share for share, index in top}
    best = int(top[0][1])
    index = best if class_name is None else class_index(class_name, names)
    title = f"{names[best]} {shares[best]:.1%}"
    if index != best:
        title += f"; shown: {names[index]} {shares[index]:.1%}"
    return index, title


def class_index(text: str, names: list[str]) -> int:
    """Return the index of the class with that name or number."""
    if text in names:
        return names.index(text)
    if text.isdigit() and int(text) < len(names):
        return int(text)
    raise click.BadParameter(f"no class {text!r}{nearest(text, names)}", param_hint="--class")
