"""The settings of a training: one record of every choice, and its TOML file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minicnn.apps.runs.toml import Table, check_plain, read_toml, toml_comment, toml_line
from minicnn.checks import check_flag, check_int, check_number, nearest
from minicnn.data.unreadable import ALLOWED_SHARE, check_share
from minicnn.errors import ArgumentError, FormatError
from minicnn.shapes import is_int
from minicnn.support.atomic_files import write_text

# The settings that decide which images there are and which of them are test images.
CHOICE_OF_IMAGES = ("data", "seed", "split", "group_by", "classes", "images")
# Settings whose name has changed; files may still use the old one.
FORMER_NAMES = {"normalise": "normalize"}


@dataclass(frozen=True)
class Settings:
    """Every choice of one training, from its images to its report.

    Two trainings with equal settings and data end with the same bits on the same machine. Values
    are checked when the record is made (ArgumentError), so every record can be written to a file
    and read again.
    """

    model: str  # a name in `networks.NETWORKS`; with a base, the base's name
    data: str  # a folder or archive that `load_images` reads; "" means the digits of lenet
    name: str = ""  # name of the run; default: the model's name
    epochs: int = 12
    batch_size: int = 32
    image_size: tuple[int, int] | None = None  # (H, W); None: as the network was designed
    seed: int = 777
    split: tuple[int, int, int] = (70, 20, 10)  # % for training, validation, test of unsplit data
    group_by: str = ""  # regular expression; files with the same match go into the same split
    folds: int = 0  # of a cross-validation, at least 2; 0: none
    fold: int = 0  # 1...folds: a run that this fold tests; 0: all of them, one run each
    shift: int = 0  # maximum random shift in pixels, an augmentation for digits
    classes: tuple[str, ...] = ()  # the class folders to use; empty: all
    images: int = 0  # use this many training images and that share of the others; 0: all
    normalize: bool = False  # mean 0 and standard deviation 1 per channel of the training images
    balance: bool = False  # weight the classes so that all count equally
    label_smoothing: float = 0.0  # part of each label that is spread over all classes, 0...1
    patience: int = 0  # stop after this many epochs without improvement; 0: never
    base: str = ""  # a name in `bases.BASES`: a classifier of this trained network's features
    fine_tune: int = 0  # epochs in which the base's last blocks learn, after the head's `epochs`
    start: str = ""  # a run folder or model file, whose network is trained further; "": none
    keep: str = ""  # images to rehearse, of the classes that it knows; "": its run's own
    keep_per_class: int = 200  # training images of each known class that are rehearsed
    memory_mb: int = 4000  # larger training sets are read from their files in every epoch
    allow_unreadable: float = ALLOWED_SHARE  # share of a split that may be unreadable, 0...1
    shards: int = 0  # parts into which several processes cut each batch; 0: one process, whole
    tensorboard: bool = False  # also write TensorBoard's event files
    optimizer: Table = field(default_factory=lambda: {"name": "adam", "learning_rate": 0.001})
    augmentation: Table = field(default_factory=dict)  # arguments of `ImageDataGenerator`
    network: Table = field(default_factory=dict)  # further arguments of the network's function

    def __post_init__(self) -> None:
        """Check every value, and convert lists to tuples."""
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            object.__setattr__(self, one.name, _checked(one.name, value))
        _check_folds(self.folds, self.fold)

    def changed(self, **choices: Any) -> Settings:
        """Return these settings with some values replaced; None leaves a value as it is."""
        given = {name: value for name, value in choices.items() if value is not None}
        return dataclasses.replace(self, **given)

    @property
    def title(self) -> str:
        """Name of the run folder, without its number."""
        return self.name or self.model


def from_toml(path: Path) -> Settings:
    """Read settings from a TOML file; settings that it omits have their defaults.

    Raises
    ------
    FormatError
        The file is not TOML, or a name in it is not a setting; the error suggests the nearest.
    SizeLimitError, OSError
        The file is too large or cannot be read.
    """
    table = read_toml(path)
    try:
        return from_table(table)
    except ArgumentError as err:
        raise FormatError(path, str(err)) from err


def from_table(table: Table) -> Settings:
    """Return the settings in a parsed TOML file."""
    table = {FORMER_NAMES.get(name, name): value for name, value in table.items()}
    known = {one.name: one for one in dataclasses.fields(Settings)}
    for name in table:
        if name not in known:
            raise ArgumentError(f"unknown setting {name!r}{nearest(name, known)}")
    if "base" in table:
        table = {"model": table["base"], **table}
    missing = [name for name in ("model", "data") if name not in table]
    if missing:
        raise ArgumentError(f"{' and '.join(missing)} must be set; got {', '.join(table) or '{}'}")
    return Settings(**table)


def to_toml(settings: Settings, head: str = "") -> str:
    """Return the text of a TOML file with these settings, below the comment `head`."""
    lines, tables = toml_comment(head), []
    for name, value in dataclasses.asdict(settings).items():
        if name in _TABLES:
            if value or name == "optimizer":  # the default of `optimizer` is not empty
                tables += ["", f"[{name}]", *(toml_line(k, v) for k, v in value.items())]
        elif value is not None:
            lines.append(toml_line(name, value))
    return "\n".join([*lines, *tables]) + "\n"


def write_toml(path: Path, settings: Settings, head: str = "") -> None:
    """Write the settings to a TOML file, atomically."""
    write_text(path, to_toml(settings, head))


# The rule for each field: a minimum, a number of integers, a flag or a table.
_INTEGERS = {
    "epochs": 1, "batch_size": 1, "seed": 0, "shift": 0, "patience": 0, "fine_tune": 0,
    "keep_per_class": 0, "memory_mb": 0, "folds": 0, "fold": 0, "images": 0,
    "shards": 0,
}  # fmt: skip
_LISTS = {"image_size": 2, "split": 3}
_FLAGS = ("normalize", "balance", "tensorboard")
_TABLES = ("optimizer", "augmentation", "network")


def _checked(name: str, value: Any) -> Any:
    """Return the value as the record stores it; raise ArgumentError if it is not valid."""
    if name == "seed":
        return _seed(value)
    if name in _INTEGERS:
        return check_int(value, name, _INTEGERS[name])
    if name in _LISTS:
        return None if value is None and name == "image_size" else _integers(name, value)
    if name == "allow_unreadable":
        return check_share(value)
    if name == "label_smoothing":
        return check_number(value, name, 0.0, 1.0)
    if name in _TABLES:
        if not isinstance(value, Mapping):
            raise ArgumentError(f"{name} must be a table, [{name}]; got {type(value).__name__}")
        check_plain(value, name)
        return value
    if name in _FLAGS:
        return check_flag(value, name)
    return _folders(value) if name == "classes" else _string(name, value)


def _check_folds(folds: int, fold: int) -> None:
    if folds == 1:
        raise ArgumentError("folds must be 2 or more, or 0 for a single training; got 1")
    if fold > folds:
        raise ArgumentError(f"fold must be one of the folds, 1 to {folds}; got {fold}")


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a string; got {type(value).__name__}")
    check_plain(value, name)
    return value


def _folders(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise ArgumentError(
            f'classes must be a list of folder names, ["cat", "dog"]; got {type(value).__name__}'
        )
    return tuple(_string("each name in classes", one) for one in value)


def _seed(value: Any) -> int:
    if not is_int(value) or not 0 <= value < 2**63:
        raise ArgumentError(f"seed must be an integer from 0 to 2^63 - 1; got {str(value)[:60]}")
    return int(value)


def _integers(name: str, value: Any) -> tuple[int, ...]:
    count = _LISTS[name]
    if not isinstance(value, (list, tuple)) or len(value) != count:
        raise ArgumentError(f"{name} must be a list of {count} integers; got {str(value)[:60]}")
    return tuple(check_int(one, f"each value in {name}", 0) for one in value)
