"""A training for tests on several processes: python rank_training.py FOLDER EPOCHS [ENGINE].

Every process prints its rank, the number of processes, and a digest of the weights, the steps and
the history. Checkpoints are in FOLDER; if there are any, the training goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import minicnn as mc
from minicnn.callbacks import BackupAndRestore, CSVLogger, ModelCheckpoint
from minicnn.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
)


def network() -> mc.Model:
    """A network with everything that is special: batch normalization, dropout, a large dense."""
    return mc.Sequential(
        [
            Input((12, 12, 2)),
            Conv2D(16, 3, padding="same"),
            BatchNormalization(),
            Activation("relu"),
            MaxPooling2D(2),
            Dropout(0.3),
            Flatten(),
            Dense(128, activation="relu"),
            BatchNormalization(),
            Dense(4, activation="softmax"),
        ]
    )


def main() -> None:
    """Train, and print what the training has led to."""
    folder, epochs = Path(sys.argv[1]), int(sys.argv[2])
    mc.distributed.init()
    mc.utils.set_random_seed(7)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((90, 12, 12, 2)).astype(np.float32), rng.integers(0, 4, 90)
    history = model.fit(
        x,
        y,
        batch_size=32,
        epochs=epochs,
        validation_data=(x[:50], y[:50]),
        verbose=0,
        callbacks=[
            CSVLogger(folder / "history.csv"),
            ModelCheckpoint(folder / "best.mcnn", "val_loss", save_best_only=True),
            BackupAndRestore(folder / "checkpoints", save_freq=2, delete_checkpoint=False),
        ],
    )
    model.save(folder / "last.mcnn")
    arrays = [*model.get_weights(), json.dumps(history.history, sort_keys=True).encode()]
    digest = hashlib.sha256(b"".join(map(bytes, arrays))).hexdigest()[:16]
    print(mc.distributed.rank(), mc.distributed.size(), digest, model.optimizer.steps, flush=True)


if __name__ == "__main__":
    main()
