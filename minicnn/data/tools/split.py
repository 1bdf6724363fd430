"""A folder of classes, copied into train, val and test: the same proportions in each class.

Pictures of one group (a patient, a burst of photos) stay together: a network that has seen one of
them knows the others too well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import random
from minicnn.data.image_list import ImageList
from minicnn.data.tools.matching import find_in_each
from minicnn.errors import ArgumentError
from minicnn.support.text import quoted

NAMES = {2: ("train", "test"), 3: ("train", "val", "test")}
PARTS = {"train": 70.0, "val": 20.0, "test": 10.0}


class SplitPart(NamedTuple):
    """One folder of the split."""

    name: str
    rows: np.ndarray  # positions in the list of images, ascending


def parse_parts(text: str) -> dict[str, float]:
    """Names and shares of the parts, from what one types.

    >>> parse_parts("70/20/10")
    {'train': 70.0, 'val': 20.0, 'test': 10.0}
    >>> parse_parts("fit=4/check=1")
    {'fit': 4.0, 'check': 1.0}
    """
    words = [word.strip() for word in text.split("/")]
    named = [word.rpartition("=") for word in words]
    try:
        shares = [float(share) for _, _, share in named]
    except ValueError:
        shares = []
    names = [name for name, _, _ in named]
    if not any(names):
        names = list(NAMES.get(len(words), ()))
    if not shares or len(names) != len(shares):
        raise ArgumentError(
            f"parts must be like 80/20, 70/20/10 or train=70/val=20/test=10; got {quoted(text)}"
        )
    parts = dict(zip(names, shares, strict=True))
    _check_parts(parts)
    if len(parts) < len(names):
        raise ArgumentError(f"parts must have different names; got {quoted(text)}")
    return parts


def plan_split(
    images: ImageList,
    parts: Mapping[str, float] | None = None,
    *,
    group_by: str | None = None,
) -> list[SplitPart]:
    """Which picture goes where; the same plan for the same seed.

    Parameters
    ----------
    images : as `list_folder` found them
    parts : share of each part, of any sum; default: train 70, val 20, test 10
    group_by : regular expression, searched in each file's path below the root. Files with the same
        match (of the first parenthesis, if it has one) stay together; a file without a match is
        on its own.

    Returns
    -------
    SplitPart for each, in the order of `parts`

    Raises
    ------
    ArgumentError : a part would be empty, `parts` or `group_by` cannot be understood

    Notes
    -----
    Without groups each class is cut at its exact shares, rounded so that no part is off by a whole
    picture. With groups the largest ones are placed first, each where most is missing of what it
    holds; the shares are then as close as the groups allow.
    """
    parts = PARTS if parts is None else parts
    _check_parts(parts)
    shares = np.array([*parts.values()]) / sum(parts.values())
    labels = np.asarray(images.labels)
    if group_by is None:
        where = _cut_classes(labels, shares)
    else:
        where = _place_groups(labels, group_keys(images, group_by), shares)
    plan = [SplitPart(name, np.flatnonzero(where == i)) for i, name in enumerate(parts)]
    empty = [part.name for part in plan if len(part.rows) == 0]
    if empty:
        raise ArgumentError(
            f"{len(labels)} images at these shares leave the part {empty[0]} without any; give it "
            "a larger share, fewer parts or more images"
        )
    return plan


def group_keys(images: ImageList, pattern: str) -> list[str]:
    """What `pattern` finds in each file's path below the root, or the whole path."""
    names = [Path(name).as_posix() for name in images.filenames]
    found = find_in_each(pattern, names, "group_by")
    if not any(match is not None for match in found):
        raise ArgumentError(
            f"group_by={quoted(pattern)} matches none of {len(names)} files, such as "
            f"{quoted(names[0])}"
        )
    # No path ends with "//", so no file is taken for a group by chance.
    return [
        name if match is None else f"{match}//" for name, match in zip(names, found, strict=True)
    ]


def count_table(
    images: ImageList, plan: Sequence[SplitPart], without: Iterable[Path] = ()
) -> np.ndarray:
    """Pictures of each class in each part, (classes, parts); `without` those that failed."""
    labels, classes, left_out = np.asarray(images.labels), len(images.class_names), {*without}
    kept = np.array([path not in left_out for path in images.paths], bool)
    rows = [part.rows[kept[part.rows]] for part in plan]
    return np.stack([np.bincount(labels[one], minlength=classes) for one in rows], axis=1)


def _check_parts(parts: Mapping[str, float]) -> None:
    for name, share in parts.items():
        if not name or name.startswith(".") or re.search(r'[\\/:*?"<>|\x00-\x1f]', name):
            raise ArgumentError(f"a part's name must be a folder's name; got {quoted(name)}")
        if not 0 < share < float("inf"):
            raise ArgumentError(f"a part's share must be positive; got {name}={share}")
    if len(parts) < 2:
        raise ArgumentError(f"a split needs two parts or more; got {', '.join(parts) or 'none'}")


def whole_counts(shares: np.ndarray, total: int) -> np.ndarray:
    """`shares` of `total` as whole numbers of that sum: the largest remainders are rounded up.

    >>> whole_counts(np.array([0.7, 0.2, 0.1]), 13).tolist()
    [9, 3, 1]
    """
    exact = shares * total
    # 0.7 * 10 is a hair below 7: without the rounding its whole part would be 6.
    counts = np.floor(exact.round(9)).astype(np.int64)
    most_left = np.argsort(counts - exact, kind="stable")
    counts[most_left[: total - counts.sum()]] += 1
    return counts


def _cut_classes(labels: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The part of each picture."""
    where = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        order = random.generator("split", label).permutation(rows)
        where[order] = np.repeat(np.arange(len(shares)), whole_counts(shares, len(rows)))
    return where


def _place_groups(labels: np.ndarray, keys: list[str], shares: np.ndarray) -> np.ndarray:
    """The part of each picture, one for all of a group."""
    _, group = np.unique(np.array(keys, object).astype(str), return_inverse=True)
    classes = int(labels.max()) + 1
    held = np.zeros((group.max() + 1, classes))  # pictures of each class in each group
    np.add.at(held, (group, labels), 1)
    missing = np.outer(shares, held.sum(axis=0))  # (parts, classes)
    part_of = np.empty(len(held), np.int64)
    shuffled = random.generator("split groups").permutation(len(held))
    for g in shuffled[np.argsort(-held.sum(axis=1)[shuffled], kind="stable")]:
        # Of all places this one leaves the smallest sum of squares of what is missing.
        part_of[g] = np.argmax(missing @ held[g])
        missing[part_of[g]] -= held[g]
    return part_of[group]
