"""`minicnn search`: the pictures of a library that are most similar to one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.options import typed
from minicnn.apps.library.extractors import color_and_texture
from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.foreign import check_extractors
from minicnn.apps.library.hit_sheet import Tile, hit_sheet
from minicnn.apps.library.loading import library_extractors, model_source
from minicnn.apps.library.models import Picture
from minicnn.apps.library.opening import Library, database_errors, open_library
from minicnn.apps.library.searching import (
    Hit,
    Query,
    Searcher,
    mixed,
    query_of_image,
    query_of_pictures,
)
from minicnn.apps.library.weights import COLOR, SPELLINGS, TEXTURE
from minicnn.data.image_writing import write_image
from minicnn.errors import ArgumentError
from minicnn.support.csv_files import write_csv
from minicnn.support.text import printable

SHEET_ENDINGS = (".png", ".jpg", ".jpeg")


class Found(NamedTuple):
    """A hit and what the library knows of its picture."""

    hit: Hit
    path: Path
    label: str  # the most probable class that a network sees; "" if there is none


@cli_command(
    "minicnn search photos cat.jpg",
    "minicnn search photos cat.jpg --by features=3,color --sheet hits.png",
    "minicnn search photos --like 17 --like 20 --unlike 4",
)
@click.argument("address", metavar="LIB")
@click.argument("image", type=options.FILE, required=False)
@click.option(
    "--like", type=int, multiple=True, metavar="NUMBER",
    help="Search for what is like this picture of the library.",
)  # fmt: skip
@click.option("--unlike", type=int, multiple=True, metavar="NUMBER", help="And less like this one.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Hits to show.")
@click.option(
    "--by", metavar="PART[=WEIGHT],...",
    help="What makes pictures similar: features (of the networks), class, color, texture, or the "
    "name of a network. Default: a mix of all.",
)  # fmt: skip
@click.option("--class", "label", metavar="NAME", help="Only pictures on which a network sees it.")
@click.option(
    "--model", "models", multiple=True, metavar="FILE",
    help="Where a network of the library is now, if its file has been moved.",
)  # fmt: skip
@click.option("--sheet", type=options.FILE, help="Also draw the hits into a PNG or JPEG file.")
@click.option("--csv", "csv_file", type=options.FILE, help="Also write the hits as a table.")
@options.force()
@options.as_json()
def command(
    address: str,
    image: Path | None,
    like: tuple[int, ...],
    unlike: tuple[int, ...],
    top: int,
    by: str | None,
    label: str | None,
    models: tuple[str, ...],
    sheet: Path | None,
    csv_file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show the pictures of a library that are most similar to IMAGE.

    LIB is a file, a folder that has its library inside, or an address of PostgreSQL. IMAGE need
    not be in it. The table has the number of each picture, for --like and --unlike, its score, and
    the parts of the score, which add up to it.
    """
    if image is None and not like:
        raise click.UsageError("give an IMAGE, or pictures of the library: --like NUMBER")
    output.check_target(sheet, force=force, endings=SHEET_ENDINGS)
    output.check_target(csv_file, force=force)
    weights = None if by is None else typed("--by", read_weights, by)
    library = open_library(address)
    with database_errors(library):
        extractors = [] if image is None else _extractors(library, weights, models)
        query = _query(library, image, like, unlike, extractors)
        hits = typed("--by", Searcher(library).search, query, weights, top, label=label)
        found = _with_pictures(library, hits)
    _show(library, found, as_json)
    _write(found, image, sheet, csv_file)


def read_weights(text: str) -> dict[str, float]:
    """Return {part: weight}; a part without a weight counts 1.

    >>> read_weights("features=3,colour")
    {'features': 3.0, 'color': 1.0}
    """
    weights = {}
    for word in text.split(","):
        name, sign, value = word.strip().partition("=")
        try:
            weights[SPELLINGS.get(name, name)] = float(value) if sign else 1.0
        except ValueError as error:
            raise ArgumentError(f"{word.strip()!r} must be PART or PART=NUMBER") from error
    return weights


def _extractors(
    library: Library, weights: dict[str, float] | None, models: Sequence[str]
) -> list[FeatureExtractor]:
    """Load what describes the image; networks only if they are needed."""
    if weights is not None and set(weights) <= {COLOR, TEXTURE}:
        extractors = color_and_texture()
    else:
        extractors = library_extractors(library, [model_source(one) for one in models])
    check_extractors(library, extractors)
    return extractors


def _query(
    library: Library,
    image: Path | None,
    like: Sequence[int],
    unlike: Sequence[int],
    extractors: Sequence[FeatureExtractor],
) -> Query:
    """Return the query of the image and the pictures together."""
    liked = [] if image is None else [query_of_image(library, image, extractors)]
    liked += [typed("--like", query_of_pictures, library, [key]) for key in like]
    return mixed(liked, [typed("--unlike", query_of_pictures, library, [key]) for key in unlike])


def _with_pictures(library: Library, hits: Sequence[Hit]) -> list[Found]:
    """Return the hits whose pictures have not been removed meanwhile."""
    pictures = Picture.objects.using(library.alias).select_related("folder")
    rows = pictures.prefetch_related("features").in_bulk([hit.picture for hit in hits])
    return [
        Found(hit, Path(row.folder.path, row.path), _label(row))
        for hit in hits
        if (row := rows.get(hit.picture)) is not None
    ]


def _label(picture: Picture) -> str:
    """Return the class that the surest network sees."""
    seen = [one for one in picture.features.all() if one.label]
    return max(seen, key=lambda one: one.probability).label if seen else ""


def _show(library: Library, found: Sequence[Found], as_json: bool) -> None:
    if as_json:
        output.print_json(library=library.name, hits=[_fields(one) for one in found])
    elif found:
        headings, rows = _table(found)
        output.result(output.table(headings, rows))
    else:
        output.note("No picture was found.")


def _fields(one: Found) -> dict[str, Any]:
    return {
        "picture": one.hit.picture,
        "path": one.path,
        "label": one.label,
        "score": one.hit.score,
        "parts": one.hit.parts,
    }


def _table(found: Sequence[Found]) -> tuple[list[str], list[list[object]]]:
    names = list(found[0].hit.parts) if found else []
    rows: list[list[object]] = [
        [one.hit.picture, f"{one.hit.score:.4f}",
         *(f"{one.hit.parts[name]:.4f}" for name in names), one.label, one.path]
        for one in found
    ]  # fmt: skip
    return ["number", "score", *names, "class", "path"], rows


def _write(
    found: Sequence[Found], image: Path | None, sheet: Path | None, csv_file: Path | None
) -> None:
    """Write the files that were asked for."""
    if csv_file is not None:
        write_csv(csv_file, *_table(found))
        output.note(printable(f"Written: {csv_file}, {len(found)} rows"))
    if sheet is not None:
        tiles = [] if image is None else [Tile(image, f"query: {image.name}", None, {})]
        tiles += [
            Tile(one.path, f"{one.hit.picture}: {one.path.name}", one.hit.score, one.hit.parts)
            for one in found
        ]
        write_image(hit_sheet(tiles), sheet)
        output.note(printable(f"Written: {sheet}"))
