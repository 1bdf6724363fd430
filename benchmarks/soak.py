"""Use minicnn at random for many minutes, and check that the process does not grow.

    python benchmarks/soak.py                30 minutes on the default engine
    python benchmarks/soak.py --minutes 3 --engine numpy --seed 7

Random networks are built, trained, evaluated, saved, loaded, copied, explained and deleted, with
batches of all sizes, generators, callbacks, threads, forks and interruptions. At intervals the
process's memory, file descriptors, threads and temporary files are printed. The exit code is 1 if,
compared with a tenth of the time, memory differs by more than 32 MiB at the end, the number of
descriptors or files differs, or there are more threads.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import gc
import os
import pickle
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import minicnn as mc
from minicnn import callbacks, layers
from minicnn.preprocessing.image import ImageDataGenerator

MEMORY = 32 << 20  # bytes by which memory may differ at the end
WARM_UP = 0.1  # share of the time before the first count
CLASSES = 3
OPTIMIZERS = ("sgd", "adam", "rmsprop")


class Counts(NamedTuple):
    """The resources of a process that must not grow."""

    memory: int  # resident bytes
    descriptors: int
    threads: int
    files: int  # in the folder of the jobs and of temporary files

    def __str__(self) -> str:
        return (
            f"{self.memory / 2**20:7.1f} MiB {self.descriptors:4} descriptors {self.threads:3} "
            f"threads {self.files:4} files"
        )


def counts(folder: Path) -> Counts:
    """Count this process's resources, after collecting garbage and returning malloc's reserve."""
    gc.collect()
    with suppress(AttributeError, OSError):  # no glibc, or no Linux
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    return Counts(
        pages * os.sysconf("SC_PAGE_SIZE"),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
        files,
    )


class Soak:
    """Runs random jobs on random networks, in a folder of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, np.random.default_rng(seed)
        self.photos = folder / "photos"
        for label in range(CLASSES):
            (self.photos / f"class{label}").mkdir(parents=True)
            for number in range(7):
                pixels = self.rng.integers(0, 256, (24, 20, 3), np.uint8)
                Image.fromarray(pixels).save(self.photos / f"class{label}" / f"{number}.png")
        self.model = self.network()
        self.jobs: list[Callable[[], None]] = [
            self.fit, self.fit_small_batches, self.fit_with_validation, self.fit_generator,
            self.fit_flow, self.fit_folder, self.fit_with_callbacks, self.predict_all_sizes,
            self.predict_in_threads, self.evaluate, self.save_and_load, self.save_weights,
            self.copies, self.recompile, self.freeze, self.drop, self.explain, self.eager,
            self.interrupted, self.error_in_training, self.another_engine, self.forked,
        ]  # fmt: skip

    def counts(self) -> Counts:
        """Count after switching to a new network, without programs, and ending old threads."""
        self.model = self.network()
        gc.collect()
        # NumPy's threads end before a fork and start again with the next large product.
        np.ones((400, 400), np.float32) @ np.ones((400, 400), np.float32)
        for thread in threading.enumerate():
            if thread.name.startswith("minicnn-"):
                thread.join(timeout=10)
        time.sleep(0.2)  # the system still counts a thread for a moment after it ended
        return counts(self.folder)

    def run_one(self) -> None:
        """Run a random job, sometimes on a new network."""
        if self.rng.random() < 0.2:
            self.model = self.network()
        self.jobs[self.rng.integers(len(self.jobs))]()

    def network(self) -> mc.Sequential:
        """Build and compile a network of random layers for images of a random size."""
        mc.utils.clear_session()
        size = int(self.rng.integers(8, 28))
        stack: list[layers.Layer] = [mc.Input((size, size + 1, 3))]
        for _ in range(self.rng.integers(1, 4)):
            kernel, filters = int(self.rng.choice([1, 3, 5])), int(self.rng.integers(3, 40))
            stack.append(layers.Conv2D(filters, kernel, padding="same", activation="relu"))
            if self.rng.random() < 0.5:
                stack.append(layers.BatchNormalization())
            if self.rng.random() < 0.5:
                stack.append(layers.MaxPooling2D(2))
            if self.rng.random() < 0.3:
                stack.append(layers.Dropout(0.2))
        stack += [layers.GlobalAveragePooling2D(), layers.Dense(CLASSES, activation="softmax")]
        model = mc.Sequential(stack)
        self.compile(model)
        return model

    def compile(self, model: mc.Model) -> None:
        optimizer = str(self.rng.choice(OPTIMIZERS))
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    def data(self, most: int = 70) -> tuple[np.ndarray, np.ndarray]:
        """Return a random number of random samples and labels."""
        n = int(self.rng.integers(1, most))
        x = self.rng.random((n, *self.model.input_shape[1:]), np.float32)
        return x, self.rng.integers(0, CLASSES, n)

    def batch_size(self) -> int:
        return int(self.rng.integers(1, 40))

    def fit(self) -> None:
        self.model.fit(*self.data(), batch_size=self.batch_size(), epochs=2, verbose=0)

    def fit_small_batches(self) -> None:
        for n in self.rng.permutation(30)[:10]:
            x, y = self.data()
            self.model.train_on_batch(x[: n + 1], y[: n + 1])

    def fit_with_validation(self) -> None:
        x, y = self.data()
        self.model.fit(x, y, batch_size=self.batch_size(), validation_data=self.data(), verbose=0)

    def fit_generator(self) -> None:
        batches = [self.data(9) for _ in range(5)]
        self.model.fit((batch for batch in batches), verbose=0)

    def fit_flow(self) -> None:
        x, y = self.data()
        generator = ImageDataGenerator(rotation_range=20, horizontal_flip=True)
        flow = generator.flow(x, mc.utils.to_categorical(y, CLASSES), self.batch_size())
        next(flow)  # starts threads that the generator leaves running
        for images, rows in flow.for_epoch(1):
            self.model.train_on_batch(images, rows.argmax(1))
            if self.rng.random() < 0.3:
                break

    def fit_folder(self) -> None:
        size = self.model.input_shape[1:3]
        flow = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
            self.photos, target_size=size, batch_size=self.batch_size(), class_mode="sparse"
        )
        self.model.fit(flow, verbose=0)
        self.model.predict(flow, verbose=0)

    def fit_with_callbacks(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            given = [
                callbacks.BackupAndRestore(f"{folder}/backup"),
                callbacks.ModelCheckpoint(f"{folder}/best.mcnn", monitor="loss"),
                callbacks.CSVLogger(f"{folder}/log.csv"),
                callbacks.EarlyStopping("loss", patience=1),
                callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: self.evaluate()),
            ]
            self.model.fit(*self.data(), epochs=2, verbose=0, callbacks=given)

    def predict_all_sizes(self) -> None:
        x = self.rng.random((64, *self.model.input_shape[1:]), np.float32)
        for n in self.rng.permutation(64)[:12]:
            self.model.predict_on_batch(x[: n + 1])

    def predict_in_threads(self) -> None:
        data = [self.data(30)[0] for _ in range(3)]
        threads = [threading.Thread(target=self.model.predict_on_batch, args=(x,)) for x in data]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def evaluate(self) -> None:
        self.model.evaluate(*self.data(), batch_size=self.batch_size(), verbose=0)

    def save_and_load(self) -> None:
        path = self.folder / "model.mcnn"
        self.model.save(path)
        self.model = mc.load_model(path)
        path.unlink()

    def save_weights(self) -> None:
        path = self.folder / "weights.mcnn"
        self.model.save_weights(path)
        self.model.load_weights(path)
        path.unlink()

    def copies(self) -> None:
        x, _ = self.data()
        copy.deepcopy(self.model).predict_on_batch(x)
        pickle.loads(pickle.dumps(self.model)).predict_on_batch(x)

    def recompile(self) -> None:
        self.compile(self.model)
        self.fit()

    def freeze(self) -> None:
        layer = self.model.layers[self.rng.integers(len(self.model.layers))]
        layer.trainable = not layer.trainable
        self.fit_small_batches()
        layer.trainable = not layer.trainable

    def drop(self) -> None:
        for _ in range(5):
            self.model = self.network()
            self.predict_all_sizes()

    def explain(self) -> None:
        x, _ = self.data(4)
        if any(isinstance(layer, layers.Conv2D) for layer in self.model.layers):
            mc.explain.gradcam(self.model, x)

    def eager(self) -> None:
        x, w = (self.rng.random(s, np.float32) for s in ((2, 9, 9, 4), (3, 3, 4, 5)))
        for padding in range(self.rng.integers(1, 9)):
            mc.operations.conv2d(x, w, padding=padding)

    def interrupted(self) -> None:
        def stop(batch: int, logs: object) -> None:
            raise KeyboardInterrupt

        hook = callbacks.LambdaCallback(on_train_batch_end=stop)
        with suppress(KeyboardInterrupt):
            self.model.fit(*self.data(), verbose=0, callbacks=[hook])

    def error_in_training(self) -> None:
        x, y = self.data()
        x[0] = np.nan
        with suppress(mc.errors.NumericError):
            self.model.fit(x, y, verbose=0)

    def another_engine(self) -> None:
        with mc.use_backend("numpy"):
            x, y = self.data(5)
            self.model.train_on_batch(x, y)
            self.model.predict_on_batch(x)

    def forked(self) -> None:
        child = os.fork()
        if not child:
            self.model.predict_on_batch(self.data()[0])
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            raise RuntimeError("a forked child could not predict")


