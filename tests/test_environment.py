"""Environment variables: empty and invalid ones are ignored, and none makes the import fail."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

from minicnn.support import environment

VARIABLES = {
    "MINICNN_BACKEND": "one of ['auto', 'numpy', 'native', 'cuda']",
    "MINICNN_ISA": "one of ['generic', 'avx2', 'avx512']",
    "MINICNN_NUM_THREADS": "a positive integer",
    "MINICNN_CONV_ALGORITHM": "one of ['auto', 'direct', 'winograd']",
    "MINICNN_PRECISION": "one of ['float32', 'tf32']",
}
SETTINGS = """
import minicnn as mc
from minicnn import backends
print(backends.current_backend(), backends.instruction_set(), backends.num_threads(),
      mc.config.get_conv_algorithm(), mc.config.get_precision())
"""


def imported(**variables: str) -> subprocess.CompletedProcess[str]:
    known = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    return subprocess.run(
        [sys.executable, "-c", SETTINGS],
        env={**known, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        capture_output=True,
        text=True,
    )


def test_empty_variables_are_not_set():
    unset, empty = imported(), imported(**dict.fromkeys([*VARIABLES, "OMP_NUM_THREADS"], ""))
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, unset.stdout, unset.stderr)


def test_wrong_words_are_told_with_the_choices_and_count_as_not_set():
    pytest.importorskip("minicnn._core")
    unset, wrong = imported(), imported(**dict.fromkeys(VARIABLES, "so-so"))
    assert (wrong.returncode, wrong.stdout) == (0, unset.stdout)
    for name, needed in VARIABLES.items():
        assert f"{name} must be {needed}; got 'so-so'" in wrong.stderr


def test_an_engine_that_is_not_here_is_told_and_another_one_used():
    unset = imported(NUMBA_ENABLE_CUDASIM="0")
    told = imported(MINICNN_BACKEND="cuda", NUMBA_ENABLE_CUDASIM="0")
    assert told.returncode == 0
    if told.stdout.startswith("cuda"):
        pytest.skip("this machine has a GPU")
    assert told.stdout == unset.stdout
    assert "MINICNN_BACKEND: backend 'cuda' is not available: " in told.stderr


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", "3", "12"])
def test_counts(text, monkeypatch):
    monkeypatch.setenv("SOME_COUNT", text)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        environment.check_count("SOME_COUNT")
    assert len(told) == (text not in ("", "3", "12"))


def test_words(monkeypatch):
    monkeypatch.setenv("SOME_WORD", "b")
    assert environment.choice("SOME_WORD", "a", ("a", "b")) == "b"
    monkeypatch.setenv("SOME_WORD", "")
    assert environment.choice("SOME_WORD", "a", ("a", "b")) == "a"
    monkeypatch.delenv("SOME_WORD")
    assert environment.choice("SOME_WORD", "a", ("a", "b")) == "a"
    monkeypatch.setenv("SOME_WORD", "c" * 1000)
    with pytest.warns(RuntimeWarning, match=r"must be one of \['a', 'b'\]") as told:
        assert environment.choice("SOME_WORD", "a", ("a", "b")) == "a"
    assert len(str(told[0].message)) < 300
