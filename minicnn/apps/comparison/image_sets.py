"""The sets of images of a comparison, and the runs whose networks have learned from each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.published import is_published
from minicnn.apps.runs.settings import CHOICE_OF_IMAGES, Settings, from_toml
from minicnn.apps.runs.split_files import NEEDED, missing, split_files
from minicnn.errors import ArgumentError


class ImageSet(NamedTuple):
    """A set of images: its name in the tables, and the settings that choose and split them."""

    name: str
    settings: Settings
    runs: tuple[Path, ...] = ()  # run folders whose networks have learned from it

    @property
    def identity(self) -> dict[str, Any]:
        """The values that decide which images these are."""
        return {name: getattr(self.settings, name) for name in CHOICE_OF_IMAGES}


def image_sets(data: Sequence[Path], runs: Sequence[Path], **choices: Any) -> list[ImageSet]:
    """Return the sets of these folders and archives, and those of the runs.

    Parameters
    ----------
    data : folders or archives of images
    runs : run folders; a run on one of the `data` joins its set
    choices : settings for all sets, such as `seed`; None leaves the default or the run's own

    Raises
    ------
    ArgumentError : a run used other images of its set, or split them differently
    """
    of_runs = {path: from_toml(RunFolder(path).config) for path in runs}
    places = [str(path.resolve()) for path in data]
    places += [settings.data for settings in of_runs.values()]
    found: list[ImageSet] = []
    for place in dict.fromkeys(places):
        own = {path: used for path, used in of_runs.items() if used.data == place}
        default = Settings(model="photo", data=place)
        settings = next(iter(own.values()), default).changed(**choices)
        _check_same([*own.values(), settings], own)
        name = _unused(_name(settings), [one.name for one in found])
        found.append(ImageSet(name, settings, tuple(own)))
    return found


def _check_same(settings: Sequence[Settings], runs: Iterable[Path]) -> None:
    first, *others = settings
    for other in others:
        for name in CHOICE_OF_IMAGES:
            if getattr(other, name) != getattr(first, name):
                raise ArgumentError(
                    f"{name} is {getattr(first, name)!r} in {next(iter(runs))} and "
                    f"{getattr(other, name)!r} elsewhere; a comparison needs the same test images "
                    "for all methods"
                )


def _name(settings: Settings) -> str:
    """Return the name of a folder or an archive without its extensions, or of LeNet's digits."""
    if not settings.data:
        return "mnist"
    path = Path(settings.data)
    return path.name if path.is_dir() else path.name.split(".")[0]


def _unused(name: str, used: Sequence[str]) -> str:
    """Return the name, with a number if another set has it.

    >>> _unused("photos", ["photos", "photos-2"])
    'photos-3'
    """
    numbered = (name if i == 1 else f"{name}-{i}" for i in range(1, len(used) + 2))
    return next(one for one in numbered if one not in used)


def check_images(image_set: ImageSet) -> None:
    """Raise an error at once if the set's images are not there, before others are compared."""
    path = Path(image_set.settings.data)
    if image_set.settings.data and not path.exists():
        raise missing(path, f"does not exist. {NEEDED}")
    if image_set.settings.data and not is_published(path):
        split_files(path, image_set.settings)