def soaked(soak: Soak, seconds: float, every: float) -> Iterator[tuple[float, int, Counts]]:
    """Run jobs, and yield (seconds, jobs, Counts) at intervals and at the end."""
    for job in soak.jobs:  # allocate what the first use of anything leaves behind
        job()
    start = time.monotonic()
    jobs, due = len(soak.jobs), every
    while (now := time.monotonic() - start) < seconds:
        soak.run_one()
        jobs += 1
        if now >= due:
            yield now, jobs, soak.counts()
            due = now + every
    yield time.monotonic() - start, jobs, soak.counts()


def what_grew(before: Counts, after: Counts) -> list[str]:
    """The resources that differ by more than is allowed."""
    grown = []
    if abs(after.memory - before.memory) > MEMORY:
        grown.append(f"memory by {(after.memory - before.memory) / 2**20:+.1f} MiB")
    if after.descriptors != before.descriptors:
        grown.append(f"descriptors by {after.descriptors - before.descriptors:+}")
    if after.threads > before.threads:
        grown.append(f"threads by {after.threads - before.threads:+}")
    if after.files != before.files:
        grown.append(f"files by {after.files - before.files:+}")
    return grown


def main() -> int:
    """Run the soak; return 1 if a resource grew, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--engine", default="auto", help="numpy, native, cuda or auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--every", type=float, help="seconds between lines; default: 30 lines in all"
    )
    options = parser.parse_args()
    mc.set_backend(options.engine)
    warnings.simplefilter("ignore")
    seconds = 60 * options.minutes
    folder = Path(tempfile.mkdtemp(prefix="minicnn-soak-"))
    tempfile.tempdir = str(folder)
    warm: Counts | None = None
    print(f"{options.minutes:g} minutes on {mc.current_backend()!r}, seed {options.seed}")
    try:
        soak = Soak(folder, options.seed)
        for now, jobs, found in soaked(soak, seconds, options.every or seconds / 30):
            if warm is None and now >= WARM_UP * seconds:
                warm = found
            print(f"{now / 60:6.1f} min {jobs:6} jobs {found}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    grown = what_grew(warm or found, found)
    print("grew: " + ", ".join(grown) if grown else "nothing grew")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
