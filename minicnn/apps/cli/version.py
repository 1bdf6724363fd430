"""`minicnn version`: print the versions that a bug report needs."""

from __future__ import annotations

import importlib.metadata
import platform

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.backends import backend_info
from minicnn.version import __version__

PACKAGES = (
    "numpy", "pillow", "safetensors", "rich", "click", "matplotlib", "optuna", "scikit-learn",
    "scikit-image",
)  # fmt: skip


@cli_command("minicnn version", "minicnn version --json")
@options.as_json()
def command(as_json: bool) -> None:
    """Print the versions of minicnn, of Python and of the packages that minicnn uses."""
    versions = {"minicnn": __version__, "python": platform.python_version(), **_packages()}
    if as_json:
        output.print_json(versions=versions, platform=platform.platform(), backends=backend_info())
        return
    output.result(output.table(["package", "version"], versions.items()))
    output.result(f"on {platform.platform()}")


def _packages() -> dict[str, str]:
    return {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
