"""The command line: what is printed where, and with which exit code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import click
import pytest

import minicnn as mc
from minicnn import backends, random
from minicnn.apps.cli import exit_codes, main, output
from minicnn.apps.cli.command import Command, add_common_options, cli_command
from minicnn.apps.runs.networks import NETWORKS
from minicnn.errors import ShapeError


@pytest.fixture(autouse=True)
def settings_as_before():
    """Options act on the whole process."""
    threads, engine = mc.config.get_threads(), backends.current_backend()
    yield
    mc.config.set_threads(threads)
    backends.set_backend(engine)
    output.be_quiet(False)


@pytest.fixture
def told(monkeypatch):
    """Makes `minicnn told` a command that runs the given function."""

    def make(function):
        command = cli_command("minicnn told", "minicnn told --quiet")(function)
        monkeypatch.setattr(main.LazyCommands, "get_command", lambda *_: command)
        add_common_options(command)

    return make


def raising(error):
    def command():
        """Raise the error of the test."""
        raise error

    return command


ENDINGS = {
    "a mistake in an argument": (
        ShapeError("conv2d would produce size 0"),
        1,
        "ShapeError: conv2d",
    ),
    "a file that is not there": (FileNotFoundError(2, "No such file", "a b"), 1, "a b: No such"),
    "bad data found": (exit_codes.BadDataFound("3 of 10 files"), 3, "BadDataFound: 3 of 10"),
    "a goal not reached": (exit_codes.GoalNotReached("0.98 < 0.99"), 4, "GoalNotReached: 0.98"),
    "no memory": (MemoryError("5.2 GB"), 1, "MemoryError: 5.2 GB"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "Interrupted"),
}


@pytest.mark.parametrize(("error", "code", "text"), ENDINGS.values(), ids=ENDINGS)
def test_errors_are_one_line_and_a_code(told, capsys, error, code, text):
    told(raising(error))
    assert main.run(["told"]) == code
    out, err = capsys.readouterr()
    assert out == "" and text in err and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_debug_shows_the_stack(told):
    told(raising(ShapeError("here")))
    with pytest.raises(ShapeError, match="here"):
        main.run(["told", "--debug"])


def test_a_bug_keeps_its_stack(told):
    told(raising(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError):
        main.run(["told"])


WRONG = {
    "an unknown command": (["sumary"], "did you mean summary"),
    "an unknown option": (["summary", "--stile", "plain", "x"], "--style"),
    "a missing argument": (["summary"], "Missing argument"),
    "an unknown engine": (["devices", "--backend", "gpu"], "backend must be one of"),
    "no threads": (["devices", "--threads", "0"], "--threads"),
}


@pytest.mark.parametrize(("args", "text"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_code_2_and_says_what_is_near(capsys, args, text):
    assert main.run(args) == 2
    assert text in capsys.readouterr().err


def test_help_lists_every_command_and_imports_none():
    script = (
        "import sys; from minicnn.apps.cli.main import run; run(['--help']); "
        "assert not [m for m in sys.modules if m.startswith('minicnn.apps.cli.sum')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Examples:")
    assert all(re.search(rf"^  {name} ", done.stdout, re.MULTILINE) for name in main.COMMANDS)


def every_command(name, command):
    """(words to type, command) of a command and of its subcommands."""
    yield [name], command
    if isinstance(command, click.Group):
        for word, one in command.commands.items():
            yield [name, word], one


ALL = [
    pair for name, each in main.COMMANDS.items() for pair in every_command(name, main.load(each))
]
commands = pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(w) for w, _ in ALL])


@commands
def test_help_begins_with_two_examples(capsys, words, command):
    assert main.run([*words, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Examples:"
    assert all(
        line.startswith(f"  minicnn {' '.join(words)} ")
        or line.strip() == " ".join(["minicnn", *words])
        for line in lines[1:3]
    )
    assert command.help


@commands
def test_examples_are_lines_that_the_command_understands(words, command):
    if isinstance(command, click.Group):
        return  # its examples are those of its commands
    assert isinstance(command, Command)
    for line in command.examples:
        args = shlex.split(line)[1 + len(words) :]
        command.make_context(" ".join(words), args, resilient_parsing=False).close()


def test_common_options_act(told, capsys):
    seen = {}

    def command():
        """Record the seed and the number of threads."""
        seen.update(seed=random.seed(), threads=mc.config.get_threads())
        output.note("working")
        output.result("done")

    told(command)
    assert main.run(["told", "--seed", "7", "--threads", "1", "--quiet"]) == 0
    assert capsys.readouterr() == ("done\n", "")
    assert seen["seed"] == 7
    assert seen["threads"] == 1
    assert main.run(["told", "--seed", "0"]) == 0
    assert capsys.readouterr() == ("done\n", "working\n")  # quiet was for that call alone
    assert seen["seed"] == 0


def test_a_command_may_have_a_common_option_of_its_own(told):
    @click.option("--seed", default=777)
    def command(seed):
        """Record its own seed."""
        seen.append(seed)

    seen = []
    told(command)
    assert main.run(["told"]) == 0
    assert seen == [777]


@pytest.mark.parametrize("name", ["devices", "version", "device_query"])
def test_json_is_one_object_with_a_schema(capsys, name):
    assert main.run([name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == output.SCHEMA
    assert "numpy" in found["backends"]


def test_devices_and_version_for_the_eye(capsys):
    assert main.run(["devices"]) == main.run(["version"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^\w+ +current ", out, re.MULTILINE)
    assert re.search(rf"minicnn +{re.escape(mc.__version__)}", out)


def test_summary_of_a_model_file(tmp_path, capsys):
    model = mc.Sequential([mc.Input((4,)), mc.layers.Dense(3)])
    path = tmp_path / "my model.mcnn"
    model.save(path)
    assert main.run(["summary", str(path)]) == 0
    assert "Total params: 15" in capsys.readouterr().out
    assert main.run(["summary", str(tmp_path / "none.mcnn")]) == 1
    assert "FileNotFoundError" in capsys.readouterr().err


def test_summary_of_a_network_of_the_zoo(capsys):
    assert main.run(["summary", "lenet"]) == 0
    assert "Total params: 431,080" in capsys.readouterr().out
    assert main.run(["summary", "lenett"]) == 1
    assert "did you mean lenet?" in capsys.readouterr().err


def test_python_dash_m():
    done = subprocess.run(
        [sys.executable, "-m", "minicnn", "--version"], capture_output=True, text=True, check=True
    )
    assert mc.__version__ in done.stdout


def test_models_describes_every_choice_of_model(capsys):
    assert main.run(["models"]) == 0
    out = capsys.readouterr().out
    assert main.run(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert [row["name"] for row in rows] == list(NETWORKS)
    assert all(f"\n{name} " in out for name in NETWORKS)
    lenet = rows[0]
    assert (lenet["height"], lenet["color_mode"], lenet["classes"]) == (28, "grayscale", 10)
    assert main.run(["train", "--model", "sceen", "--data", "x"]) == 2
    assert main.run(["train", "--model", "scene", "--data", "x", "--learning-rate", "-1"]) == 2


WIDE = [
    ["numpy", "softmax_sparse_categorical_crossentropy_forward", "4.3e-08"],
    ["native", "", "1"],
]


@pytest.mark.parametrize("width", [79, 40, 30, 10])
def test_tables_fold_to_the_terminal_and_lose_nothing(width):
    text = output.table(["engine", "kernel", "error"], WIDE, width)
    lines = text.splitlines()
    least = 6 + 2 + output.NARROWEST + 2 + 7  # no column of words is folded further
    assert max(map(len, lines)) <= max(width, least)
    column = text.splitlines()[0].index("kernel")
    parts = [line[column:].split("  ")[0].strip() for line in lines[1:]]
    assert "".join(parts) == WIDE[0][1]


def test_tables_in_files_are_not_folded(monkeypatch):
    assert len(output.table(["engine", "kernel", "error"], WIDE).splitlines()) == 3
    monkeypatch.setattr(sys, "stdout", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, output.table(["engine", "kernel", "error"], WIDE).splitlines())) <= 50


def test_programs_fold_to_the_terminal(monkeypatch):
    model = mc.zoo.lenet()
    wide = str(model.program(2))
    assert max(map(len, wide.splitlines())) > 100
    monkeypatch.setattr(sys, "stdout", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setenv("COLUMNS", "80")
    narrow = str(model.program(2))
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.split() == wide.split()
