"""How pip builds minicnn: scikit-build-core, and two decisions of our own.

A Python that is too old is refused before anything is compiled. Without a working C++ compiler the
install still succeeds, with the NumPy engine alone: the wheel's name says so, and so does the first
`import minicnn`.

Any Python may run this file, so it is written for old ones as well.
"""

import sys

OLDEST = (3, 11)  # as `requires-python` in pyproject.toml

if sys.version_info < OLDEST:
    found, wanted = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
    sys.exit(
        f"minicnn needs Python {wanted} or later; this is Python {found}, {sys.executable}. "
        "Make an environment with a newer one, for instance: python3.12 -m venv .venv"
    )

from scikit_build_core import build  # noqa: E402
from scikit_build_core.build import *  # noqa: E402, F403 (every hook that is not below)

NUMPY_ALONE = {
    "wheel.cmake": "false",
    "wheel.platlib": "false",
    "wheel.build-tag": "0_without_the_cpp_engine",
}
NOT_BUILT = """
minicnn's C++ engine was NOT built: the reason is above. The NumPy engine is installed.
Install a C++17 compiler (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS:
xcode-select --install) and run: python -m pip install --force-reinstall --no-deps -v .
"""


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel with the C++ engine, or else without."""
    return _build(build.build_wheel, wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """The same for an install in place."""
    return _build(build.build_editable, wheel_directory, config_settings, metadata_directory)


def _build(hook, wheel_directory, config_settings, metadata_directory):
    try:
        return hook(wheel_directory, config_settings, metadata_directory)
    except SystemExit as ended:  # CMake or the compiler failed, and has said why
        if ended.code != 1:
            raise
    # The metadata that was prepared has the tags of a compiled wheel, so it is made anew.
    name = hook(wheel_directory, {**(config_settings or {}), **NUMPY_ALONE}, None)
    print(NOT_BUILT)
    return name
