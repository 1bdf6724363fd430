"""What to type to install more of minicnn, and where the C++ part is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from minicnn import installed
from minicnn.backends import core
from minicnn.errors import MissingExtraError

ROOT = Path(installed.__file__).parent.parent
SITE = "site-packages"


def put_distribution(site, url=None, **told):
    """A folder as pip leaves it: the record of an installation from `url`."""
    folder = site / "minicnn_engine-0.1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: minicnn-engine\nVersion: 0.1.0\n"
    )
    if url is not None:
        (folder / "direct_url.json").write_text(json.dumps({"url": url, **told}))
    return folder


@pytest.fixture
def came_from(tmp_path, monkeypatch):
    """Makes minicnn one that pip installed from an address."""

    def make(url=None, **told):
        folder = put_distribution(tmp_path / SITE, url, **told)
        monkeypatch.setattr(installed, "_distribution", lambda: metadata.PathDistribution(folder))
        monkeypatch.setattr(installed, "PACKAGE", tmp_path / SITE / "minicnn")
        monkeypatch.setattr(installed, "_python", lambda: "python")

    return make


def test_from_a_source_folder(came_from, tmp_path, monkeypatch):
    clone = tmp_path / "my clone"
    clone.mkdir()
    came_from(clone.as_uri(), dir_info={})
    assert installed.install_command("plot") == f'python -m pip install "{clone}[plot]"'
    monkeypatch.chdir(clone)
    assert installed.install_command("plot") == 'python -m pip install ".[plot]"'
    assert installed.reinstall_command(explain=True) == (
        'python -m pip install --force-reinstall --no-deps -v "."'
    )


def test_in_place(came_from, tmp_path):
    came_from(tmp_path.as_uri(), dir_info={"editable": True})
    assert installed.install_command("tune") == f'python -m pip install -e "{tmp_path}[tune]"'


def test_from_a_wheel_file_that_is_there_or_gone(came_from, tmp_path):
    wheel = tmp_path / "minicnn_engine-0.1.0-cp311-cp311-linux_x86_64.whl"
    wheel.touch()
    came_from(wheel.as_uri(), archive_info={})
    assert installed.install_command("tune") == f'python -m pip install "{wheel}[tune]"'
    wheel.unlink()
    assert installed.install_command("tune") == "python -m pip install optuna matplotlib"
    assert installed.install_command("cuda") == ('python -m pip install numba "numba-cuda[cu13]"')
    assert installed.reinstall_command().endswith("PLACE, the folder or wheel file of minicnn")


def test_from_a_repository(came_from):
    came_from("https://example.org/minicnn.git", vcs_info={"vcs": "git", "commit_id": "1"})
    assert installed.install_command("plot") == (
        'python -m pip install "minicnn-engine[plot] @ git+https://example.org/minicnn.git"'
    )


@pytest.mark.parametrize("text", ["", "no json", "[]"])
def test_an_unknown_origin(came_from, text, tmp_path):
    came_from()
    (tmp_path / SITE / "minicnn_engine-0.1.0.dist-info" / "direct_url.json").write_text(text)
    assert installed.install_command("plot") == "python -m pip install matplotlib"


def test_the_python_is_named_where_the_first_one_is_another(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: "/elsewhere/bin/python")
    assert sys.executable in installed.install_command("plot")
    here = os.path.join(os.path.dirname(sys.executable), "python")
    monkeypatch.setattr(shutil, "which", lambda _: here)
    assert installed.install_command("plot").startswith("python -m pip install ")


def test_extras_are_those_of_the_project_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra, packages in installed.EXTRAS.items():
        wanted = {line.split(">=")[0] for line in project["optional-dependencies"][extra]}
        assert set(packages.values()) == wanted, extra
    assert project["name"] == installed.NAME


def test_the_error_says_what_and_how():
    error = installed.missing_extra("plotting needs matplotlib", "plot")
    assert isinstance(error, MissingExtraError)
    assert str(error).startswith("plotting needs matplotlib. Install it with: ")
    assert "[plot]" in str(error) and len(str(error)) <= 300


# A plain `pip install .`, and then Python in the source folder.


@pytest.fixture
def clone(tmp_path):
    """A source folder without a compiled part, and beside it an installed package with one."""
    compiled = pytest.importorskip("minicnn._core").__file__
    no_binaries = shutil.ignore_patterns("_core*", "__pycache__", "*.xz")
    shutil.copytree(ROOT / "minicnn", tmp_path / "clone" / "minicnn", ignore=no_binaries)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "clone")
    site = tmp_path / SITE
    shutil.copytree(ROOT / "minicnn", site / "minicnn", ignore=no_binaries)
    shutil.copy(compiled, site / "minicnn")
    put_distribution(site, (tmp_path / "clone").as_uri(), dir_info={})
    return tmp_path / "clone"


def python_in(clone, code):
    """What Python says that was started there, where the installed package comes second.

    The minicnn of these tests, which may be installed in place, is kept out by -S.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MINICNN")}
    folders = [clone, clone.parent / SITE, *map(sysconfig.get_path, ("purelib", "platlib"))]
    environment["PYTHONPATH"] = os.pathsep.join(map(str, folders))
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=clone, env=environment,
                          check=False, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


ENGINE = "import minicnn; print(minicnn.current_backend(), minicnn.__file__)"


def test_the_source_folder_uses_the_installed_part_of_the_same_version(clone):
    out, err = python_in(clone, ENGINE)
    assert out == f"native {clone / 'minicnn' / '__init__.py'}" and err == ""


@pytest.mark.parametrize("file", ["version.py", "contracts.py", "backends/native/program.py"])
def test_a_part_of_another_version_is_not_used_and_the_reason_is_true(clone, file):
    with (clone.parent / SITE / "minicnn" / file).open("a") as text:
        text.write("# older\n")
    out, err = python_in(clone, ENGINE)
    assert out.startswith("numpy ")
    assert f"this is minicnn's source folder, {clone}, and the minicnn that is installed" in err
    assert "in another folder, or type: " in err and '-m pip install -e "."' in err
    assert "could not be built" not in err and "g++" not in err


def test_a_source_folder_that_was_never_installed(clone, monkeypatch):
    monkeypatch.setattr(installed, "PACKAGE", clone / "minicnn")
    monkeypatch.setattr(installed, "_distribution", lambda: None)
    assert "minicnn is not installed in this Python" in core.missing()
    assert f'-m pip install -e "{clone}"' in core.missing()


def test_an_installation_whose_build_failed(clone, monkeypatch):
    site = clone.parent / SITE
    (file,) = (site / "minicnn").glob("_core*")
    file.unlink()
    out, err = python_in(clone, ENGINE)
    assert out.startswith("numpy ")
    assert "its C++ part could not be built" in err and "apt install g++" in err
