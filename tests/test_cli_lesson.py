"""`minicnn lesson` as a student uses it: the file, the check, and code that goes wrong."""

from __future__ import annotations

import json

import pytest

from minicnn.apps.cli import main
from minicnn.apps.lessons.catalog import LESSONS

RIGHT = """
    print("scores:", z.shape)
    powers = np.exp(z - z.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
"""
# What a student writes as the body of softmax(z), and what the check says about it.
WRONG = {
    "not written": ("    raise NotImplementedError\n", "The function is not written yet"),
    "nothing is returned": ("    p = z\n", "Does it end with `return p`?"),
    "an exception": (
        "    return z[0, 100]\n",
        "Your code raised IndexError: index 100 is out of bounds for axis 1 with size 3\n"
        "    This is line 18:\n        return z[0, 100]",
    ),
    "an exception without a message": ("    raise ValueError\n", "ValueError: (without a message)"),
    "the end of the program": ("    exit()\n", "Your code ended the program with SystemExit."),
    "a size that is a fraction": (
        "    return np.zeros((4 / 2, 3))\n",
        "cannot be interpreted as an integer (a size or index must be a whole number: write // "
        "in place of /)\n    This is line 18",
    ),
    "an index that is a fraction": (
        "    return z[: len(z) / 1]\n",
        "write // in place of /)\n    This is line 18",
    ),
    "an abrupt end": ("    import os\n    os._exit(0)\n", "with exit code 0 before the function"),
    "a crash": ("    import os\n    os.abort()\n", "Your code crashed Python itself (SIGABRT)"),
    "no end": (
        "    while True:\n        p = z\n",
        "Your function had not returned anything after 2 s. Is there a loop that never ends?\n"
        "    This is line 1",
    ),
    "a question": ("    input()\n", "Your code raised EOFError"),
    "a changed argument": ("    z -= z.max()\n    return z\n", "changed its argument z, which"),
    "another shape": ("    return z.sum(1)\n", "The result has shape (2,) instead of (2, 3)."),
    "overflow": (
        "    with np.errstate(all='ignore'):\n"
        "        return np.exp(z) / np.exp(z).sum(1, keepdims=True)\n",
        "e to the power of 1000 is too large",
    ),
}


@pytest.fixture
def begun(tmp_path, monkeypatch, capfd):
    """The file of an exercise, in a folder of its own with us in it; the name has a space."""
    (tmp_path / "my exercises").mkdir()
    monkeypatch.chdir(tmp_path / "my exercises")
    assert main.run(["lesson", "softmax"]) == 0
    capfd.readouterr()
    return tmp_path / "my exercises" / "softmax.py"


def write(file, body):
    head = file.read_text().rpartition("    raise")[0]
    file.write_text(head + body.lstrip("\n"))


def check(*words):
    return main.run(["lesson", "check", *words])


def test_the_list_names_every_lesson_and_its_state(begun, capfd):
    assert main.run(["lesson"]) == 0
    out, err = capfd.readouterr()
    lines = {line.split("  ")[-2].strip(): line for line in out.splitlines() if "begun" in line}
    assert len(out.splitlines()) == len(LESSONS) + 1 and len(lines) == 1
    assert f"0 of {len(LESSONS)} passed" in err


