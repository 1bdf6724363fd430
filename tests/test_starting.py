"""Ctrl-C at any moment of the command gives one line, exit code 130 and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from minicnn.startup import INTERRUPTED, is_command

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")

# Sends the process SIGINT when Python begins to import a certain module.
HOOK = """
import os, signal, sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["PRESS_AT"]:
            os.environ["PRESS_AT"] = ""
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):  # a signal is taken between two instructions
                pass
sys.meta_path.insert(0, Pressed())
"""


def pressed_at(tmp_path, module, *command):
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")]), os.getcwd()]
    environment = os.environ | {"PRESS_AT": module, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip


@pytest.mark.parametrize("module", [
    "minicnn.callbacks", "numpy", "minicnn.backends.native", "minicnn.apps.cli.main",
    "minicnn.apps.cli.command", "minicnn.apps.cli.version",
])  # fmt: skip
def test_while_importing(tmp_path, module):
    done = pressed_at(tmp_path, module, "-m", "minicnn", "version")
    assert (done.returncode, done.stdout) == (INTERRUPTED, "")
    assert done.stderr.strip() == "Interrupted."


def test_the_script_too(tmp_path):
    script = tmp_path / "minicnn"
    script.write_text("import sys\nfrom minicnn.apps.cli.main import main\nsys.exit(main())\n")
    done = pressed_at(tmp_path, "minicnn.layers", str(script), "version")
    assert (done.returncode, done.stderr.strip()) == (INTERRUPTED, "Interrupted.")


def test_a_program_that_imports_minicnn_decides_itself(tmp_path):
    code = "try:\n    import minicnn\nexcept KeyboardInterrupt:\n    print('mine')"
    done = pressed_at(tmp_path, "minicnn.layers", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine\n", "")


def test_ignored_interrupts_stay_ignored(tmp_path):
    code = (
        "import signal, runpy, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "sys.argv = ['minicnn', '--version']; import minicnn;"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    )
    done = pressed_at(tmp_path, "minicnn.layers", "-c", code)
    assert (done.returncode, done.stdout) == (0, "True\n")


def test_at_the_end_the_result_counts(tmp_path):
    """Pressed when the work is done: the exit code stays what it was."""
    code = (
        "import atexit, os, signal; from minicnn.apps.cli import main;"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT));"
        "import sys; sys.argv = ['minicnn', '--version']; main.main()"
    )
    done = pressed_at(tmp_path, "nothing", "-c", code)
    assert done.returncode == 0 and done.stderr == ""


COMMANDS = {
    "the script": (["/home/me/bin/minicnn"], ["python", "/home/me/bin/minicnn"], True),
    "Windows": (["C:\\bin\\minicnn.exe"], ["C:\\bin\\minicnn.exe"], os.name == "nt"),
    "python -m": (["-m", "train"], ["python", "-X", "dev", "-m", "minicnn", "train"], True),
    "another module": (["-m"], ["python", "-m", "pytest"], False),
    "a program": (["train.py"], ["python", "train.py"], False),
    "python -c": (["-c"], ["python", "-c", "import minicnn"], False),
    "no name": ([], [], False),
}


@pytest.mark.parametrize(("argv", "original", "answer"), COMMANDS.values(), ids=COMMANDS)
def test_is_it_the_command(argv, original, answer):
    assert is_command(argv, original) == answer


def test_a_reader_that_has_enough_is_no_error():
    """The same happens in `minicnn --help | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "minicnn", "version"], stdout=writing,
                          stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
