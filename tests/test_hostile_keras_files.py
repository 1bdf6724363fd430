"""Hostile, damaged and mutated files of Keras: an error each time, and nothing else happens."""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from museum_keras import KERAS_FILES, archive, dense, legacy, sequential
from test_hostile_files import Watch, Work, check_message

import minicnn as mc
from minicnn.errors import FormatError, MiniCNNError, SizeLimitError

h5py = pytest.importorskip("h5py", reason="pip install -e '.[keras]'")

GOLDEN = Path(__file__).parent / "golden/interop/keras"
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    """Listens to Python after the late imports of a first file of each format."""
    path = tmp_path_factory.mktemp("first") / "x"
    for make in (archive(sequential(dense())), legacy(sequential(dense()))):
        path.write_bytes(make())
        mc.load_model(path)
    for make, _ in (KERAS_FILES["data-set-of-objects"], KERAS_FILES["hdf5-header-alone"]):
        path.write_bytes(make())
        with contextlib.suppress(MiniCNNError):
            mc.load_model(path)
    return Watch()


@pytest.mark.parametrize(("make", "text"), KERAS_FILES.values(), ids=KERAS_FILES.keys())
def test_the_museum_of_keras(make, text, watch, tmp_path):
    path = tmp_path / "x.keras"
    path.write_bytes(make())
    with watch.watching() as heard, Work() as work:  # noqa: SIM117
        with pytest.raises((FormatError, SizeLimitError)) as caught:
            mc.load_model(path)
    work.check(path.stat().st_size)
    check_message(caught.value, tmp_path)
    assert re.search(text, caught.value.args[0])
    for event, what in heard:
        assert event == "open", (event, what)
        assert isinstance(what, int) or Path(os.fsdecode(what)).is_relative_to(tmp_path)


OF_WEIGHTS = (
    "external-link", "external-link-to-a-group", "soft-link", "virtual-data-set",
    "external-storage", "declared-only", "hdf5-bomb", "data-set-of-texts", "data-set-of-objects",
    "data-set-of-references", "data-set-of-records", "group-inside-itself", "one-weight-too-many",
    "same-array-40-times", "layer-names-are-numbers", "layer-name-upward", "hdf5-header-alone",
    "hdf5-cut", "archive-member-upward", "archive-weights-are-text",
)  # fmt: skip


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_weights_are_refused_alike(name, watch, tmp_path):
    """Nothing is changed in the network, whose weights they would be."""
    path = tmp_path / "x.weights.h5"
    path.write_bytes(KERAS_FILES[name][0]())
    network = mc.Sequential([mc.Input((3,)), mc.layers.Dense(2, name="end")])
    before = network.get_weights()
    with watch.watching() as heard, pytest.raises(MiniCNNError) as caught:
        network.load_weights(path)
    check_message(caught.value, tmp_path)
    assert all(event == "open" for event, _ in heard)
    for a, b in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_museum_is_large_and_its_forger_is_able(tmp_path):
    """What is forged without a lie is read, so each exhibit is refused for its own lie."""
    assert len(KERAS_FILES) >= 75
    for make in (archive(sequential(dense())), legacy(sequential(dense()))):
        (tmp_path / "x").write_bytes(make())
        assert mc.load_model(tmp_path / "x").get_weights()[0].tolist() == [[1, 1]] * 3


@pytest.mark.parametrize("name", ["keras3_lambda.keras", "keras3_lambda.h5", "keras2_lambda.h5"])
def test_a_lambda_that_keras_wrote_is_refused_by_name(name, tmp_path):
    with zipfile.ZipFile(GOLDEN / f"{name[:6]}.zip") as packed:
        packed.extract(name, tmp_path)
    with pytest.raises(FormatError, match="the layer 'code'"):
        mc.load_model(tmp_path / name)


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_a_file_that_is_cut_is_never_read(name, tmp_path):
    path = tmp_path / name
    mc.Sequential([mc.Input((3,)), mc.layers.Dense(2, name="end")], name="net").save(path)
    good, dice = path.read_bytes(), random.Random(3)
    for length in (0, 1, 8, *dice.sample(range(9, len(good) - 1), 60)):
        path.write_bytes(good[:length])
        with pytest.raises((FormatError, SizeLimitError)):
            mc.load_model(path)


def mutants(count):
    """Read mutants in a child process with little memory, which gives each 10 seconds."""
    command = [sys.executable, str(TESTS / "keras_mutants.py"), str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_mutants():
    run = mutants(25)
    assert run.returncode == 0, run.stderr[-3000:]
    assert re.fullmatch(r"\d+ of 100 mutants were refused\n", run.stdout)


@pytest.mark.slow
def test_many_mutants():
    run = mutants(250)
    assert run.returncode == 0, run.stderr[-3000:]
