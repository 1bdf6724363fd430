"""Write the Keras files in `tests/golden/interop/keras`, with the outputs of their networks.

They are packed, as HDF5 files are mostly zeros: keras3.zip and keras2.zip.

python tools/make_keras_files.py keras         # with Keras 3.15 and TensorFlow 2.21
python tools/make_keras_files.py tf_keras      # with tf-keras 2.21, which is Keras 2
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
FOLDER = Path(__file__).parent.parent / "tests/golden/interop/keras"
NAMES = {"keras": "keras3", "tf_keras": "keras2"}

import numpy as np  # noqa: E402


def network(api: Any) -> Any:
    """Return a network with a shared layer, two networks inside, two inputs and two outputs."""
    layers = api.layers
    image, vector = api.Input((6, 6, 2), name="image"), api.Input((4,), name="vector")
    x = layers.Conv2D(
        4, 3, padding="same", activation="relu", kernel_regularizer=api.regularizers.L2(0.01),
        name="first",
    )(image)  # fmt: skip
    inner = api.Sequential(
        [
            api.Input((6, 6, 4), name="inner_input"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.BatchNormalization(name="norm"),
            layers.LeakyReLU(0.25, name="slope"),
        ],
        name="inner",
    )
    start = api.Input((4, 4, 4), name="start")
    two = layers.SeparableConv2D(4, 3, padding="same", name="separable")(start)
    block = api.Model(start, layers.Add(name="add")([two, start]), name="block")
    x = layers.GlobalAveragePooling2D(name="pool")(block(inner(x)))
    shared = layers.Dense(4, kernel_constraint=api.constraints.MaxNorm(2.0), name="shared")
    both = layers.Concatenate(name="both")([shared(x), shared(vector)])
    both = layers.Dropout(0.5, name="dropout")(both)
    classes = layers.Dense(3, activation="softmax", name="classes")(both)
    number = layers.Dense(1, name="number")(both)
    return api.Model([image, vector], [classes, number], name="golden")


def trained(api: Any) -> tuple[Any, list[np.ndarray]]:
    """Return the network after two steps of Adam, and inputs."""
    api.utils.set_random_seed(5)
    rng = np.random.default_rng(5)
    x = [rng.standard_normal(s).astype(np.float32) for s in ((4, 6, 6, 2), (4, 4))]
    y = [np.arange(4) % 3, rng.standard_normal((4, 1)).astype(np.float32)]
    model = network(api)
    model.compile(
        api.optimizers.Adam(0.01),
        loss=["sparse_categorical_crossentropy", api.losses.MeanSquaredError()],
        loss_weights=[1.0, 0.5],
        metrics=[["accuracy"], ["mae"]],
    )
    for _ in range(2):
        model.train_on_batch(x, y)
    return model, x


def with_lambda(api: Any) -> Any:
    """Return a network with code in it."""
    layers = api.layers
    return api.Sequential(
        [api.Input((2,), name="x"), layers.Lambda(lambda x: x * 2, name="code")], name="lambda"
    )


def with_functions(api: Any) -> Any:
    """Return a network with functions of `keras.ops`."""
    x = api.Input((4, 3), name="x")
    y = api.ops.relu(x * 2.0 - 1.0)
    y = api.ops.concatenate([y, x[:, :, 1:]], axis=-1)
    y = api.ops.mean(y, axis=1, keepdims=False)
    return api.Model(x, api.ops.softmax(y), name="functions")


def write(api: Any, name: str, folder: Path) -> None:
    """Write all files of one of the two packages into a folder."""
    model, x = trained(api)
    model.save(folder / f"{name}.keras")
    model.save(folder / f"{name}.h5")
    model.save_weights(folder / f"{name}.weights.h5")
    with_lambda(api).save(folder / f"{name}_lambda.h5")
    arrays = {f"x{i}": one for i, one in enumerate(x)}
    arrays |= {f"y{i}": np.asarray(one) for i, one in enumerate(model(x, training=False))}
    if name == "keras2":
        model.save_weights(folder / f"{name}_weights.h5")
    else:
        with_lambda(api).save(folder / f"{name}_lambda.keras")
        functions = with_functions(api)
        functions.save(folder / f"{name}_functions.keras")
        arrays["functions"] = np.asarray(functions(arrays["x0"][:, :4, :3, 0], training=False))
    np.savez(folder / f"{name}.npz", **arrays)


def main() -> None:
    """Write the files of one package, and pack them."""
    package = sys.argv[1]
    os.environ["TF_USE_LEGACY_KERAS"] = str(int(package == "tf_keras"))
    api, name = importlib.import_module(package), NAMES[package]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write(api, name, Path(folder))
        (Path(folder) / "version.txt").write_text(f"{package} {api.__version__}\n")
        with zipfile.ZipFile(
            FOLDER / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9
        ) as packed:
            for file in sorted(Path(folder).iterdir()):
                packed.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
