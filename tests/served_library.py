"""A small library of made pictures, and a server on it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from minicnn.apps.library.extractors import color_and_texture, network_extractor
from minicnn.apps.library.models import Extractor, Features, Folder, Picture
from minicnn.apps.library.opening import Library, open_library
from minicnn.apps.library.reading import read_picture

COLORS = ["red", "green", "blue", "yellow", "purple", "orange", "gray", "white"]


def image_bytes(
    color: str = "red", kind: str = "JPEG", size: tuple[int, int] = (64, 48), **options: object
) -> bytes:
    """Return an image file: a color with some noise, so that it does not compress to nothing."""
    noise = np.random.default_rng(0).integers(0, 40, (size[1], size[0], 3))
    pixels = np.clip(np.asarray(Image.new("RGB", size, color), np.int16) + noise - 20, 0, 255)
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, kind, **options)
    return out.getvalue()


def write_pictures(folder: Path, count: int = len(COLORS)) -> None:
    """Write JPEG files, `0.jpg` and so on, of different colors."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        size = 64 + number // len(COLORS), 48
        content = image_bytes(COLORS[number % len(COLORS)], size=size)
        (folder / f"{number}.jpg").write_bytes(content)


def fill_library(file: Path, folder: Path, network: str | None = "photo-small") -> Library:
    """Put all pictures of a folder into a library."""
    library = open_library(file, create=True)
    extractors = color_and_texture() + ([network_extractor(network)] if network else [])
    alias = library.alias
    rows = [
        Extractor.objects.using(alias).create(
            name=one.name,
            sha256=one.sha256,
            dimensions=one.dimensions,
            class_names=one.class_names,
            source=one.source,
        )
        for one in extractors
    ]
    home = Folder.objects.using(alias).create(path=str(folder.resolve()))
    for path in sorted(folder.glob("*.jpg")):
        picture = _add_picture(alias, home, path, extractors)
        for row, one, image in picture[1](rows):
            said = one.describe([image])[0]
            label, share = said.top[0] if said.top else ("", None)
            Features.objects.using(alias).create(
                picture=picture[0], extractor=row, vector=said.vector, label=label,
                probability=share, top=[list(pair) for pair in said.top],
            )  # fmt: skip
    return library


def _add_picture(
    alias: str, home: Folder, path: Path, extractors: list
) -> tuple[Picture, Callable[[list], list]]:
    read = read_picture(path, extractors)
    status = path.stat()
    row = Picture.objects.using(alias).create(
        folder=home, path=path.name, size=status.st_size, modified=status.st_mtime_ns,
        sha256=read.sha256, width=read.width, height=read.height, taken=read.taken,
        perceptual_hash=read.perceptual_hash,
    )  # fmt: skip
    return row, lambda rows: [
        (r, e, read.images[e.name]) for r, e in zip(rows, extractors, strict=True)
    ]
