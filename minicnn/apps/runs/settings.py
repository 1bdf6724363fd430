"""What a training is: every choice in one record, which a TOML file can hold."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minicnn.atomic import write_atomically
from minicnn.checks import nearest
from minicnn.data.unreadable import USUAL_SHARE, check_share
from minicnn.errors import ArgumentError, FormatError

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """One training from the images on the disk to the report.

    Two trainings of equal settings and data, on the same machine, end with the same bits.
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
    normalise: bool = False  # zero mean and deviation 1 in each channel of the training images
    balance: bool = False  # weigh each class's samples so that all classes count the same
    patience: int = 0  # stop after so many epochs without a better one; 0: never
    memory_mb: int = 4000  # training images that need more are read from their files every epoch
    allow_unreadable: float = USUAL_SHARE  # this share of a part's images may be left out, 0...1
    tensorboard: bool = False  # write its event files too
    optimizer: Table = field(default_factory=lambda: {"name": "adam", "learning_rate": 0.001})
    augmentation: Table = field(default_factory=dict)  # arguments of `ImageDataGenerator`
    network: Table = field(default_factory=dict)  # further arguments of the network's function

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
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise FormatError(path, f"is no TOML: {err}") from err
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
    return Settings(**{name: _checked(name, value) for name, value in table.items()})


def to_toml(settings: Settings, head: str = "") -> str:
    """The settings as a TOML file's text, below a comment."""
    lines = [f"# {line}" for line in head.splitlines()]
    tables: list[str] = []
    for name, value in dataclasses.asdict(settings).items():
        if isinstance(value, Mapping):
            if value:
                tables += ["", f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in value.items())]
        elif value is not None:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def write_toml(path: Path, settings: Settings, head: str = "") -> None:
    """Write `to_toml`'s text, whole or not at all."""
    write_atomically(path, [to_toml(settings, head).encode()])


# What a value must be, by the field's name.
_INTEGERS = {"epochs": 1, "batch_size": 1, "seed": 0, "shift": 0, "patience": 0, "memory_mb": 0}
_LISTS = {"image_size": 2, "split": 3}  # so many integers
_FLAGS = ("normalise", "balance", "tensorboard")


def _checked(name: str, value: Any) -> Any:
    if name in _INTEGERS and (not _is_int(value) or value < _INTEGERS[name]):
        raise ArgumentError(f"{name} must be an integer >= {_INTEGERS[name]}; got {value!r}")
    if name in _LISTS:
        return _integers(name, value)
    if name == "allow_unreadable":
        return check_share(value)
    if name in ("optimizer", "augmentation", "network") and not isinstance(value, Mapping):
        raise ArgumentError(f"{name} must be a table, [{name}]; got {value!r}")
    if name in _FLAGS and not isinstance(value, bool):
        raise ArgumentError(f"{name} must be true or false; got {value!r}")
    if name == "classes":
        if isinstance(value, str) or not all(isinstance(one, str) for one in value):
            raise ArgumentError(f"classes must be a list of folders' names; got {value!r}")
        return tuple(value)
    if name in ("model", "data", "name", "group_by") and not isinstance(value, str):
        raise ArgumentError(f"{name} must be a text; got {value!r}")
    return value


def _integers(name: str, value: Any) -> tuple[int, ...]:
    count = _LISTS[name]
    good = isinstance(value, (list, tuple)) and len(value) == count
    if not good or not all(_is_int(one) and one >= 0 for one in value):
        raise ArgumentError(f"{name} must be a list of {count} integers; got {value!r}")
    return tuple(value)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _toml(value: Any) -> str:
    """One value, as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return repr(value)


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
