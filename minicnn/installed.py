"""How minicnn came onto this machine, and so what to type to install more of it.

It is on no package index: pip installs it from a source folder, a wheel file or an address, and
writes down which (PEP 610). Only a line that names that place again works.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from minicnn.errors import MissingExtraError
from minicnn.support.files import MAX_BYTES_OF_TEXT, read_whole, text_or_empty

NAME = "minicnn-engine"  # what pip calls it
PACKAGE = Path(__file__).resolve().parent

# What each extra of the project file brings, as one imports it, and what pip calls that.
EXTRAS = {
    "plot": {"matplotlib": "matplotlib"},
    "tensorboard": {"tensorboardX": "tensorboardX"},
    "tune": {"optuna": "optuna", "matplotlib": "matplotlib"},
    "classic": {"sklearn": "scikit-learn", "skimage": "scikit-image"},
    "bench": {
        "matplotlib": "matplotlib",
        "tensorflow": "tensorflow",
        "torch": "torch",
        "jax": "jax",
        "onnx": "onnx",
        "onnxruntime": "onnxruntime",
        "openvino": "openvino",
    },
    "cuda": {"numba": "numba", "numba_cuda": "numba-cuda[cu13]"},
    "cuda12": {"numba": "numba", "numba_cuda": "numba-cuda[cu12]"},
}

# The Python that speaks to the C++ part: where it is the same, so is what it may ask for.
INTERFACE = ("version.py", "contracts.py", "backends/native")


class Origin(NamedTuple):
    """Where minicnn was installed from."""

    place: str  # a folder, a file or an address; "" if nobody knows, or it is gone
    editable: bool = False


def missing_extra(what: str, extra: str) -> MissingExtraError:
    """The error to raise where an optional package is not there: "plotting needs matplotlib"."""
    return MissingExtraError(f"{what}. Install it with: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The line that installs the packages of an extra, for this minicnn and this Python."""
    return _command(_origin(), extra)


def reinstall_command(*, explain: bool = False) -> str:
    """The line that installs minicnn anew from where it came; `explain`: and shows the compiler."""
    options = ["--force-reinstall", "--no-deps", *["-v"] * explain]
    return _command(_origin(), options=options)


def in_place_command() -> str:
    """The line that makes the source folder the installed minicnn: what is changed there holds."""
    return _command(Origin(str(PACKAGE.parent), editable=True))


def source_folder() -> Path | None:
    """The source folder that this package is running from; None for an installed package."""
    project = PACKAGE.parent / "pyproject.toml"
    return project.parent if f'"{NAME}"' in text_or_empty(project) else None


def other_package() -> Path | None:
    """The folder of the minicnn that pip installed, where the one that runs is another."""
    found = _distribution()
    folder = None if found is None else Path(str(found.locate_file("minicnn")))
    return folder if folder is not None and folder.is_dir() and folder != PACKAGE else None


def core_of(package: Path) -> Path | None:
    """The compiled C++ part in an installed package; None if it has none."""
    files = (package / f"_core{ending}" for ending in importlib.machinery.EXTENSION_SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def same_interface(package: Path) -> bool:
    """Does the running Python code ask of the C++ part just what that package's code asks?"""
    return _interface(package) == _interface(PACKAGE)


def _interface(package: Path) -> dict[str, bytes]:
    """{name: content} of the files that speak to the C++ part."""
    files: list[Path] = []
    for name in INTERFACE:
        path = package / name
        files += sorted(path.glob("*.py")) if path.is_dir() else [path]
    return {
        str(file.relative_to(package)): read_whole(file, MAX_BYTES_OF_TEXT)
        for file in files
        if file.is_file()
    }


def _origin() -> Origin:
    told = _direct_url()
    editable = bool(told.get("dir_info", {}).get("editable", False))
    folder = source_folder()
    if folder is not None:
        return Origin(str(folder), editable)
    address = str(told.get("url", ""))
    if not address.startswith("file:"):
        kind = told.get("vcs_info", {}).get("vcs", "")
        return Origin(f"{kind}+{address}" if kind else address)
    path = unquote(urlsplit(address).path)
    if os.name == "nt":
        path = path.lstrip("/")  # /C:/Users/...
    return Origin(path, editable) if os.path.exists(path) else Origin("")


def _command(origin: Origin, extra: str = "", options: list[str] | None = None) -> str:
    """As a shell reads it; double quotes are for all of them."""
    words = [_python(), "-m pip install", *(options or ()), *["-e"] * origin.editable]
    brackets = f"[{extra}]" if extra else ""
    if "://" in origin.place:
        what = f'"{NAME}{brackets} @ {origin.place}"'
    elif origin.place:
        here = os.path.realpath(origin.place) == os.path.realpath(os.curdir)
        what = f'"{"." if here else origin.place}{brackets}"'
    elif extra:
        what = " ".join(f'"{name}"' if "[" in name else name for name in EXTRAS[extra].values())
    else:
        what = "PLACE, the folder or wheel file of minicnn"
    return " ".join([*words, what])


def _python() -> str:
    """This Python, as one types it: by its path where `python` is another one."""
    found = shutil.which("python")
    here = os.path.dirname(os.path.abspath(sys.executable))
    if found is not None and os.path.dirname(os.path.abspath(found)) == here:
        return "python"
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable


def _direct_url() -> dict[str, Any]:
    """What pip wrote down about the installation: {} if it wrote nothing."""
    found = _distribution()
    text = None if found is None else found.read_text("direct_url.json")
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _distribution() -> metadata.Distribution | None:
    try:
        return metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return None
