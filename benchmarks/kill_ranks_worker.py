"""One process of a training of `kill_ranks.py`: train in a folder, resuming what is there.

    python kill_ranks_worker.py FOLDER

Rank 0 writes the hash of weights, optimizer state and history to FOLDER/result when it is done.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import minicnn as mc
from minicnn.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPooling2D,
    RandomFlip,
)

SAMPLES, SIDE, CLASSES = 512, 24, 4
BATCH, EPOCHS = 64, 8
STEPS_PER_CHECKPOINT = 3
SHARDS = 8


def network() -> mc.Model:
    """Return a network with everything that has a state: statistics, dropout, a large layer."""
    model = mc.Sequential(
        [
            mc.Input((SIDE, SIDE, 1)),
            RandomFlip("horizontal"),
            Conv2D(16, 3, padding="same", activation="relu"),
            BatchNormalization(),
            MaxPooling2D(2),
            Conv2D(16, 3, padding="same", activation="relu"),
            MaxPooling2D(2),
            Flatten(),
            Dense(256, activation="relu"),  # 147,456 weights, whose state is spread over the ranks
            Dropout(0.3),
            Dense(CLASSES, activation="softmax"),
        ]
    )
    rate = mc.schedules.CosineDecay(2e-3, EPOCHS * SAMPLES // BATCH)
    model.compile(mc.optimizers.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def digest(model: mc.Model) -> str:
    """Return the hash of all that the training has changed."""
    found = hashlib.sha256(json.dumps(model.history.history, sort_keys=True).encode())
    for array in [*model.get_weights(), *(slot for _, slot in sorted(model.slots.items()))]:
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def main(folder: Path) -> None:
    """Train to the end."""
    mc.distributed.init(SHARDS)
    mc.utils.set_random_seed(5)
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, SAMPLES)
    x = rng.normal(y[:, None, None, None] / 4, 1, (SAMPLES, SIDE, SIDE, 1)).astype(np.float32)
    model = network()
    checkpoints = mc.callbacks.BackupAndRestore(
        folder / "checkpoints", save_freq=STEPS_PER_CHECKPOINT, delete_checkpoint=False
    )
    best = mc.callbacks.ModelCheckpoint(folder / "best.mcnn", save_best_only=True)
    stop = mc.callbacks.EarlyStopping(patience=EPOCHS)
    table = mc.callbacks.CSVLogger(folder / "history.csv")
    model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0, validation_data=(x[:64], y[:64]),
        callbacks=[table, best, stop, checkpoints],
    )  # fmt: skip
    model.save(folder / "last.mcnn")  # gathers the state on rank 0
    if mc.distributed.rank() == 0:
        (folder / "result").write_text(digest(model))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
