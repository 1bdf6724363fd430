"""Model files: nothing is lost, nothing is executed, and damaged or foreign files are errors."""

from __future__ import annotations

import copy
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from test_model import blobs, small
from test_plan import NETWORKS, compiled, data_for

import minicnn as mc
from minicnn import callbacks
from minicnn.errors import CheckpointError, FormatError, MiniCNNError, SizeLimitError
from minicnn.models.saving.archive import read_archive, write_archive


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saved_model_is_the_same_model(backend, tmp_path, name):
    model = compiled(NETWORKS[name])
    x, y = data_for(model)
    model.train_on_batch(x, y)
    model.class_names = ["a", "b", "c", "d"]
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.class_names == model.class_names and type(again) is type(model)
    np.testing.assert_array_equal(again.predict_on_batch(x), model.predict_on_batch(x))
    # The optimizer's state came along: the next steps are the same too.
    for _ in range(3):
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_same_content_same_bytes(tmp_path):
    model = compiled(NETWORKS["straight"])
    model.save(tmp_path / "a.mcnn")
    model.save(tmp_path / "b.mcnn")
    mc.load_model(tmp_path / "a.mcnn").save(tmp_path / "c.mcnn")
    a, b, c = ((tmp_path / f"{n}.mcnn").read_bytes() for n in "abc")
    assert a == b == c


def test_unusual_extension_is_pointed_out(tmp_path):
    with pytest.warns(UserWarning, match=r"\.mcnn"):
        compiled(NETWORKS["straight"]).save(tmp_path / "model.h7")
    mc.load_model(tmp_path / "model.h7")


def test_without_the_optimizer_the_file_is_small_and_the_model_not_compiled(tmp_path):
    model = compiled(NETWORKS["straight"])
    model.train_on_batch(*data_for(model))
    model.save(tmp_path / "all.mcnn")
    model.save(tmp_path / "less.mcnn", include_optimizer=False)
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "best.mcnn", save_weights_only=True)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    assert (tmp_path / "best.mcnn").read_bytes() == (tmp_path / "less.mcnn").read_bytes()
    sizes = [(tmp_path / f"{name}.mcnn").stat().st_size for name in ("all", "less")]
    assert sizes[1] < sizes[0]
    again = mc.load_model(tmp_path / "less.mcnn")
    assert again.optimizer is None
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_alone_go_to_a_network_whose_layers_have_other_names(tmp_path, name):
    first, second = compiled(NETWORKS[name]), compiled(NETWORKS[name])
    first.train_on_batch(*data_for(first))
    first.save_weights(tmp_path / "w.mcnn")
    second.load_weights(tmp_path / "w.mcnn")
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert second.optimizer.iterations == 0


def test_weights_of_another_network_change_nothing(tmp_path):
    small(3).save_weights(tmp_path / "w.mcnn")
    model = small(4)
    before = model.get_weights()
    with pytest.raises(CheckpointError, match="of another network"):
        model.load_weights(tmp_path / "w.mcnn")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def damaged(archive, change):
    documents = copy.deepcopy(archive.documents)
    documents.pop("metadata", None)
    change(documents)
    return documents


