"""Jobs that test_process.py runs in processes of their own: `python process_jobs.py JOB ...`."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable

import numpy as np

import minicnn as mc
from minicnn.backends import native
from minicnn.shapes import Window2D

RIGHT, WRONG = 0, 1


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and labels."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 28, 28, 1), np.uint8), rng.integers(0, 10, count)


def compiled_lenet() -> mc.Sequential:
    """Build and compile LeNet with the same weights in every process."""
    mc.utils.set_random_seed(1)
    model = mc.zoo.lenet()
    model.compile(
        optimizer=mc.optimizers.SGD(0.01, momentum=0.9), loss="sparse_categorical_crossentropy"
    )
    return model


def train(_task: int = 0) -> str:
    """Train for three steps on all threads and return a digest of the weights."""
    model, batch = compiled_lenet(), digits(64)
    for _ in range(3):
        model.train_on_batch(*batch)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def fork_and_train(wanted: str, generations: int) -> int:
    """Train in a child and in a grandchild; return RIGHT if their digests agree."""
    if generations == 0:
        return RIGHT
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        right = train() == wanted and fork_and_train(wanted, generations - 1) == RIGHT
    except BaseException:
        right = False
    os._exit(RIGHT if right else WRONG)


def fork(families: int) -> int:
    """Train in the parent, its children and grandchildren, several times in turn."""
    for _ in range(families):
        wanted = train()
        if fork_and_train(wanted, generations=2) != RIGHT:
            return WRONG
    return RIGHT


def fork_beside(use: str) -> int:
    """Fork while another thread predicts or trains with a model, and use the model in the child."""
    model, (x, y) = compiled_lenet(), digits(64)
    uses = {
        "predict": lambda: model.predict_on_batch(x),
        "fit": lambda: model.fit(x, y, epochs=1, verbose=0),
        "locked": lambda: model.predict_on_batch(x),
    }
    alone = uses[use]()
    done, ready = threading.Event(), threading.Event()

    def other() -> None:
        if use == "locked":  # as if every fork came in the middle of a program
            with model.lock:
                ready.set()
                done.wait()
        while not done.is_set():
            uses[use]()
            ready.set()

    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()
    codes = []
    for _ in range(10):
        child = os.fork()
        if not child:
            signal.alarm(20)  # ends a child that hangs
            found = uses[use]()
            equal = use == "fit" or np.array_equal(found, alone)
            os._exit(RIGHT if equal else WRONG)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    done.set()
    thread.join()
    print(codes)
    return RIGHT if codes == [RIGHT] * 10 else WRONG


def pool(method: str) -> int:
    """Train in a multiprocessing pool that is created after the parent has trained."""
    wanted = train()
    with multiprocessing.get_context(method).Pool(2) as workers:
        return RIGHT if workers.map(train, range(4)) == [wanted] * 4 else WRONG


def tick() -> int:
    """Wait for three kernel calls during which another thread ran."""
    x, w = np.ones((4, 64, 64, 64), np.float32), np.ones((7, 7, 64, 64), np.float32)
    window = Window2D((7, 7), (1, 1), (1, 1), (3, 3), (3, 3))
    sys.setswitchinterval(1000)  # threads switch only when one releases the GIL
    ticks, done = [0], threading.Event()

    def ticker() -> None:
        while not done.wait(0.001):
            ticks[0] += 1

    thread = threading.Thread(target=ticker)
    thread.start()
    calls = 0
    while calls < 3:
        before = ticks[0]
        native.KERNELS["conv2d_forward"](x, w, None, window=window, groups=1, image=(64, 64))
        calls += ticks[0] > before
    done.set()
    thread.join()
    return RIGHT


def steps_at_the_next_signal(model: mc.Model) -> Callable[[], int]:
    """Start a thread that notes the step at which a signal arrives, also during a kernel."""
    arrived, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    steps: list[int] = []

    def watch() -> None:
        os.read(arrived, 1)
        steps.append(model.optimizer.iterations)

    thread = threading.Thread(target=watch)
    thread.start()

    def result() -> int:
        thread.join()
        return steps[0]

    return result


def fit(folder: str) -> int:
    """Train until Ctrl-C, print the steps that followed, and check that training still works."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored
    model, (x, y) = compiled_lenet(), digits(1024)
    done_at_ctrl_c = steps_at_the_next_signal(model)

    def say_where(batch: int, _logs: object) -> None:
        if batch == 1:
            print("training", flush=True)

    callbacks = [
        mc.callbacks.BackupAndRestore(folder),
        mc.callbacks.LambdaCallback(on_train_batch_end=say_where),
    ]
    try:
        model.fit(x, y, batch_size=64, epochs=10**6, callbacks=callbacks, verbose=0)
    except KeyboardInterrupt:
        print("more steps:", model.optimizer.iterations - done_at_ctrl_c(), flush=True)
    whole = all(np.isfinite(w).all() for w in model.get_weights())
    usable = model.predict(x[:3], verbose=0).shape == (3, 10) and len(train()) == 64
    usable &= signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return RIGHT if whole and usable else WRONG


def resume(folder: str, epochs: str) -> int:
    """Resume an interrupted `fit`; print the number of steps before and after."""
    model, (x, y) = compiled_lenet(), digits(1024)
    starts: list[int] = []
    callbacks = [
        mc.callbacks.BackupAndRestore(folder),
        mc.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: starts.append(model.optimizer.iterations)
        ),
    ]
    model.fit(x, y, batch_size=64, epochs=int(epochs), callbacks=callbacks, verbose=0)
    print(starts[0], model.optimizer.iterations)
    return RIGHT


if __name__ == "__main__":
    job, *arguments = sys.argv[1:]
    jobs = {
        "fit": fit,
        "resume": resume,
        "pool": pool,
        "tick": tick,
        "fork_beside": fork_beside,
        "fork": lambda families: fork(int(families)),
    }
    sys.exit(jobs[job](*arguments))
