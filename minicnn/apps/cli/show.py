"""`minicnn show MODEL kernels|maps|gradcam|occlusion IMAGE`: a look inside a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from minicnn import explain
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb
from minicnn.apps.cli.model_file import load_network
from minicnn.apps.cli.options import typed
from minicnn.checks import nearest
from minicnn.data.images import decode
from minicnn.models import Model, decode_predictions
from minicnn.models.images import usual_preprocess
from minicnn.support.plots import save_figure
from minicnn.support.text import printable

ENDINGS = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
KINDS = ("kernels", "maps", "gradcam", "occlusion")


class Seen(NamedTuple):
    """One image, as it is and as the network is fed."""

    pixels: np.ndarray  # uint8 (H, W, C)
    x: np.ndarray  # float32 (1, H, W, C)


@verb(
    "minicnn show scene.mcnn gradcam photo.jpg",
    "minicnn show lenet.mcnn kernels --out kernels.png",
)
@click.argument("model", type=options.PATH)
@click.argument("what", metavar=f"[{'|'.join(KINDS)}]")
@click.argument("image", type=options.PATH, required=False)
@click.option("--layer", help="Name of a layer; default: the first convolution for kernels, the "
              "last for gradcam, all for maps.")  # fmt: skip
@click.option("--class", "class_name", help="Name or number; default: what the network says.")
@click.option("--out", type=options.FILE, help="Picture to write; default: by name.")
@options.force()
@options.as_json()
def command(
    model: Path,
    what: str,
    image: Path | None,
    layer: str | None,
    class_name: str | None,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a picture of what MODEL looks for and what it sees in IMAGE.

    \b
    kernels    the patterns of a convolution; with IMAGE also what each makes of it
    maps       what every layer makes of IMAGE
    gradcam    where IMAGE speaks for a class
    occlusion  how much of a class's probability each place of IMAGE holds
    """
    model, what = ordered(model, what)
    if image is None and what != "kernels":
        raise click.UsageError(f"{what} needs an image: minicnn show {model} {what} IMAGE")
    target = out or Path(f"{(image or model).stem}-{what}.png")
    output.check_target(target, force=force, endings=ENDINGS)
    network = load_network(model)
    seen = None if image is None else look_at(network, image)
    figure = typed("--layer", drawn, network, what, seen, layer, class_name)
    save_figure(figure, target)
    output.either(as_json, printable(target), written=target)


def ordered(model: Path, what: str) -> tuple[Path, str]:
    """(model, kind of picture), in whichever order they were typed."""
    if what not in KINDS and str(model) in KINDS:
        return Path(what), str(model)
    if what not in KINDS:
        text = f"{what!r} is none of {', '.join(KINDS)}{nearest(what, KINDS)}"
        raise click.BadParameter(text, param_hint="the second word")
    return model, what


def look_at(model: Model, path: Path) -> Seen:
    """Read an image as the model was trained to see it."""
    preprocess = model.preprocess
    if preprocess is None:
        preprocess = usual_preprocess(model)
        output.note(f"The model does not say how images become its input; taken is {preprocess}.")
    pixels = decode(path, **preprocess.reading)
    return Seen(pixels, preprocess(pixels[None]))


def drawn(
    model: Model, what: str, seen: Seen | None, layer: str | None, class_name: str | None
) -> Any:
    """The matplotlib figure."""
    if seen is None or what == "kernels":
        return draw_kernels(model, seen, layer)
    if what == "maps":
        maps = explain.feature_maps(model, seen.x, None if layer is None else [layer])
        return explain.maps_figure({name: found[0] for name, found in maps.items()}, seen.pixels)
    number, title = said(model, seen, class_name)
    output.note(title)
    if what == "gradcam":
        cam = explain.gradcam(model, seen.x, number, layer)[0]
        if not cam.any():
            output.note(
                "No place of these maps speaks for the class, so nothing is marked. Try an earlier "
                "--layer, or occlusion"
            )
        return explain.gradcam_figure(seen.pixels, cam, title)
    lost = explain.occlusion_map(model, seen.x[0], number)
    return explain.occlusion_figure(seen.pixels, lost, title)


def draw_kernels(model: Model, seen: Seen | None, layer: str | None) -> Any:
    """A convolution's kernels, and the image after each of them if there is one."""
    name, kernels = explain.kernels_of(model, layer)
    if seen is None:
        return explain.kernels_figure(kernels, name)
    maps = explain.feature_maps(model, seen.x, [name])[name]
    return explain.first_layer_figure(kernels, maps[0], seen.pixels)


def said(model: Model, seen: Seen, class_name: str | None) -> tuple[int, str]:
    """(the class to explain, "forest 93.1 %; shown: sea 2.0 %")."""
    outputs = model.predict_on_batch(seen.x)
    count = max(outputs.shape[1], 2)
    names = model.class_names or [str(i) for i in range(count)]
    top = decode_predictions(outputs, [str(i) for i in range(count)], count)[0]
    shares = {int(number): share for share, number in top}
    best = int(top[0][1])
    number = best if class_name is None else class_number(class_name, names)
    text = f"{names[best]} {shares[best]:.1%}"
    return (
        number,
        text if number == best else f"{text}; shown: {names[number]} {shares[number]:.1%}",
    )


def class_number(text: str, names: list[str]) -> int:
    """The class of that name or number."""
    if text in names:
        return names.index(text)
    if text.isdigit() and int(text) < len(names):
        return int(text)
    raise click.BadParameter(f"no class {text!r}{nearest(text, names)}", param_hint="--class")
