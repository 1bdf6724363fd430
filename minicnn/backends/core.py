"""Finds the compiled C++ extension, `minicnn._core`, or says why there is none.

Python that is started in the source folder imports the package from there, but `pip install .` puts
the extension into the installed package. It is loaded from there if the Python code that calls it
is the same in both.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from minicnn.installed import (
    core_of,
    in_place_command,
    other_package,
    reinstall_command,
    same_interface,
    source_folder,
)

NAME = "minicnn._core"
COMPILERS = (
    "Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install"
)


def find() -> bool:
    """Return whether `minicnn._core` can be imported; it may be the installed package's."""
    if NAME in sys.modules or importlib.util.find_spec(NAME) is not None:
        return True
    package = _installed_package()
    file = None if package is None else core_of(package)
    if file is None or package is None or not same_interface(package):
        return False
    _load(file)
    return True


def missing() -> str:
    """Return why there is no extension, and what to type."""
    folder, package = source_folder(), _installed_package()
    if package is not None and core_of(package) is not None:
        return (
            f"this is minicnn's source folder, {folder}, and the minicnn that is installed in "
            f"{package.parent} is another version. Start Python in another folder, or type: "
            f"{in_place_command()}"
        )
    if folder is not None and package is None:
        return (
            f"this is minicnn's source folder, {folder}, and minicnn is not installed in this "
            f"Python. Type: {in_place_command()}"
        )
    return (
        "its C++ part could not be built when minicnn was installed. Install a C++17 compiler "
        f"({COMPILERS}), then type: {reinstall_command(explain=True)} (-v shows what it says)"
    )


def _installed_package() -> Path | None:
    """Return the installed package if the running one is the source folder, else None."""
    return other_package() if source_folder() is not None else None


def _load(file: Path) -> None:
    """Import the file as `minicnn._core`."""
    spec = importlib.util.spec_from_file_location(NAME, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a module that Python can load", name=NAME)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[NAME] = module
