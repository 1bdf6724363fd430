"""What a training is: every choice in one record, which a TOML file can hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minicnn.apps.runs.toml import Table, check_plain, read_toml, toml_comment, toml_line
from minicnn.checks import check_flag, check_int, nearest
from minicnn.data.unreadable import ALLOWED_SHARE, check_share
from minicnn.errors import ArgumentError, FormatError
from minicnn.shapes import is_int
from minicnn.support.atomic_files import write_text


@dataclass(frozen=True)
class Settings:
    """One training from the images on the disk to the report.

    Two trainings of equal settings and data, on the same machine, end with the same bits. A value
    that no training could begin with is refused (ArgumentError), so whatever is here can be
    written to a file and read again.
    """

    model: str  # a name in `networks.NETWORKS`
    data: str  # a folder or an archive: see `sources.find_images`; "" means the model's own data
    name: str = ""  # of the run; the model's, if it is empty
    epochs: int = 12
    batch_size: int = 32
    image_size: tuple[int, int] | None = None  # (H, W); None: what the network was made for
    seed: int = 777
    split: tuple[int, int, int] = (70, 20, 10)  # % to train, validate, test, if data has no parts
    group_by: str = ""  # what such a pattern finds in a file's path stays in one part
    shift: int = 0  # pixels; moves whole images, which is all that digits need
    classes: tuple[str, ...] = ()  # take these folders alone; empty: all of them
    normalize: bool = False  # zero mean and deviation 1 in each channel of the training images
    balance: bool = False  # weigh each class's samples so that all classes count the same
    patience: int = 0  # stop after so many epochs without a better one; 0: never
    memory_mb: int = 4000  # training images that need more are read from their files every epoch
    allow_unreadable: float = ALLOWED_SHARE  # this share of a part's images may be left out, 0...1
    tensorboard: bool = False  # write its event files too
    optimizer: Table = field(default_factory=lambda: {"name": "adam", "learning_rate": 0.001})
    augmentation: Table = field(default_factory=dict)  # arguments of `ImageDataGenerator`
    network: Table = field(default_factory=dict)  # further arguments of the network's function

    def __post_init__(self) -> None:
        """Check every value."""
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            object.__setattr__(self, one.name, _checked(one.name, value))

    def changed(self, **choices: Any) -> Settings:
        """The same settings but for these choices; those that are None stay."""
        given = {name: value for name, value in choices.items() if value is not None}
        return dataclasses.replace(self, **given)

    @property
    def title(self) -> str:
        """What the run folder is called."""
        return self.name or self.model


def from_toml(path: Path) -> Settings:
    """The settings in a file; what it leaves out keeps its default.

    Raises
    ------
    FormatError
        The file is no TOML, or holds something that is no setting; it says what could be meant.
    SizeLimitError, OSError
        It cannot be read.
    """
    table = read_toml(path)
    try:
        return from_table(table)
    except ArgumentError as err:
        raise FormatError(path, str(err)) from err


def from_table(table: Table) -> Settings:
    """The settings in a dictionary, as TOML gives it."""
    known = {one.name: one for one in dataclasses.fields(Settings)}
    for name in table:
        if name not in known:
            raise ArgumentError(f"{name!r} is no setting{nearest(name, known)}")
    missing = [name for name in ("model", "data") if name not in table]
    if missing:
        raise ArgumentError(f"{' and '.join(missing)} must be set; got {', '.join(table) or '{}'}")
    return Settings(**table)


def to_toml(settings: Settings, head: str = "") -> str:
    """The settings as a TOML file's text, below a comment."""
    lines, tables = toml_comment(head), []
    for name, value in dataclasses.asdict(settings).items():
        if name in _TABLES:
            if value or name == "optimizer":  # which is not empty where it is left out
                tables += ["", f"[{name}]", *(toml_line(k, v) for k, v in value.items())]
        elif value is not None:
            lines.append(toml_line(name, value))
    return "\n".join([*lines, *tables]) + "\n"


def write_toml(path: Path, settings: Settings, head: str = "") -> None:
    """Write `to_toml`'s text, whole or not at all."""
    write_text(path, to_toml(settings, head))


# What a value must be, by the field's name.
_INTEGERS = {"epochs": 1, "batch_size": 1, "seed": 0, "shift": 0, "patience": 0, "memory_mb": 0}
_LISTS = {"image_size": 2, "split": 3}  # so many integers
_FLAGS = ("normalize", "balance", "tensorboard")
_TABLES = ("optimizer", "augmentation", "network")


def _checked(name: str, value: Any) -> Any:
    """The value as the record keeps it, or ArgumentError."""
    if name == "seed":
        return _seed(value)
    if name in _INTEGERS:
        return check_int(value, name, _INTEGERS[name])
    if name in _LISTS:
        return None if value is None and name == "image_size" else _integers(name, value)
    if name == "allow_unreadable":
        return check_share(value)
    if name in _TABLES:
        if not isinstance(value, Mapping):
            raise ArgumentError(f"{name} must be a table, [{name}]; got {type(value).__name__}")
        check_plain(value, name)
        return value
    if name in _FLAGS:
        return check_flag(value, name)
    return _folders(value) if name == "classes" else _text(name, value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a text; got {type(value).__name__}")
    check_plain(value, name)
    return value


def _folders(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise ArgumentError(
            f'classes must be a list of folders\' names, ["cat", "dog"]; got {type(value).__name__}'
        )
    return tuple(_text("each name in classes", one) for one in value)


def _seed(value: Any) -> int:
    if not is_int(value) or not 0 <= value < 2**63:
        raise ArgumentError(f"seed must be an integer from 0 to 2^63 - 1; got {str(value)[:60]}")
    return int(value)


def _integers(name: str, value: Any) -> tuple[int, ...]:
    count = _LISTS[name]
    if not isinstance(value, (list, tuple)) or len(value) != count:
        raise ArgumentError(f"{name} must be a list of {count} integers; got {str(value)[:60]}")
    return tuple(check_int(one, f"each number in {name}", 0) for one in value)
