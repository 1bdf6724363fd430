"""Which files belong to which image: RAW files, side files of editors, the video of a live photo.

They have the image's name and another extension, as `IMG_1.MOV` has for `IMG_1.JPG`, or the whole
name and one more extension, as `IMG_1.JPG.xmp`.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.data.file_kinds import RAW_EXTENSIONS

SIDE_FILES = (".xmp", ".aae", ".thm", ".pp3", ".dop")
VIDEOS = (".mov", ".mp4")
BY_STEM = (*SIDE_FILES, *VIDEOS, *RAW_EXTENSIONS)  # IMG_1.MOV for IMG_1.JPG
BY_NAME = (*SIDE_FILES, ".json")  # IMG_1.JPG.xmp; Google writes .json


class Group(NamedTuple):
    """An image and the files that belong to it; all of them are in one folder."""

    image: Path
    companions: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The image and its companions."""
        return (self.image, *self.companions)


def name_key(name: str) -> str:
    """Return the same key for names that some file systems take for one name.

    Those are names that differ in case, or in how a letter with an accent is composed.

    >>> name_key("CAFE\\u0301.jpg") == name_key("caf\\u00e9.JPG")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def stem_of_image(name: str, image: str) -> str | None:
    """Return the part of a companion's name that is the image's, without extensions, or None.

    >>> stem_of_image("img_1.MOV", "IMG_1.JPG"), stem_of_image("IMG_1.JPG.xmp", "IMG_1.JPG")
    ('img_1', 'IMG_1')
    """
    stem, extension = os.path.splitext(name)
    if extension.lower() in BY_NAME and name_key(stem) == name_key(image):
        return os.path.splitext(stem)[0]
    belongs = name_key(stem) == name_key(os.path.splitext(image)[0])
    return stem if belongs else None


def grouped(images: Sequence[Path], others: Iterable[Path]) -> tuple[list[Group], list[Path]]:
    """Return the images of one folder with their companions, and the files that are neither.

    Several images that a companion fits, such as `a.jpg` and `a.png` with `a.xmp`, are one group
    with the first of them as its image, because a group is moved as a whole.
    """
    by_stem: dict[str, list[Path]] = defaultdict(list)
    by_name = {name_key(path.name): path for path in images}
    for path in images:
        by_stem[name_key(path.stem)].append(path)
    own: dict[Path, list[Path]] = defaultdict(list)
    shared: dict[str, list[Path]] = defaultdict(list)
    rest = []
    for path in others:
        stem, extension = os.path.splitext(path.name)
        key, extension = name_key(stem), extension.lower()
        if extension in BY_NAME and key in by_name:
            own[by_name[key]].append(path)
        elif extension in BY_STEM and key in by_stem:
            shared[key].append(path)
        else:
            rest.append(path)
    return [
        group for key, several in by_stem.items() for group in _groups(several, own, shared[key])
    ], rest


def _groups(
    images: Sequence[Path], own: dict[Path, list[Path]], shared: Sequence[Path]
) -> list[Group]:
    """Return the groups of the images with one stem."""
    if not shared:
        return [Group(image, tuple(sorted(own[image]))) for image in images]
    first, *others = sorted(images)
    companions = [*others, *shared, *(path for image in images for path in own[image])]
    return [Group(first, tuple(sorted(companions)))]