def test_the_list_as_json(begun, capfd):
    assert main.run(["lesson", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)["lessons"]
    assert [row["lesson"] for row in rows] == list(LESSONS)
    assert [row["lesson"] for row in rows if row["state"]] == ["softmax"]


def test_a_file_is_not_overwritten(begun, capfd):
    begun.write_text("my work")
    assert main.run(["lesson", "softmax"]) == 1
    said = capfd.readouterr().err
    assert "softmax.py: exists already; check it: minicnn lesson check softmax. --force" in said
    assert begun.read_text() == "my work"
    assert main.run(["lesson", "softmax", "--force"]) == 0
    assert "def softmax" in begun.read_text()


def test_a_right_answer_passes_and_is_raced(begun, capfd):
    write(begun, RIGHT)
    assert check("softmax") == 0
    out, err = capfd.readouterr()
    assert out.startswith("softmax: right, all 4 cases.\nThe race, ten thousand images (z (10000,")
    assert "yours" in out and "our NumPy reference" in out
    assert "scores: (2, 3)" in err  # what the function prints goes through
    main.run(["lesson"])
    assert f"1 of {len(LESSONS)} passed" in capfd.readouterr().err


def test_the_check_as_json(begun, capfd):
    write(begun, RIGHT)
    assert check("softmax.py", "--json") == 0
    fields = json.loads(capfd.readouterr().out)
    assert fields["passed"] and fields["right"] == fields["cases"] == 4
    assert fields["seconds"]["yours"] > 0 and "numpy" in fields["seconds"]


@pytest.mark.parametrize(("body", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_words(begun, capfd, body, words):
    write(begun, body)
    assert check("softmax", "--seconds", "2" if "while" in body else "30") == 1
    out = capfd.readouterr().out
    assert out.startswith("softmax: not right yet. ") and words in out, out


def test_a_file_that_python_cannot_read(begun, capfd):
    begun.write_text("def softmax(z):\n    return z +\n")
    assert check("softmax") == 1
    out = capfd.readouterr().out
    assert "Python cannot read line 2 of softmax.py: invalid syntax.\n        return z +" in out
    assert "Case" not in out


def test_a_file_without_the_function(begun, capfd):
    begun.write_text("def sofmax(z):\n    return z\n")
    assert check("softmax") == 1
    out = capfd.readouterr().out
    assert "There is no function softmax in softmax.py. It has the function sofmax." in out


def test_a_file_without_any_function(begun, capfd):
    begun.write_text("from math import exp\n")
    assert check("softmax") == 1
    assert "There is no function softmax in softmax.py.\n" in capfd.readouterr().out


@pytest.mark.parametrize("arguments", ["scores", "z, axis", ""])
def test_a_function_with_other_arguments(begun, capfd, arguments):
    begun.write_text(f"def softmax({arguments}):\n    return 1\n")
    assert check("softmax") == 1
    words = f"softmax must take the arguments (z), by these names; yours takes ({arguments})."
    assert words in capfd.readouterr().out


@pytest.mark.parametrize("arguments", ["z, axis=1", "*, z", "**arrays", "z: 'np.ndarray'"])
def test_a_function_that_can_be_called_as_well(begun, capfd, arguments):
    begun.write_text(f"def softmax({arguments}):\n    return 1\n")
    assert check("softmax") == 1
    assert "The result has shape () instead of (2, 3)." in capfd.readouterr().out


def test_a_file_beside_it_does_not_replace_a_module(begun, capfd):
    (begun.parent / "json.py").write_text("raise SystemExit")
    (begun.parent / "helper.py").write_text("def power(z):\n    return 2.718281828459045**z\n")
    write(
        begun,
        RIGHT.replace("np.exp(", "helper.power(").replace(
            "    print", "    import helper\n    print"
        ),
    )
    assert check("softmax") == 0


def test_an_error_in_the_race_is_named(begun, capfd):
    write(begun, RIGHT.replace("    print", "    if len(z) > 100: raise MemoryError\n    print"))
    assert check("softmax") == 1
    out = capfd.readouterr().out
    assert "4 of 4 cases are right.\nThe race, ten thousand images: z (10000, 10)\n" in out
    assert "Your code raised MemoryError" in out


def test_passing_counts_even_if_it_cannot_be_remembered(begun, capfd):
    (begun.parent / ".minicnn-lessons.json").mkdir()
    write(begun, RIGHT)
    assert check("softmax") == 0
    assert "cannot be remembered" in capfd.readouterr().err


def test_a_race_that_takes_too_long_is_no_fault(begun, capfd):
    slow = RIGHT.replace("    print", "    while len(z) > 100: pass\n    print")
    write(begun, slow)
    assert check("softmax", "--seconds", "3") == 0
    assert "The race (ten thousand images) was not over after 3 s." in capfd.readouterr().out


def test_a_file_of_another_name(begun, capfd):
    write(begun, RIGHT)
    begun.rename(begun.with_name("mine.py"))
    assert check("softmax", "mine.py") == 0
    assert check("mine.py") == 2
    assert "minicnn lesson check NAME mine.py" in capfd.readouterr().err


def test_a_file_that_is_not_there(begun, capfd):
    assert check("conv2d") == 2
    said = capfd.readouterr().err
    assert "no file conv2d.py in this folder; write it first: minicnn lesson conv2d" in said
    assert "minicnn lesson check conv2d FOLDER/conv2d.py" in said


@pytest.mark.parametrize("words", [["softmax", "answers/softmax.py"], ["answers/softmax.py"]])
def test_a_file_that_is_not_where_it_was_said_to_be(begun, capfd, words):
    assert check(*words) == 2
    said = capfd.readouterr().err
    assert "there is no file answers/softmax.py. Is it in another folder" in said
    assert "write it first" not in said


@pytest.mark.parametrize("words", [["lesson", "sofmax"], ["lesson", "check", "sofmax"]])
def test_an_unknown_name_gets_the_nearest(begun, capfd, words):
    assert main.run(words) == 2
    assert "did you mean softmax?" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["lesson", "xyz"], ["lesson", "check", "xyz"]])
def test_a_name_like_no_other_leads_to_the_list(begun, capfd, words):
    assert main.run(words) == 2
    assert "no lesson 'xyz'; all are listed by: minicnn lesson\n" in capfd.readouterr().err


def test_the_solution_is_the_source_of_the_reference(capfd):
    assert main.run(["lesson", "softmax", "--solution"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("# minicnn/backends/numpy/softmax.py, line ")
    assert "def softmax_forward(x: np.ndarray)" in out