HOSTILE = {
    "unknown-layer": lambda d: d["config"]["layers"][1].update({"class": "os.system"}),
    "unknown-model": lambda d: d["config"].update({"class": "Evil"}),
    "extra-argument": lambda d: d["config"]["layers"][1]["config"].update({"cmd": "rm"}),
    "huge-layer": lambda d: d["config"]["layers"][-1]["config"].update({"units": 2**30}),
    "negative": lambda d: d["config"]["layers"][1]["config"].update({"filters": -1}),
    "float-filters": lambda d: d["config"]["layers"][1]["config"].update({"filters": 1e9}),
    "text-for-number": lambda d: d["config"]["layers"][1]["config"].update({"filters": "x"}),
    "no-layers": lambda d: d["config"].update({"layers": []}),
    "wrong-order": lambda d: d["config"]["tensors"].reverse(),
    "self-reference": lambda d: d["config"]["tensors"][1].update({"inputs": [1]}),
    "layer-number": lambda d: d["config"]["tensors"][1].update({"layer": 99}),
    "negative-number": lambda d: d["config"]["tensors"][1].update({"layer": -1}),
    "config-is-a-list": lambda d: d.update({"config": []}),
    "tensors-is-text": lambda d: d["config"].update({"tensors": "abc"}),
    "initializer-is-code": lambda d: d["config"]["layers"][1]["config"].update(
        {"kernel_initializer": {"class": "exec", "config": {"code": "1"}}}
    ),
    "optimizer-unknown": lambda d: d["training"].update(
        {"optimizer": {"class": "x", "config": {}}}
    ),
    "loss-is-null": lambda d: d["training"].update({"loss": None}),
    "metric-unknown": lambda d: d["training"].update({"metrics": ["os.remove"]}),
    "iterations-text": lambda d: d["training"].update({"optimizer_state": {"iterations": "many"}}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_contents_are_refused(tmp_path, name):
    model = small()
    model.save(tmp_path / "good.mcnn")
    archive = read_archive(tmp_path / "good.mcnn")
    documents = damaged(archive, HOSTILE[name])
    write_archive(tmp_path / "bad.mcnn", archive.weights, documents, archive.arrays)
    tracemalloc.start()
    with pytest.raises(MiniCNNError) as caught:
        mc.load_model(tmp_path / "bad.mcnn")
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(caught.value, (FormatError, SizeLimitError))
    assert most_bytes < 1 << 20, "it was believed before it was checked"


def test_checkpoint_of_another_network_says_what_differs(tmp_path):
    small().save_checkpoint(tmp_path / "c.mcnn")
    other = small(classes=5)
    with pytest.raises(CheckpointError, match=r"\(36, 3\) there, \(36, 5\) here"):
        other.load_checkpoint(tmp_path / "c.mcnn")
    model = small(optimizer="sgd")
    with pytest.raises(CheckpointError, match="another optimizer"):
        model.load_checkpoint(tmp_path / "c.mcnn")
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        model.load_checkpoint(tmp_path / "m.mcnn")


TRAINING = """
    import sys
    import numpy as np
    import minicnn as mc
    from minicnn import callbacks, layers
    folder, out = sys.argv[1:]
    mc.utils.set_random_seed(5)
    rng = np.random.default_rng(0)
    x, y = rng.random((256, 10, 10, 1), np.float32), rng.integers(0, 4, 256)
    model = mc.Sequential([
        mc.Input((10, 10, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.BatchNormalization(), layers.Dropout(0.3), layers.Flatten(),
        layers.Dense(4, activation="softmax"),
    ])
    schedule = mc.schedules.CosineDecay(0.01, 100)
    model.compile(
        mc.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    early = callbacks.EarlyStopping(monitor="val_loss", patience=50, restore_best_weights=True)
    backup = callbacks.BackupAndRestore(folder, save_freq=3, delete_checkpoint=False)
    tell = callbacks.LambdaCallback(on_epoch_end=lambda *_: print("epoch", flush=True))
    print("started", flush=True)
    history = model.fit(x[:192], y[:192], batch_size=16, epochs=20, verbose=0,
                        validation_data=(x[192:], y[192:]), callbacks=[backup, early, tell])
    np.savez(out, *model.get_weights(), **{k: np.array(v) for k, v in history.history.items()})
    print("done", flush=True)
    sys.stdin.read()  # does not end before it is allowed to, or killed
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(TRAINING))
    return path


def environment():
    """Return an environment in which a child process imports the minicnn that is tested here."""
    return {**os.environ, "PYTHONPATH": str(Path(mc.__file__).parents[1])}


def start(script, folder, out):
    command = [sys.executable, str(script), str(folder), str(out)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, env=environment())


def finish(script, folder, out):
    with start(script, folder, out) as process:
        process.communicate()
        assert process.returncode == 0


def kill_after(lines, script, folder, out):
    """Wait for that many lines of output, or the last one, then kill the process a little later."""
    with start(script, folder, out) as process:
        for count, line in enumerate(process.stdout, 1):
            if count > lines or line == "done\n":
                break
        time.sleep(random.uniform(0.0, 0.03))
        process.kill()


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_bits(script, tmp_path):
    finish(script, tmp_path / "a", tmp_path / "whole.npz")
    lines = [random.randint(0, 5) for _ in range(8)]
    for count in lines:
        kill_after(count, script, tmp_path / "b", tmp_path / "resumed.npz")
    finish(script, tmp_path / "b", tmp_path / "resumed.npz")
    want, got = np.load(tmp_path / "whole.npz"), np.load(tmp_path / "resumed.npz")
    assert want.files == got.files
    for name in want.files:
        np.testing.assert_array_equal(got[name], want[name], err_msg=f"{name}, {lines}")


def test_ctrl_c_leaves_a_checkpoint_to_resume_from(tmp_path, backend):
    x, y = blobs()
    model = small()

    class PressCtrlC(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 5:
                signal.raise_signal(signal.SIGINT)

    backup = callbacks.BackupAndRestore(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=16, epochs=3, verbose=0, callbacks=[backup, PressCtrlC()])
    assert model.optimizer.iterations == 5
    assert len(list(tmp_path.glob("checkpoint-*.mcnn"))) == 1
    resumed = small()
    resumed.fit(
        x,
        y,
        batch_size=16,
        epochs=3,
        verbose=0,
        callbacks=[callbacks.BackupAndRestore(str(tmp_path)), PressCtrlC()],
    )
    assert resumed.optimizer.iterations == 24


def test_weights_of_half_the_bits_are_read(tmp_path):
    model = mc.Sequential([mc.Input((64,)), mc.layers.Dense(512, name="d")])
    model.save(tmp_path / "m.mcnn")
    found = read_archive(tmp_path / "m.mcnn")
    halves = {name: value.astype(np.float16) for name, value in found.weights.items()}
    documents = {name: one for name, one in found.documents.items() if name != "metadata"}
    write_archive(tmp_path / "half.mcnn", halves, documents)
    again = mc.load_model(tmp_path / "half.mcnn").get_weights()
    for a, b in zip(again, model.get_weights(), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b.astype(np.float16))
