"""Batches of the image files that a table names, as `flow_from_dataframe` makes them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.data.directory import DirectoryBatches
from minicnn.data.folders import is_image
from minicnn.data.image_files import PathLike
from minicnn.data.image_list import ImageList, few_of
from minicnn.data.validation_split import check_filled, subset_rows
from minicnn.errors import ArgumentError, DTypeError
from minicnn.support.text import quoted, say

WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class Table(NamedTuple):
    """The columns of a table that are used: paths, what is learned, and the samples' weights."""

    paths: list[Path]
    targets: list[list[Any]]  # a list for each column
    weights: np.ndarray | None

    def pick(self, rows: Iterable[int]) -> Table:
        """Return the rows with these indices."""
        chosen = list(rows)
        return Table(
            [self.paths[i] for i in chosen],
            [[column[i] for i in chosen] for column in self.targets],
            None if self.weights is None else self.weights[chosen],
        )


class DataFrameBatches(DirectoryBatches):
    """Batches (x, y) or (x, y, weights) of the image files that a table names.

    In scripts they are made by `ImageDataGenerator().flow_from_dataframe(...)`, which says what the
    parameters are.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        images: ImageList,
        targets: list[np.ndarray],
        weights: np.ndarray | None = None,
        *,
        validated: bool = True,
        **options: Any,
    ) -> None:
        self._targets, self._validated = targets, validated
        super().__init__(images, **options)
        self._targets = [target[self.positions] for target in targets]
        self.sample_weight = None if weights is None else weights[self.positions]

    @property
    def labels(self) -> Any:
        """What is learned from each file: class indices, or the columns of the table."""
        if self.class_mode == "multi_output":
            return self._targets
        return self._targets[0] if self.class_mode == "raw" else self.classes

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """Return x, (x, y) or (x, y, weights)."""
        batch = super().batch_of(x, rows)
        if self.class_mode is None or self.sample_weight is None:
            return batch
        return (*batch, self.sample_weight[rows])

    def labels_of(self, rows: np.ndarray) -> Any:
        """Return y of the images with the indices `rows`."""
        y = [target[rows] for target in self._targets]
        return y if self.class_mode == "multi_output" else y[0]

    def _report(self, bad_files: Any) -> None:
        kind = "validated" if self._validated else "non-validated"
        classed = self.class_mode not in WITHOUT_CLASSES
        classes = f" belonging to {self.num_classes} classes" if classed else ""
        say(f"Found {self.n} {kind} image filenames{classes}.")


def batches_of_table(
    dataframe: Any,
    directory: PathLike | None,
    x_col: str,
    y_col: str | Sequence[str],
    weight_col: str | None,
    classes: Sequence[str] | None,
    class_mode: str | None,
    *,
    validate_filenames: bool = True,
    split: float = 0.0,
    subset: str | None = None,
    **options: Any,
) -> DataFrameBatches:
    """Return the batches of a table; see `ImageDataGenerator.flow_from_dataframe`."""
    if class_mode not in DataFrameBatches.allowed_class_modes:
        raise ArgumentError(
            f"class_mode must be one of {DataFrameBatches.allowed_class_modes}; got {class_mode!r}"
        )
    table = _read(dataframe, directory, x_col, _columns(y_col, class_mode), weight_col)
    if validate_filenames:
        table = _with_files(table, x_col)
    names: list[str] = []
    if class_mode not in WITHOUT_CLASSES:
        table, names = _with_classes(table, classes, y_col)
    elif classes:
        warnings.warn(f"class_mode={class_mode!r} has no classes; they are ignored", stacklevel=4)
    if subset is not None:
        rows = subset_rows(len(table.paths), split, subset)
        check_filled(rows.stop - rows.start, subset, len(table.paths), split)
        table = table.pick(range(rows.start, rows.stop))
    if not table.paths:
        raise ArgumentError(f"the column {quoted(x_col)} names no image that is there")
    single, targets = _targets(table, names, class_mode)
    root = Path("" if directory is None else directory)
    return DataFrameBatches(
        ImageList(table.paths, single, names, root),
        targets,
        table.weights,
        validated=validate_filenames,
        class_mode=class_mode,
        **options,
    )


def _columns(y_col: str | Sequence[str], class_mode: str | None) -> list[str]:
    """Return the names of the columns that are learned."""
    if class_mode in ("input", None):
        return []
    if class_mode == "multi_output" and not isinstance(y_col, (list, tuple)):
        raise DTypeError(f'class_mode="multi_output" needs a list of columns; got y_col={y_col!r}')
    if class_mode not in ("multi_output", "raw") and not isinstance(y_col, str):
        raise DTypeError(f"class_mode={class_mode!r} needs one column; got y_col={y_col!r}")
    return [y_col] if isinstance(y_col, str) else list(y_col)


def _read(
    dataframe: Any, directory: PathLike | None, x_col: str, y_cols: list[str], weight: str | None
) -> Table:
    """Read columns of a table: of a data frame of pandas, or of anything that has `table[name]`."""
    names = _column(dataframe, x_col)
    if not all(isinstance(name, str) for name in names):
        raise DTypeError(f"the column {quoted(x_col)} must hold file names, strings")
    folder = Path("" if directory is None else directory)
    weights = None if weight is None else np.array(_column(dataframe, weight))
    if weights is not None and weights.dtype.kind not in "uif":
        raise DTypeError(f"the column {quoted(weight)} must hold numbers; got {weights.dtype}")
    columns = [_column(dataframe, name) for name in y_cols]
    return Table([folder / name for name in names], columns, weights)


def _column(dataframe: Any, name: str) -> list[Any]:
    try:
        return list(dataframe[name])
    except (KeyError, TypeError, IndexError) as error:
        there = few_of(list(getattr(dataframe, "columns", dataframe)))
        raise ArgumentError(f"the table has no column {quoted(name)}; it has: {there}") from error


def _with_files(table: Table, x_col: str) -> Table:
    """Return the rows whose files are there and have the extension of an image."""
    found = [i for i, path in enumerate(table.paths) if is_image(path) and os.path.isfile(path)]
    missing = len(table.paths) - len(found)
    if missing:
        first = next(path for i, path in enumerate(table.paths) if i not in set(found))
        warnings.warn(
            f"{missing} of {len(table.paths)} files in the column {quoted(x_col)} are not there or "
            f"are no images, and are left out; the first one is {quoted(str(first))}",
            stacklevel=5,
        )
    return table.pick(found)


def _with_classes(
    table: Table, classes: Sequence[str] | None, y_col: Any
) -> tuple[Table, list[str]]:
    """Return the rows that have a class, and the names of the classes in their order."""
    rows = [_labels_of(value, y_col) for value in table.targets[0]]
    if classes is None or len(classes) == 0:
        return table, sorted({name for row in rows for name in row})
    names = list(dict.fromkeys(classes))
    kept = [[name for name in row if name in names] for row in rows]
    values = [v if isinstance(v, str) else k for v, k in zip(table.targets[0], kept, strict=True)]
    left = table._replace(targets=[values])
    return left.pick(i for i, row in enumerate(kept) if row), names


def _labels_of(value: Any, y_col: Any) -> list[str]:
    """Return the class names of a row: one, or a list of them."""
    names = list(value) if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(name, str) for name in names):
        raise DTypeError(
            f"the column {quoted(y_col)} must hold class names, strings, or lists of them; got "
            f"{quoted(value, 60)}. Write df[{y_col!r}].astype(str), or use class_mode='raw' for "
            "numbers"
        )
    return names


def _targets(
    table: Table, names: list[str], class_mode: str | None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the class index of each file, and y as arrays of all files."""
    count = len(table.paths)
    if class_mode == "raw" and len(table.targets) > 1:
        return np.zeros(count, np.int64), [np.array(table.targets).T]
    if class_mode in WITHOUT_CLASSES:
        return np.zeros(count, np.int64), [np.array(column) for column in table.targets]
    rows = [_labels_of(value, "") for value in table.targets[0]]
    index = {name: i for i, name in enumerate(names)}
    if class_mode == "categorical":
        one_hot = np.zeros((count, len(names)), np.float32)
        for i, row in enumerate(rows):
            one_hot[i, [index[name] for name in row]] = 1
        return one_hot.argmax(1), [one_hot]
    if any(len(row) != 1 for row in rows):
        raise DTypeError(f'class_mode={class_mode!r} needs one class per image; "categorical" many')
    labels = np.array([index[row[0]] for row in rows], np.int64)
    return labels, [labels.astype(np.float32)]


def check_old_options(options: dict[str, Any]) -> None:
    """Accept options of older versions of Keras that change nothing now, with a warning."""
    old = [name for name in ("has_ext", "drop_duplicates", "sort") if options.pop(name, None)]
    if old:
        warnings.warn(f"flow_from_dataframe: {', '.join(old)} have no effect", stacklevel=3)
    if options:
        raise DTypeError(f"flow_from_dataframe has no argument {next(iter(options))!r}")
