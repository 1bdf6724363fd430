"""Hostile files of Keras, ONNX, Caffe and PyTorch: each is refused, and nothing else happens."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from watching import Watch, Work, check_message

pytest.importorskip("h5py", reason="pip install -e '.[keras]'")
pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")
pytest.importorskip("google.protobuf", reason="pip install -e '.[caffe]'")

from caffe_nets import CAFFENET_V0, LENET_V1, V0_POOLS
from museum_models import EXHIBITS, HONEST, TOO_LARGE

import minicnn as mc
from minicnn.errors import CheckpointError, FormatError, SizeLimitError

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden/interop"
TOOL = TESTS.parent / "tools/mutate_files.py"
OLD = 10**9  # a time of last access, in 2001


def made(make, folder):
    """Write an exhibit, and what it needs beside it, into a folder; return its path."""
    path = folder / "x"
    content = make(path)
    if content is not None:
        path.write_bytes(content)
    for one in folder.glob("secret*"):
        os.utime(one, (OLD, one.stat().st_mtime))  # a time in the past, which reading changes
    return path


def was_read(path):
    return path.stat().st_atime != OLD


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    """The audit hook; all readers have been in use, so that late imports do not concern it."""
    for name, (reader, make) in HONEST.items():
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader(made(make, tmp_path_factory.mktemp(name)))
    return Watch()


@pytest.mark.parametrize(("reader", "make"), HONEST.values(), ids=HONEST.keys())
def test_what_is_made_without_a_lie_is_read(reader, make, tmp_path):
    reader(made(make, tmp_path))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("reader", "make", "text"), EXHIBITS.values(), ids=EXHIBITS.keys())
def test_the_museum_of_models(reader, make, text, watch, tmp_path):
    path = made(make, tmp_path)
    size = sum(one.stat().st_size for one in tmp_path.iterdir() if one.is_file())
    with (
        watch.watching() as heard,
        Work() as work,
        pytest.raises((FormatError, SizeLimitError, CheckpointError)) as caught,
    ):
        reader(path)
    work.check(size)
    check_message(caught.value, tmp_path)
    assert re.search(text, caught.value.args[0].replace(str(path), ""))
    for event, what in heard:
        assert event == "open", (event, what)
        assert isinstance(what, int) or Path(os.fsdecode(what)).parent == tmp_path
        assert isinstance(what, int) or "secret" not in os.fsdecode(what)
    assert not any(was_read(one) for one in tmp_path.glob("secret*"))


@pytest.mark.filterwarnings("ignore:.*no weights")
@pytest.mark.parametrize("make", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_a_network_that_is_too_large_is_refused_before_it_runs(make, tmp_path):
    model = mc.load_model(made(make, tmp_path))
    sample = np.zeros((1, *model.input_shape[1:]), np.float32)
    with Work() as work, pytest.raises(SizeLimitError, match="this machine has"):
        model.predict(sample, verbose=0)
    work.check(0)


def test_reading_changes_the_time_of_last_access(tmp_path):
    secret = made(lambda path: path.with_name("secret").write_bytes(b"x") and None, tmp_path)
    secret = secret.with_name("secret")
    if os.statvfs(tmp_path).f_flag & os.ST_NOATIME:
        pytest.skip("this file system does not keep times of access")
    assert not was_read(secret)
    secret.read_bytes()
    assert was_read(secret)


# --- mutants ----------------------------------------------------------------------------------


def keras_seeds(folder):
    """Files of Keras 2 and 3, and the model that weights alone are loaded into."""
    for archive in (GOLDEN / "keras").glob("*.zip"):
        with zipfile.ZipFile(archive) as packed:
            names = [n for n in packed.namelist() if n.endswith((".h5", ".keras"))]
            packed.extractall(folder, [n for n in names if "lambda" not in n])
    model = mc.load_model(folder / "keras3.keras")
    for one in folder.glob("*weights.h5"):
        model.save(f"{one}.mcnn")


def onnx_seeds(folder):
    for one in (GOLDEN / "onnx").glob("*.onnx"):
        shutil.copy(one, folder)


def torch_seeds(folder):
    for one in (GOLDEN / "torch").glob("*.pt*"):
        if one.name != "whole_model.pt":  # which is refused
            shutil.copy(one, folder)
    (folder / "a.safetensors").write_bytes(HONEST["safetensors-weights"][1](None))


def caffe_seeds(folder):
    """Nets of V0 and V1 with their weights, one in each folder, and a mean."""
    for number, text in enumerate((LENET_V1, CAFFENET_V0, V0_POOLS)):
        inner = folder / str(number)
        inner.mkdir()
        (inner / "net.prototxt").write_text(text)
        model = mc.load_model(inner / "net.prototxt")
        if number == 0:
            model.save(inner / "net.caffemodel")
    (folder / "mean.binaryproto").write_bytes(HONEST["caffe-mean"][1](None))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seeds", [keras_seeds, onnx_seeds, torch_seeds, caffe_seeds])
def test_300_mutants_are_refused_or_read(seeds, tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    seeds(folder)
    command = [sys.executable, TOOL, "--count", "300", "--seed", "1", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    assert counts["refused"] + counts["read"] == 300
    # The damage is neither too great nor none.
    assert counts["refused"] > 30 and counts["read"] > 10


def test_the_museum_of_models_is_large():
    assert len(EXHIBITS) >= 120
