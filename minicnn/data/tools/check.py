"""What is wrong with folders of pictures, before a training finds out the slow way."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from minicnn.data.folders import ImageList, is_image, links_out, walk
from minicnn.data.image_files import EXTENSIONS_OF, PathLike, reason_of, with_opened_image
from minicnn.data.image_modes import (
    MAX_16_BITS,
    SIXTEEN_BITS,
    TWELVE_BITS,
    as_mode,
    eight_bits,
    orientation,
)
from minicnn.data.parallel import map_in_threads
from minicnn.data.tools.fingerprints import Fingerprint, fingerprint, near_pairs
from minicnn.support.csv_files import write_csv

MIN_SPREAD = 3.0  # standard deviation of grays, 0...255; below it a picture shows next to nothing
MAX_IMBALANCE = 3.0  # largest class by smallest

# Kinds of findings: is it an error, and what it means. In the order of the report.
KINDS = {
    "unreadable": (True, "cannot be read and will be skipped"),
    "in two parts": (True, "same content in two parts: accuracy will look too good"),
    "two classes": (True, "same content in two classes: one of the labels is wrong"),
    "class missing": (True, "a class that another part has"),
    "look-alike in two parts": (True, "looks the same in two parts: accuracy will look too good"),
    "empty class": (False, "a class folder without pictures; it keeps its number"),
    "unbalanced": (False, f"more than {MAX_IMBALANCE:g} times as many pictures as another class"),
    "wrong ending": (False, "the name says another kind of picture than the file is"),
    "blank": (False, "next to nothing is on it"),
    "dark": (False, "16 bits, of which 12 or fewer are used: nearly black; save it brighter"),
    "rotated": (False, "the camera was turned: minicnn shows it upright, Keras as it lies"),
    "animated": (False, "several frames, of which the first is used"),
    "copy": (False, "same content twice in a class"),
    "look-alike": (False, "looks the same as another picture of its part"),
    "other file": (False, "no known image type; not looked at"),
    "link out": (False, "leads out of the folder; `minicnn data split` leaves it out"),
}  # fmt: skip


class Finding(NamedTuple):
    """One thing that is not as it should be."""

    kind: str  # of KINDS
    paths: tuple[Path, ...]
    text: str

    @property
    def is_error(self) -> bool:
        """Does it spoil a training or its figures?"""
        return KINDS[self.kind][0]


class Report(NamedTuple):
    """Everything that `check_splits` found."""

    counts: dict[str, dict[str, int]]  # pictures by part and class
    findings: list[Finding]

    @property
    def files(self) -> int:
        """Pictures that were looked at."""
        return sum(sum(classes.values()) for classes in self.counts.values())

    @property
    def errors(self) -> int:
        """Findings that are errors."""
        return sum(finding.is_error for finding in self.findings)

    def by_kind(self) -> dict[str, list[Finding]]:
        """Findings of each kind that there is, the worst kinds first."""
        return {k: found for k in KINDS if (found := [f for f in self.findings if f.kind == k])}


def check_splits(
    sets: Mapping[str, ImageList],
    *,
    look_alikes: bool = True,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Read every picture whole and compare them all.

    Parameters
    ----------
    sets : the parts of a data set, as `list_splits` finds them
    look_alikes : also compare what pictures look like, not only their bytes
    threads : that read; default: one for each processor
    progress : called with (pictures done, pictures in all) after each
    """
    files = [
        _File(path, part, images.class_names[label])
        for part, images in sets.items()
        for path, label in zip(images.paths, images.labels, strict=True)
    ]
    looks = map_in_threads(_look, [file.path for file in files], threads, progress)
    readable = [(f, look.print) for f, look in zip(files, looks, strict=True) if look.print]
    findings = [finding for look in looks for finding in look.findings]
    findings += _same_content(readable)
    if look_alikes:
        findings += _look_alikes(readable)
    findings += _classes(sets)
    findings += [finding for images in sets.values() for finding in _other_files(images)]
    findings += [finding for images in sets.values() for finding in _links_out(images)]
    counts = {part: _count(images) for part, images in sets.items()}
    return Report(counts, findings)


class _File(NamedTuple):
    path: Path
    part: str
    label: str


class _Look(NamedTuple):
    print: Fingerprint | None
    findings: list[Finding]


