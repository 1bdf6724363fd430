"""Planning how the images of a folder are divided into training, validation and test splits.

Every class is divided in the same proportions. Images of one group (a patient, a burst of photos)
stay in one split: a network that was trained on one of them would recognize the others.
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
DEFAULT_SHARES = {"train": 70.0, "val": 20.0, "test": 10.0}


class PlannedSplit(NamedTuple):
    """The name of a split and its images."""

    name: str
    rows: np.ndarray  # indices into the list of images, ascending


def parse_shares(text: str) -> dict[str, float]:
    """Parse the shares of the splits, as they are typed after --parts.

    >>> parse_shares("70/20/10")
    {'train': 70.0, 'val': 20.0, 'test': 10.0}
    >>> parse_shares("fit=4/check=1")
    {'fit': 4.0, 'check': 1.0}
    """
    words = [word.strip() for word in text.split("/")]
    named = [word.rpartition("=") for word in words]
    try:
        values = [float(share) for _, _, share in named]
    except ValueError:
        values = []
    names = [name for name, _, _ in named]
    if not any(names):
        names = list(NAMES.get(len(words), ()))
    if not values or len(names) != len(values):
        raise ArgumentError(
            f"parts must be like 80/20, 70/20/10 or train=70/val=20/test=10; got {quoted(text)}"
        )
    shares = dict(zip(names, values, strict=True))
    _check_shares(shares)
    if len(shares) < len(names):
        raise ArgumentError(f"parts must have different names; got {quoted(text)}")
    return shares


def plan_split(
    images: ImageList,
    shares: Mapping[str, float] | None = None,
    *,
    group_by: str | None = None,
) -> list[PlannedSplit]:
    """Assign every image to a split; the same seed gives the same plan.

    Parameters
    ----------
    images : as `list_folder` returned them
    shares : the share of each split, with any sum; default: train 70, val 20, test 10
    group_by : a regular expression that is searched in each file's path below the root. Files with
        the same match (of the first group, if it has one) stay in one split; a file without a
        match is a group of its own

    Returns
    -------
    A PlannedSplit for each entry of `shares`, in their order

    Raises
    ------
    ArgumentError : a split would be empty, or `shares` or `group_by` is not valid

    Notes
    -----
    Without groups, each class is divided exactly by the shares and rounded, so every split is less
    than one image off. With groups, the largest ones are assigned first, each to the split that
    lacks most of the group's classes; the shares are then as close as the groups allow.
    """
    shares = DEFAULT_SHARES if shares is None else shares
    _check_shares(shares)
    fractions = np.array([*shares.values()]) / sum(shares.values())
    labels = np.asarray(images.labels)
    split_of = assign(labels, fractions, None if group_by is None else group_keys(images, group_by))
    plan = [PlannedSplit(name, np.flatnonzero(split_of == i)) for i, name in enumerate(shares)]
    empty = [split.name for split in plan if len(split.rows) == 0]
    if empty:
        raise ArgumentError(
            f"{len(labels)} images with these shares leave the split {empty[0]} empty; give it a "
            "larger share, fewer splits or more images"
        )
    return plan


def group_keys(images: ImageList, pattern: str) -> list[str]:
    """Return the group of each file: what `pattern` finds in its path, or the whole path."""
    names = [Path(name).as_posix() for name in images.filenames]
    found = find_in_each(pattern, names, "group_by")
    if not any(match is not None for match in found):
        raise ArgumentError(
            f"group_by={quoted(pattern)} matches none of {len(names)} files, such as "
            f"{quoted(names[0])}"
        )
    # No path ends with "//", so a path can never equal a match.
    return [
        name if match is None else f"{match}//" for name, match in zip(names, found, strict=True)
    ]


def count_table(
    images: ImageList, plan: Sequence[PlannedSplit], without: Iterable[Path] = ()
) -> np.ndarray:
    """Count the images of each class and split, (classes, splits), but not those in `without`."""
    labels, classes, left_out = np.asarray(images.labels), len(images.class_names), {*without}
    kept = np.array([path not in left_out for path in images.paths], bool)
    rows = [split.rows[kept[split.rows]] for split in plan]
    return np.stack([np.bincount(labels[one], minlength=classes) for one in rows], axis=1)


def _check_shares(shares: Mapping[str, float]) -> None:
    for name, share in shares.items():
        if not name or name.startswith(".") or re.search(r'[\\/:*?"<>|\x00-\x1f]', name):
            raise ArgumentError(f"the name of a part must be a folder name; got {quoted(name)}")
        if not 0 < share < float("inf"):
            raise ArgumentError(f"the share of a part must be positive; got {name}={share}")
    if len(shares) < 2:
        raise ArgumentError(f"at least two parts are needed; got {', '.join(shares) or 'none'}")


def whole_counts(fractions: np.ndarray, total: int) -> np.ndarray:
    """Round `fractions * total` to integers with the sum `total`, largest remainders up.

    >>> whole_counts(np.array([0.7, 0.2, 0.1]), 13).tolist()
    [9, 3, 1]
    """
    exact = fractions * total
    # 0.7 * 10 is slightly below 7; without rounding, its floor would be 6.
    counts = np.floor(exact.round(9)).astype(np.int64)
    by_remainder = np.argsort(counts - exact, kind="stable")
    counts[by_remainder[: total - counts.sum()]] += 1
    return counts


def assign(
    labels: np.ndarray, fractions: np.ndarray, groups: Sequence[object] | None = None
) -> np.ndarray:
    """Return the index of each image's split, (n,), as `plan_split` assigns them.

    Parameters
    ----------
    labels : class indices, (n,)
    fractions : the share of each split, with the sum 1
    groups : the group of each image; images of one group get the same split. Default: none
    """
    if groups is None:
        return _assign_images(labels, fractions)
    return assign_groups(labels, groups, fractions)


def _assign_images(labels: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Return the index of each image's split; each class is shuffled and divided."""
    split_of = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        order = random.generator("split", label).permutation(rows)
        split_of[order] = np.repeat(np.arange(len(fractions)), whole_counts(fractions, len(rows)))
    return split_of


def assign_groups(labels: np.ndarray, keys: Sequence[object], fractions: np.ndarray) -> np.ndarray:
    """Return the index of each image's split, which is the same for all images of a group.

    With equal fractions, every split gets a group before one gets a second: an empty split lacks at
    least as many images of each class as any other, and most images in all.
    """
    _, group = np.unique(np.array(keys, object).astype(str), return_inverse=True)
    classes = int(labels.max()) + 1
    sizes = np.zeros((group.max() + 1, classes))  # images of each class in each group
    np.add.at(sizes, (group, labels), 1)
    missing = np.outer(fractions, sizes.sum(axis=0))  # (splits, classes)
    split_of = np.empty(len(sizes), np.int64)
    shuffled = random.generator("split groups").permutation(len(sizes))
    for g in shuffled[np.argsort(-sizes.sum(axis=1)[shuffled], kind="stable")]:
        # This split makes the sum of squares of the missing counts smallest; among equal ones, the
        # one that lacks most images.
        split_of[g] = np.lexsort((-missing.sum(axis=1), -(missing @ sizes[g])))[0]
        missing[split_of[g]] -= sizes[g]
    return split_of[group]
