"""Write what Keras and TensorFlow answer to the expressions of `tests/keras_data_cases.py`.

python tools/make_keras_data.py     # with Keras 3.15, TensorFlow, pandas and scipy
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras_data_cases import CASES, evaluate, make_folders  # noqa: E402


def main() -> None:
    """Evaluate every expression, and write the results."""
    image = tf.keras.preprocessing.image
    image.smart_resize = keras.preprocessing.image.smart_resize
    with tempfile.TemporaryDirectory() as folder:
        two, mixed = make_folders(Path(folder))
        space = {
            "D": tf.data.Dataset,
            "G": image.ImageDataGenerator,
            "frame": pd.DataFrame,
            "image": image,
            "keras": keras,
            "folder": str(two),
            "mixed": str(mixed),
            "image_batch": np.ones((4, 5, 6, 3), np.float32),
            "np_any": lambda x: tf.reduce_any(x > 0, -1),
            "tf_shape": tf.shape,
            "as_float": lambda x: tf.cast(x, "float32"),
            "spec": spec,
        }
        results = {code: evaluate(code, space, Path(folder)) for code in CASES}
    about = {"keras": keras.__version__, "tensorflow": tf.__version__}
    text = json.dumps({"about": about, "results": results}, separators=(",", ":"))
    (TESTS / "keras_data.json").write_text(text.replace('],"', '],\n"') + "\n")


def spec(structure: object) -> object:
    """Return the shapes and dtypes of an element_spec."""
    return tf.nest.map_structure(lambda one: f"{one.shape} {one.dtype.name}", structure)


if __name__ == "__main__":
    main()
