"""The changes that the runner makes to a script before an engine runs it.

For minicnn: lines that import something, where `keras`, or `tensorflow.keras`, becomes minicnn.
For Keras 3: the words of Keras 2 that Keras 3 no longer has, in the script that uses them.
"""

from __future__ import annotations

import re

# (what is looked for, what takes its place) on lines that import; the first that fits is used.
IMPORTS = [
    (r"^import keras$", "import minicnn as keras"),
    (r"^from tensorflow import keras$", "import minicnn as keras"),
    (r"^from (?:tensorflow\.)?keras\b", "from minicnn"),
]

# (script, as it is written for Keras 2, today's word); the only changes that Keras's side sees.
KERAS_3 = [
    (
        "14_keras2_style",
        "from keras.layers.convolutional import Convolution2D, MaxPooling2D",
        "from keras.layers import Convolution2D, MaxPooling2D",
    ),
    ("14_keras2_style", "from keras.layers.core import", "from keras.layers import"),
    (
        "14_keras2_style",
        "from keras.preprocessing.image import",
        "from keras.src.legacy.preprocessing.image import",
    ),
    (
        "14_keras2_style",
        "from keras.utils import np_utils, set_random_seed",
        "from keras.utils import set_random_seed, to_categorical",
    ),
    ("14_keras2_style", "np_utils.to_categorical", "to_categorical"),
    ("14_keras2_style", "SGD(lr=0.02, decay=1e-6,", "SGD(learning_rate=0.02,"),
    ("14_keras2_style", "{val_acc:.2f}.h5", "{val_accuracy:.2f}.keras"),
    ("14_keras2_style", 'monitor="val_acc"', 'monitor="val_accuracy"'),
    ("14_keras2_style", "model.fit_generator(", "model.fit("),
    ("14_keras2_style", "=len(X_train) / batch_size", "=len(X_train) // batch_size"),
    ("14_keras2_style", "nb_epoch=nb_epoch", "epochs=nb_epoch"),
    ("14_keras2_style", "    max_queue_size=10,\n    workers=2,\n", ""),
    ("14_keras2_style", "model.evaluate_generator(", "model.evaluate("),
    (
        "14_keras2_style",
        "model.predict_classes(X_test[:500], batch_size=128)",
        "np.argmax(model.predict(X_test[:500], batch_size=128), axis=-1)",
    ),
]


def for_minicnn(text: str) -> str:
    """Return the script with its imports changed."""
    return "\n".join(_import(line) for line in text.split("\n"))


def _import(line: str) -> str:
    for pattern, replacement in IMPORTS:
        changed, count = re.subn(pattern, replacement, line)
        if count:
            return changed
    return line


def for_keras(text: str, name: str) -> str:
    """Return the script with today's words for those of Keras 2."""
    for script, old, new in KERAS_3:
        if script == name:
            if old not in text:
                raise ValueError(f"{name} has no {old!r} any more; change KERAS_3")
            text = text.replace(old, new)
    return text
