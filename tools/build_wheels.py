"""Build a wheel for each usual Python that this machine has, and try each in a fresh environment.

    python tools/build_wheels.py                          # wheels for 3.11, 3.12 and 3.13, in dist/
    python tools/build_wheels.py --pythons 3.13 --out /tmp/wheels

A Python that is not here is named and left out; that none is here, or that a wheel is wrong, is an
error. pip gets packages where it is told to by its own settings.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USUAL = ["3.11", "3.12", "3.13"]
# Where Pythons lie that are not on the path: pyenv's, uv's, the manylinux images', python.org's.
ELSEWHERE = (
    "~/.pyenv/versions/*/bin/python{}",
    "~/.local/share/uv/python/*/bin/python{}",
    "/opt/python/*/bin/python{}",
    "/usr/local/bin/python{}",
    "/Library/Frameworks/Python.framework/Versions/*/bin/python{}",
)
ABOUT = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2], sys.executable)"
# What a stranger does first, in a folder without the source.
TRIAL = """
import minicnn as mc, numpy as np
print(mc.__version__, mc.__file__)
assert mc.available_backends()[:2] == ["numpy", "native"], mc.backend_info()
(x, y), _ = mc.datasets.mnist.load_data()
model = mc.zoo.lenet()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x[:2000, ..., None], y[:2000], epochs=2, verbose=0)
assert history.history["accuracy"][-1] > 0.6, history.history
model.save("model.mcnn")
again = mc.load_model("model.mcnn").predict(x[:5, ..., None], verbose=0)
assert (again == model.predict(x[:5, ..., None], verbose=0)).all()
"""


class WrongWheelError(Exception):
    """The wheel is not what it should be."""


def main(arguments: list[str] | None = None) -> int:
    """0 if every Python that is here got a wheel that works."""
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    made = 0
    for version in options.pythons:
        python = find(version)
        if python is None:
            print(f"Python {version}: skipped, it is not on this machine", flush=True)
            continue
        print(f"Python {version}: {python}", flush=True)
        try:
            wheel = build(python, options.out)
            check_content(wheel)
            try_out(python, wheel)
        except (WrongWheelError, subprocess.CalledProcessError) as error:
            print(f"Python {version}: FAILED: {error}", flush=True)
            return 1
        made += 1
        print(f"Python {version}: {wheel} works", flush=True)
    if not made:
        print(f"none of the Pythons {', '.join(options.pythons)} is on this machine")
    return 0 if made else 1


def find(version: str) -> Path | None:
    """An interpreter of this version that can make virtual environments."""
    for candidate in _candidates(version):
        asked = subprocess.run([candidate, "-c", ABOUT], capture_output=True, text=True)
        if asked.returncode == 0:
            found, _, executable = asked.stdout.strip().partition(" ")
            if found == version:
                return Path(executable)
    return None


def _candidates(version: str) -> Iterator[Path]:
    """Programs that may be it; one of them may be there and refuse, as a shim of pyenv's does."""
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        if found := shutil.which(f"python{version}", path=folder):
            yield Path(found)
    for pattern in ELSEWHERE:
        path = Path(pattern.format(version)).expanduser()
        yield from sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def build(python: Path, out: Path) -> Path:
    """The wheel that this Python makes of the source, moved to `out`."""
    with tempfile.TemporaryDirectory() as folder:
        own = environment(python, Path(folder) / "venv")
        fresh = Path(folder) / "wheel"
        command = [own, "-m", "pip", "wheel", "-q", "--no-deps", "-w", fresh, ROOT]
        subprocess.run(command, check=True, cwd=folder)
        (wheel,) = fresh.glob("*.whl")
        return Path(shutil.move(wheel, out / wheel.name))


def environment(python: Path, folder: Path) -> Path:
    """The Python of a new virtual environment."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    return scripts / "python"


def check_content(wheel: Path) -> None:
    """The engine is in it, once; so are the types' marker, the digits and the licenses."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    engines = [name for name in names if name.startswith("minicnn/_core.") and "pyi" not in name]
    if len(engines) != 1:
        raise WrongWheelError(f"{wheel.name} must hold one C++ engine; it has {engines}")
    for wanted in ("minicnn/py.typed", "minicnn/_core.pyi", "licenses/LICENSE", "licenses/NOTICE"):
        if not any(name.endswith(wanted) for name in names):
            raise WrongWheelError(f"{wheel.name} lacks {wanted}")
    others = {name.partition("/")[0] for name in names if ".dist-info/" not in name} - {"minicnn"}
    if others:
        raise WrongWheelError(f"{wheel.name} would install {sorted(others)} as well")


def try_out(python: Path, wheel: Path) -> None:
    """Install it where nothing else is; import it, train, save, load, and call the command."""
    with tempfile.TemporaryDirectory() as folder:
        own = environment(python, Path(folder) / "venv")
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        for command in (
            [own, "-m", "pip", "install", "-q", wheel.resolve()],
            [own, "-W", "error", "-c", TRIAL],
            [own.with_name("minicnn"), "--version"],
            [own.with_name("minicnn"), "devices"],
        ):
            subprocess.run(command, check=True, cwd=folder, env=alone)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pythons", nargs="+", default=USUAL, help="versions, such as 3.12")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder for the wheels")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
