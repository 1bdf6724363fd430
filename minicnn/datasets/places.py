"""The folders in which data sets are looked for if no path is given."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from minicnn.support import environment

# Where to get a data set that is not there, for the message of the error.
ADVICE = "Nothing is downloaded: save it there, or name its folder by load_data(path)"


def default_folder() -> Path:
    """Return the folder of all data sets: the one that MINICNN_DATA names, or else `data`."""
    return Path(environment.value_of("MINICNN_DATA") or "data")


def folders() -> list[Path]:
    """Return the folders: that of MINICNN_DATA, and Keras's, which may hold earlier downloads."""
    named = environment.value_of("MINICNN_DATA")
    places = [] if named is None else [Path(named)]
    return [*places, Path.home() / ".keras" / "datasets"]


def find(
    path: Path | None, names: Sequence[str], holds: Callable[[Path], bool], what: str, wanted: str
) -> Path:
    """Return the place of a data set: `path` or one of the usual folders, or below it by a name.

    Parameters
    ----------
    path : where to look; default: in `folders()`, and under one of `names` in the folder `data`
    names : under which it may lie in a folder of data sets
    holds : returns whether it is at a place
    what : its name, for the error
    wanted : the files that are needed, for the error

    Raises
    ------
    FileNotFoundError : it is in none of these places
    """
    places = folders() if path is None else [path]
    candidates = [one for place in places for one in (place, *(place / name for name in names))]
    if path is None:  # not `data` itself, which may be that of another program
        candidates += [default_folder() / name for name in names]
    for candidate in candidates:
        if holds(candidate):
            return candidate
    where = "give its path, load_data(path), or set MINICNN_DATA" if path is None else "not here"
    raise FileNotFoundError(
        errno.ENOENT, f"no {what}: {where}; needed are {wanted}. {ADVICE}", str(places[0])
    )
