"""Checking folders of images for problems that would spoil a training or its results."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from minicnn.data.folders import is_image, links_out, walk
from minicnn.data.image_files import EXTENSIONS_OF, PathLike, reason_of, with_opened_image
from minicnn.data.image_list import ImageList
from minicnn.data.image_modes import (
    MAX_16_BITS,
    SIXTEEN_BITS,
    TWELVE_BITS,
    as_mode,
    eight_bits,
    is_dark,
    orientation,
)
from minicnn.data.parallel import map_in_threads
from minicnn.data.tools.fingerprints import Fingerprint, fingerprint, near_pairs
from minicnn.support.csv_files import write_csv

MIN_SPREAD = 3.0  # standard deviation of grays, 0...255; below it an image is practically blank
MAX_IMBALANCE = 3.0  # ratio of the largest class to the smallest

# The kinds of findings, in the order of the report: (is it an error, what it means). The names of
# the kinds are written to reports, so they stay as they are: a "part" is a split there.
KINDS = {
    "unreadable": (True, "cannot be read and will be skipped"),
    "in two parts": (True, "same content in two splits: accuracy will look too good"),
    "two classes": (True, "same content in two classes: one of the labels is wrong"),
    "class missing": (True, "a class of another split is missing"),
    "look-alike in two parts": (True, "looks the same in two splits: accuracy will look too good"),
    "empty class": (False, "a class folder without images; it keeps its index"),
    "unbalanced": (False, f"more than {MAX_IMBALANCE:g} times as many images as another class"),
    "wrong ending": (False, "the extension is that of another image format"),
    "blank": (False, "it is practically uniform"),
    "dark": (False, "16 bits, of which it uses at most 12: nearly black; save it brighter"),
    "rotated": (False, "it has an EXIF orientation: minicnn applies it, Keras does not"),
    "animated": (False, "several frames, of which only the first is used"),
    "copy": (False, "same content twice in a class"),
    "look-alike": (False, "looks the same as another image of its split"),
    "other file": (False, "not a known image type; ignored"),
    "link out": (False, "leads out of the folder; `minicnn data split` leaves it out"),
}  # fmt: skip


class DatasetFinding(NamedTuple):
    """One problem and the files that have it."""

    kind: str  # a key of KINDS
    paths: tuple[Path, ...]
    text: str

    @property
    def is_error(self) -> bool:
        """Whether it spoils a training or its results."""
        return KINDS[self.kind][0]


class DatasetReport(NamedTuple):
    """The result of `check_splits`."""

    counts: dict[str, dict[str, int]]  # number of images by split and class
    findings: list[DatasetFinding]

    @property
    def files(self) -> int:
        """The number of images that were checked."""
        return sum(sum(classes.values()) for classes in self.counts.values())

    @property
    def errors(self) -> int:
        """The number of findings that are errors."""
        return sum(finding.is_error for finding in self.findings)

    def by_kind(self) -> dict[str, list[DatasetFinding]]:
        """Return the findings of each kind that occurs, the worst kinds first."""
        return {k: found for k in KINDS if (found := [f for f in self.findings if f.kind == k])}


def check_splits(
    splits: Mapping[str, ImageList],
    *,
    look_alikes: bool = True,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DatasetReport:
    """Decode every image and compare all of them.

    Parameters
    ----------
    splits : the splits of a data set, as `list_splits` returned them
    look_alikes : also compare what images look like, not only the content of their files
    threads : default: one per processor
    progress : called with (images done, number of images) after each
    """
    files = [
        _File(path, split, images.class_names[label])
        for split, images in splits.items()
        for path, label in zip(images.paths, images.labels, strict=True)
    ]
    results = map_in_threads(_check_file, [file.path for file in files], threads, progress)
    readable = [
        (file, result.fingerprint)
        for file, result in zip(files, results, strict=True)
        if result.fingerprint
    ]
    findings = [finding for result in results for finding in result.findings]
    findings += _same_content(readable)
    if look_alikes:
        findings += _look_alikes(readable)
    findings += _classes(splits)
    findings += [finding for images in splits.values() for finding in _other_files(images)]
    findings += [finding for images in splits.values() for finding in _links_out(images)]
    counts = {split: _count(images) for split, images in splits.items()}
    return DatasetReport(counts, findings)


class _File(NamedTuple):
    path: Path
    split: str
    label: str


class _Result(NamedTuple):
    """What one file showed by itself; no fingerprint if it cannot be read."""

    fingerprint: Fingerprint | None
    findings: list[DatasetFinding]


def _check_file(path: Path) -> _Result:
    try:
        return with_opened_image(path, lambda image: _check_image(image, path))
    except OSError as error:
        return _Result(None, [DatasetFinding("unreadable", (path,), reason_of(error))])


def _check_image(image: Image.Image, path: Path) -> _Result:
    found = []
    extensions = EXTENSIONS_OF.get(image.format or "", ())
    if path.suffix.lower() not in extensions:
        found.append(("wrong ending", f"is {image.format}; rename it to {' or '.join(extensions)}"))
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        found.append(("animated", f"{image.n_frames} frames"))  # type: ignore[attr-defined]
    if orientation(image) != 1:
        found.append(("rotated", f"EXIF orientation {orientation(image)}"))
    image.load()  # decodes all of it, as a truncated file differs only at its end
    if image.mode in SIXTEEN_BITS:
        sixteen, (image, largest) = image, eight_bits(image)
        if is_dark(largest):
            found.append(("dark", f"its gray levels are 0...{largest:,} of {MAX_16_BITS:,}"))
            image, _ = eight_bits(sixteen, TWELVE_BITS - 1)  # bright enough to be compared
    result = fingerprint(as_mode(image, "L"), path)
    if result.spread < MIN_SPREAD:
        found.append(("blank", f"its gray levels have a std of {result.spread:.1f} of 255"))
    return _Result(result, [DatasetFinding(kind, (path,), text) for kind, text in found])


def _same_content(readable: list[tuple[_File, Fingerprint]]) -> Iterable[DatasetFinding]:
    same = defaultdict(list)
    for file, found in readable:
        same[found.digest].append(file)
    for files in same.values():
        splits, labels = {f.split for f in files}, {f.label for f in files}
        paths = tuple(f.path for f in files)
        if len(splits) > 1:
            yield DatasetFinding("in two parts", paths, " and ".join(sorted(splits)))
        if len(labels) > 1:
            yield DatasetFinding("two classes", paths, " and ".join(sorted(labels)))
        if len(files) > len(splits) and len(labels) == 1:
            yield DatasetFinding("copy", paths, f"{len(files)} files")


def _look_alikes(readable: list[tuple[_File, Fingerprint]]) -> Iterable[DatasetFinding]:
    compared = [(f, p) for f, p in readable if p.spread >= MIN_SPREAD]  # all blanks look the same
    for i, j in near_pairs([found for _, found in compared]):
        a, b = compared[i][0], compared[j][0]
        kind = "look-alike" if a.split == b.split else "look-alike in two parts"
        text = a.label if a.label == b.label else f"{a.label} and {b.label}"
        yield DatasetFinding(kind, (a.path, b.path), text)


def _classes(splits: Mapping[str, ImageList]) -> Iterable[DatasetFinding]:
    all_names = {name for images in splits.values() for name in images.class_names}
    for images in splits.values():
        counts = _count(images)
        for name in sorted(all_names - set(counts)):
            yield DatasetFinding("class missing", (images.root / name,), f"no folder {name}")
        for name in (name for name, count in counts.items() if not count):
            yield DatasetFinding("empty class", (images.root / name,), "0 images")
        filled = sorted((count, name) for name, count in counts.items() if count)
        (least, small), (most, large) = filled[0], filled[-1]
        if most > MAX_IMBALANCE * least:
            text = f"{large} has {most:,} images, {small} {least:,}; class_weight balances them"
            yield DatasetFinding("unbalanced", (images.root / large, images.root / small), text)


def _other_files(images: ImageList) -> Iterable[DatasetFinding]:
    errors: list[OSError] = []
    for name in images.class_names:
        for path in walk(images.root / name, on_error=errors.append):
            if not is_image(path):
                yield DatasetFinding("other file", (path,), path.suffix or "no extension")
    for error in errors:
        yield DatasetFinding("unreadable", (Path(error.filename),), f"folder: {reason_of(error)}")


def _links_out(images: ImageList) -> Iterable[DatasetFinding]:
    for path in sorted(links_out(images)):
        yield DatasetFinding("link out", (path,), f"leads to {os.path.realpath(path)}")


def _count(images: ImageList) -> dict[str, int]:
    counts = Counter(np.asarray(images.labels).tolist())
    return {name: counts[i] for i, name in enumerate(images.class_names)}


def write_findings(findings: Iterable[DatasetFinding], path: PathLike) -> None:
    """Write a CSV file with one line per finding: kind, "error" or "note", text and files."""
    rows = [
        [one.kind, "error" if one.is_error else "note", one.text, *one.paths] for one in findings
    ]
    write_csv(path, ["kind", "level", "text", "paths"], rows)
