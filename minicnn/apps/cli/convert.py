"""`minicnn convert IN OUT`: read a network of any known format, and write it in another one."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import network_file
from minicnn.interop import converting
from minicnn.models.saving import formats
from minicnn.support.text import printable
from minicnn.zoo.pretrained import caffe_imagenet

CAFFENET = (
    "this is Caffe's network for ImageNet: the names of its classes, the mean of its images and "
    "the order of their channels are written, too, so that it classifies images"
)


@cli_command(
    "minicnn convert lenet_deploy.prototxt lenet.mcnn --weights lenet_iter_10000.caffemodel",
    "minicnn convert scene.mcnn scene.onnx",
)
@click.argument("source", metavar="IN", type=options.PATH)
@click.argument("target", metavar="OUT", type=options.FILE)
@click.option("--weights", type=options.FILE,
              help="File of weights for IN: of a .prototxt, or of PyTorch.")  # fmt: skip
@options.force()
@options.as_json()
def command(source: Path, target: Path, weights: Path | None, force: bool, as_json: bool) -> None:
    """Write the network of IN to OUT, and check that OUT gives the same predictions.

    What IN is, its content says: a .mcnn file, a run folder, or a file of Keras, ONNX or Caffe. The
    ending of OUT chooses its format; .pth and .safetensors get the weights alone. Caffe's CaffeNet
    and AlexNet, written as .mcnn, get their preprocessing and ImageNet's class names.
    """
    for path in converting.written_files(target):
        output.check_target(Path(path), force=force)
    file = network_file(source)
    known = formats.recognized(file)
    model = converting.read(file, weights)
    layers, parameters = len(model.layers), sum(one.size for one in model.parameters)
    name = converting.OWN if known is None else known.name
    output.note(f"{printable(source)} ({name}): {layers} layers, {parameters:,} parameters")
    if formats.by_ending(target) is None and _is_caffes(known) and caffe_imagenet.prepare(model):
        output.note(CAFFENET)
    written = converting.write_checked(model, target)
    if as_json:
        output.print_json(
            source=source, source_format=name, layers=layers, parameters=parameters,
            weights=weights, target_format=written.format, **_of(written),
        )  # fmt: skip
        return
    output.result(f"{printable(' and '.join(written.files))} ({written.format}): "
                  f"{written.size:,} bytes")  # fmt: skip
    if written.difference is None:
        output.warn("no reader for this format, so its predictions were not compared")
    else:
        output.result(
            f"largest difference of the predictions on random input: {written.difference:.3g}"
        )


def _is_caffes(format: formats.Format | None) -> bool:
    return format is not None and format.module == converting.CAFFE


def _of(written: converting.Written) -> dict[str, object]:
    """Return the fields of the result for programs."""
    return {
        "files": written.files, "bytes": written.size, "largest_difference": written.difference,
    }  # fmt: skip
