"""Names of folders and files that hold on every disk, and numbers for names that are taken."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from minicnn.apps.sorter.companions import Group, name_key, stem_of_image

MAX_BYTES = 255  # of a name, the limit of most file systems
FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')  # in names on Windows and its disks
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def folder_names(labels: Iterable[str]) -> dict[str, str]:
    """Return the name of the folder of each class, different also where case is ignored.

    >>> folder_names(["cats", "Cats", "a/b", "..", "aux"])
    {'..': '_', 'Cats': 'Cats', 'a/b': 'a_b', 'aux': '_aux', 'cats': 'cats (1)'}
    """
    names: dict[str, str] = {}
    for label in sorted(set(labels)):
        names[label] = free_folder_name(label, names.values())
    return names


def free_folder_name(label: str, taken: Iterable[str]) -> str:
    """Return the name of the folder of a class, with a number if one is called so already."""
    keys, plain, number = {name_key(name) for name in taken}, folder_name(label), 0
    while name_key(name := numbered(plain, plain, number)) in keys:
        number += 1
    return name


def folder_name(label: str) -> str:
    """Return the label with `_` for what no folder's name may contain, at most 255 bytes long."""
    name = FORBIDDEN.sub("_", label).strip(" ").rstrip(". ")
    name = name.lstrip(".") or "_"  # a name that begins with a dot is hidden
    return shortened_to(f"_{name}" if RESERVED.fullmatch(name) else name, MAX_BYTES)


def numbered(name: str, stem: str, number: int, room: int = MAX_BYTES) -> str:
    """Return the name with " (number)" after its stem, which gets at most `room` bytes.

    >>> numbered("IMG_1.JPG.xmp", "IMG_1", 2), numbered("cat.jpg", "cat", 0)
    ('IMG_1 (2).JPG.xmp', 'cat.jpg')
    """
    if number == 0:
        return name
    end = f" ({number}){name[len(stem) :]}"
    return shortened_to(stem, min(room, MAX_BYTES - len(os.fsencode(end)))) + end


def names_of(group: Group, number: int) -> list[str]:
    """Return new names of the files of a group, all with the same number; 0 stands for none."""
    return numbered_together([path.name for path in group.files], number)


def numbered_together(names: Sequence[str], number: int) -> list[str]:
    """Return the names with a number after what they share; the first is that of the image.

    What they share is shortened in all of them if one of them would be too long.

    >>> numbered_together(["a.jpg", "a.jpg.xmp", "a.MOV"], 1)
    ['a (1).jpg', 'a (1).jpg.xmp', 'a (1).MOV']
    """
    image = names[0]
    stems = [stem_of_image(name, image) or Path(name).stem for name in names]
    longest = max(
        len(os.fsencode(name[len(stem) :])) for name, stem in zip(names, stems, strict=True)
    )
    room = MAX_BYTES - longest - len(f" ({number})")
    return [numbered(name, stem, number, room) for name, stem in zip(names, stems, strict=True)]


def shortened_to(text: str, most: int) -> str:
    """Return the beginning of a text that has at most `most` bytes as a file's name."""
    while len(os.fsencode(text)) > most:
        text = text[:-1]
    return text