def _look(path: Path) -> _Look:
    try:
        return with_opened_image(path, lambda image: _examine(image, path))
    except OSError as error:
        return _Look(None, [Finding("unreadable", (path,), reason_of(error))])


def _examine(image: Image.Image, path: Path) -> _Look:
    found = []
    endings = EXTENSIONS_OF.get(image.format or "", ())
    if path.suffix.lower() not in endings:
        found.append(("wrong ending", f"is {image.format}: {' or '.join(endings)} would say so"))
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        found.append(("animated", f"{image.n_frames} frames"))  # type: ignore[attr-defined]
    if orientation(image) != 1:
        found.append(("rotated", f"EXIF orientation {orientation(image)}"))
    image.load()  # whole: a cut-off file shows only at its end
    if image.mode in SIXTEEN_BITS:
        sixteen, (image, greatest) = image, eight_bits(image)
        if 0 < greatest < TWELVE_BITS:
            found.append(("dark", f"its grays are 0...{greatest:,} of {MAX_16_BITS:,}"))
            image, _ = eight_bits(sixteen, TWELVE_BITS - 1)  # what it shows can be compared
    print = fingerprint(as_mode(image, "L"), path)
    if print.spread < MIN_SPREAD:
        found.append(("blank", f"its grays differ by {print.spread:.1f} of 255"))
    return _Look(print, [Finding(kind, (path,), text) for kind, text in found])


def _same_content(readable: list[tuple[_File, Fingerprint]]) -> Iterable[Finding]:
    same = defaultdict(list)
    for file, print in readable:
        same[print.digest].append(file)
    for files in same.values():
        parts, labels = {f.part for f in files}, {f.label for f in files}
        paths = tuple(f.path for f in files)
        if len(parts) > 1:
            yield Finding("in two parts", paths, " and ".join(sorted(parts)))
        if len(labels) > 1:
            yield Finding("two classes", paths, " and ".join(sorted(labels)))
        if len(files) > len(parts) and len(labels) == 1:
            yield Finding("copy", paths, f"{len(files)} files")


def _look_alikes(readable: list[tuple[_File, Fingerprint]]) -> Iterable[Finding]:
    shown = [(f, p) for f, p in readable if p.spread >= MIN_SPREAD]  # all blanks look the same
    for i, j in near_pairs([print for _, print in shown]):
        a, b = shown[i][0], shown[j][0]
        kind = "look-alike" if a.part == b.part else "look-alike in two parts"
        text = a.label if a.label == b.label else f"{a.label} and {b.label}"
        yield Finding(kind, (a.path, b.path), text)


def _classes(sets: Mapping[str, ImageList]) -> Iterable[Finding]:
    everywhere = {name for images in sets.values() for name in images.class_names}
    for images in sets.values():
        counts = _count(images)
        for name in sorted(everywhere - set(counts)):
            yield Finding("class missing", (images.root / name,), f"no folder {name}")
        for name in (name for name, count in counts.items() if not count):
            yield Finding("empty class", (images.root / name,), "0 images")
        filled = sorted((count, name) for name, count in counts.items() if count)
        (least, small), (most, large) = filled[0], filled[-1]
        if most > MAX_IMBALANCE * least:
            text = f"{large} has {most:,} images, {small} {least:,}; class_weight evens them out"
            yield Finding("unbalanced", (images.root / large, images.root / small), text)


def _other_files(images: ImageList) -> Iterable[Finding]:
    locked: list[OSError] = []
    for name in images.class_names:
        for path in walk(images.root / name, locked=locked.append):
            if not is_image(path):
                yield Finding("other file", (path,), path.suffix or "no ending")
    for error in locked:
        yield Finding("unreadable", (Path(error.filename),), f"folder: {reason_of(error)}")


def _links_out(images: ImageList) -> Iterable[Finding]:
    for path in sorted(links_out(images)):
        yield Finding("link out", (path,), f"leads to {os.path.realpath(path)}")


def _count(images: ImageList) -> dict[str, int]:
    counts = Counter(np.asarray(images.labels).tolist())
    return {name: counts[i] for i, name in enumerate(images.class_names)}


def write_findings(findings: Iterable[Finding], path: PathLike) -> None:
    """A csv with a line for each finding: kind, error or note, what was seen, the files."""
    rows = [
        [one.kind, "error" if one.is_error else "note", one.text, *one.paths] for one in findings
    ]
    write_csv(path, ["kind", "level", "text", "paths"], rows)
