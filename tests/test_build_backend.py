"""What pip calls to build minicnn."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CODE = (ROOT / "tools" / "build_backend.py").read_text(encoding="utf-8")

pytest.importorskip("scikit_build_core")


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import build_backend

    yield build_backend
    del sys.modules["build_backend"]


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 8, 0)])
def test_an_old_python_is_refused_before_anything_else_is_imported(version):
    pretend = f"import sys; sys.version_info = {version}; sys.modules['scikit_build_core'] = None\n"
    result = subprocess.run([sys.executable, "-c", pretend + CODE], capture_output=True, text=True)
    assert result.returncode == 1
    found = ".".join(map(str, version[:2]))
    assert result.stderr.startswith(f"minicnn needs Python 3.11 or later; this is Python {found}, ")
    assert len(result.stderr) < 300 + len(sys.executable)


def test_the_oldest_python_is_the_one_that_is_declared(backend):
    declared = re.fullmatch(r">=(\d+)\.(\d+)", PROJECT["project"]["requires-python"])
    assert tuple(map(int, declared.groups())) == backend.OLDEST


def test_pip_can_ask_for_the_metadata_without_building(backend, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    without_a_look_for_cmake = {"wheel.cmake": "false"}
    name = backend.prepare_metadata_for_build_wheel(str(tmp_path), without_a_look_for_cmake)
    assert "Name: minicnn-engine" in (tmp_path / name / "METADATA").read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
def test_without_a_compiler_a_wheel_with_numpy_alone_is_built(backend, monkeypatch, capsys, hook):
    calls = []

    def fails_with_cmake(folder, settings, metadata):
        calls.append((settings, metadata))
        if settings.get("wheel.cmake") != "false":
            sys.exit(1)
        return "the.whl"

    monkeypatch.setattr(backend.build, hook, fails_with_cmake)
    assert getattr(backend, hook)("here", {"mine": "kept"}, "prepared") == "the.whl"
    first, second = calls
    assert first == ({"mine": "kept"}, "prepared")
    assert second == ({"mine": "kept", **backend.NUMPY_ALONE}, None)
    assert "NOT built" in capsys.readouterr().out


def test_another_end_is_handed_on(backend, monkeypatch):
    monkeypatch.setattr(backend.build, "build_wheel", lambda *_: sys.exit(7))
    with pytest.raises(SystemExit) as ended:
        backend.build_wheel("here")
    assert ended.value.code == 7
