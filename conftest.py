"""What all tests need before they are collected: names for docstrings, and Qt if it is there."""

import importlib.util
import os

import numpy as np
import pytest

# The tests of the window need no screen. pytest-qt ends pytest if Qt cannot be imported, so it is
# loaded here (pyproject.toml keeps pytest from loading it), and the window is left out without it.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    import pytestqt  # noqa: F401
    from PySide6 import QtTest, QtWidgets  # noqa: F401
except ImportError:
    pytest_plugins = []
    collect_ignore = ["minicnn/apps/window"]
else:
    pytest_plugins = ["pytestqt.plugin"]

# The modules of a library of pictures need Django.
if importlib.util.find_spec("django") is None:
    collect_ignore_glob = [
        "minicnn/apps/library/*", "minicnn/apps/web/*", "minicnn/apps/cli/index*.py",
        "minicnn/apps/cli/search*.py", "minicnn/apps/cli/serve*.py", "minicnn/apps/cli/explore*.py",
        "minicnn/apps/cli/web_server.py",
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def _names_in_doctests(doctest_namespace):
    doctest_namespace["np"] = np
