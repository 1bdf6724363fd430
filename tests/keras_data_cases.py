"""Expressions about data that Keras and minicnn evaluate alike, and how their results are compared.

`tools/make_keras_data.py` evaluates them with Keras 3.15 and TensorFlow, and writes the results to
`keras_data.json`; `test_keras_data.py` evaluates them with minicnn. No comment says what a value
should be, because Keras says it.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZES = {"a": (10, 12), "b": (10, 12)}  # of two class folders
MOST = 40  # values of an array that are compared
MIXED = ("10", "9", "Zebra", "ant", "with space")  # class folders whose order is a question
FIVE = "D.from_tensor_slices((np.arange(5), np.arange(10.0).reshape(5, 2)))"
TEN = "D.range(10)"
IMAGE = "(np.arange(2 * 6 * 8 * 3) % 251).reshape(2, 6, 8, 3).astype('float32')"

DATASETS = [
    f"{FIVE}.batch(2)",
    f"{FIVE}.batch(2, drop_remainder=True)",
    f"{FIVE}.batch(2).unbatch()",
    f"{FIVE}.skip(1).take(3)",
    f"{FIVE}.take(-1).skip(-1)",
    f"{FIVE}.map(lambda a, b: (b / 2, a))",
    f"{FIVE}.map(lambda a, b: {{'x': a, 'y': b * 2}}).batch(3)",
    f"{FIVE}.map(lambda a, b: a, num_parallel_calls=2)",
    f"{FIVE}.filter(lambda a, b: a > 2)",
    f"{FIVE}.enumerate(start=3).take(2)",
    f"{FIVE}.repeat(2).batch(4)",
    f"{FIVE}.cache().prefetch(1).batch(5)",
    f"{FIVE}.apply(lambda one: one.take(1))",
    f"D.zip(({FIVE}, {TEN}))",
    f"D.zip({TEN}, {TEN}.skip(8))",
    f"{TEN}.batch(4).concatenate({TEN}.batch(5))",
    f"{TEN}.concatenate({TEN}.take(2))",
    f"{TEN}.shard(3, 1)",
    f"{TEN}.take_while(lambda a: a < 4)",
    f"{TEN}.flat_map(lambda a: D.range(a)).take(5)",
    "D.range(3, 12, 4)",
    "D.from_tensor_slices({'a': [1, 2], 'b': [0.5, 1.5]})",
    "D.from_tensor_slices([[1, 2], [3, 4]])",
    "D.from_tensor_slices(np.ones((2, 3), np.uint8)).batch(2)",
    "D.from_tensors((1, [2.0, 3.0]))",
    "D.from_tensor_slices(np.arange(4, dtype=np.float32)).batch(2).map(lambda x: x / 255)",
]
COUNTS = [
    f"{TEN}.batch(3).cardinality()",
    f"{TEN}.batch(3, drop_remainder=True).cardinality()",
    f"{TEN}.repeat().cardinality()",
    f"{TEN}.repeat().take(7).cardinality()",
    f"{TEN}.repeat(3).skip(4).cardinality()",
    f"{TEN}.filter(lambda a: a > 3).cardinality()",
    f"{TEN}.batch(3).unbatch().cardinality()",
    f"{TEN}.skip(20).cardinality()",
    f"{TEN}.take_while(lambda a: a < 3).cardinality()",
    f"D.zip(({TEN}, {TEN}.repeat())).cardinality()",
    f"{TEN}.concatenate({TEN}).cardinality()",
    f"len({TEN}.shuffle(4).map(lambda a: a).prefetch(2).cache())",
    f"{TEN}.reduce(np.int64(0), lambda total, a: total + a)",
    f"sorted(int(a) for a in {TEN}.shuffle(3))",
    f"[int(a) for a in {TEN}.as_numpy_iterator()]",
    f"type(next({FIVE}.as_numpy_iterator())[1]).__name__",
    f"bool({TEN}.filter(lambda a: a > 20))",
    f"spec({FIVE}.element_spec)",
    f"spec({FIVE}.batch(2).element_spec)",
    f"spec({FIVE}.batch(2, drop_remainder=True).element_spec)",
    f"spec({FIVE}.batch(2).map(lambda a, b: (b, a)).element_spec)",
    f"spec({FIVE}.batch(2).unbatch().element_spec)",
    "type(list(D.range(2).as_numpy_iterator())[0]).__name__",
]

IDFD = "keras.utils.image_dataset_from_directory"
SMALL = "image_size=(10, 12), shuffle=False"
FOLDERS = [
    *(f"printed(lambda: {IDFD}(folder, label_mode={mode!r}, batch_size=3, {SMALL}).take(2))"
      for mode in ("int", "categorical", "binary", None)),
    f"{IDFD}(folder, batch_size=None, {SMALL}).take(1)",
    f"{IDFD}(folder, color_mode='rgba', {SMALL}).map(lambda x, y: x[0, :2, :2])",
    f"{IDFD}(folder, data_format='channels_first', batch_size=1, {SMALL}).take(1)",
    f"{IDFD}(folder, class_names=['b', 'a'], {SMALL}).map(lambda x, y: y)",
    f"{IDFD}(folder, labels=[0, 1, 1, 0, 0, 1, 0, 1], {SMALL}).map(lambda x, y: y)",
    f"{IDFD}(folder, labels=[0, 1, 1, 0, 0, 1, 0, 1], label_mode='binary', {SMALL}).map("
    "lambda x, y: y)",
    f"{IDFD}(folder, labels=[0, 1, 2, 0, 0, 1, 2, 1], label_mode='categorical', {SMALL}).map("
    "lambda x, y: y)",
    f"printed(lambda: {IDFD}(mixed, labels=None, {SMALL}).map(lambda x: x[:, 0, 0, 0]))",
    f"{IDFD}(mixed, {SMALL}).class_names",
    f"{IDFD}(folder, labels=None, {SMALL}).class_names",
    f"{IDFD}(folder, labels=[0, 1, 2, 0, 0, 1, 2, 1], {SMALL}).class_names",
    f"names({IDFD}(mixed, {SMALL}).file_paths)",
    f"names({IDFD}(mixed, labels=None, {SMALL}).file_paths)",
    f"{IDFD}(mixed, {SMALL}).map(lambda x, y: y)",
    f"len({IDFD}(folder, batch_size=3, {SMALL}))",
    f"len({IDFD}(folder, batch_size=None, {SMALL}))",
    f"printed(lambda: [len(one) for one in {IDFD}(folder, validation_split=0.3, subset='both', "
    "seed=1, batch_size=1)])",
    f"printed(lambda: len({IDFD}(folder, validation_split=0.3, subset='training', seed=1, "
    "batch_size=1)))",
    f"printed(lambda: len({IDFD}(folder, validation_split=0.3, subset='validation', seed=1, "
    "batch_size=1)))",
    f"{IDFD}(folder, image_size=(20, 24), interpolation='nearest', shuffle=False).map("
    "lambda x, y: as_float(x[:2]))",
    f"{IDFD}(folder, image_size=(8, 4), crop_to_aspect_ratio=True, interpolation='nearest', "
    "shuffle=False).map(lambda x, y: tf_shape(x))",
    f"{IDFD}(folder, image_size=(10, 6), crop_to_aspect_ratio=True, shuffle=False).map("
    "lambda x, y: x[:1])",
    f"{IDFD}(folder, image_size=(20, 12), pad_to_aspect_ratio=True, shuffle=False).map("
    "lambda x, y: x[:1])",
    f"{IDFD}(folder, image_size=(11, 17), pad_to_aspect_ratio=True, interpolation='nearest', "
    "shuffle=False).map(lambda x, y: np_any(x[0]))",
]  # fmt: skip
# Where rounding differs, and by how many levels: Pillow's filters round to whole levels along each
# axis, TensorFlow's decoder rounds grays, and its cubic kernel is a table.
ROUNDED = {
    f"{IDFD}(folder, color_mode='grayscale', {SMALL}).take(1)": 1.01,
    f"{IDFD}(folder, image_size=(20, 24), shuffle=False).map(lambda x, y: x[:2])": 1.01,
    f"{IDFD}(folder, image_size=(30, 36), interpolation='bicubic', shuffle=False).map("
    "lambda x, y: x[:1])": 1.51,
}

ROUNDED |= {
    f"keras.preprocessing.image.smart_resize({IMAGE}, {size}, 'bicubic')": 0.15
    for size in ((3, 3), (9, 16), (6, 5))
}

FLOW = "G().flow_from_directory(folder, target_size=(10, 12), shuffle=False, batch_size=3"
TABLE = "{'f': ['a/0.png', 'b/1.png', 'a/2.png', 'b/3.png'], 'y': ['u', 'v', 'u', 'v'], "
TABLE = f"frame({TABLE}'n': [1.5, 2.5, 3.5, 4.5], 'm': [1, 2, 3, 4], 'w': [1.0, 2.0, 0.5, 1.0]}})"
OF_TABLE = f"G().flow_from_dataframe({TABLE}, folder, 'f'"
REST = "target_size=(10, 12), shuffle=False, batch_size=3)"
ITERATORS = [
    *(f"printed(lambda: next({FLOW}, class_mode={mode!r})))"
      for mode in ("categorical", "binary", "sparse", "input", None)),
    f"{FLOW}).class_indices",
    f"names({FLOW}).filenames)",
    f"{FLOW})[2]",
    f"len({FLOW}))",
    f"[{FLOW}).{{}}".format("n") + "]",
    f"(lambda one: [next(one)[0].shape[0] for _ in range(7)] + [one.batch_index])({FLOW}))",
    f"(lambda one: (next(one), one.reset(), one.batch_index, next(one)[1]))({FLOW}))[2:]",
    f"(lambda one: (next(one), next(one), one.total_batches_seen))({FLOW}))[2]",
    f"[int(i) for i in (lambda one: (next(one), one.index_array))({FLOW}))[1]]",
    f"{FLOW}).image_shape",
    f"{FLOW}, color_mode='grayscale').image_shape",
    *(f"printed(lambda: next({OF_TABLE}, 'y', class_mode={mode!r}, {REST}))"
      for mode in ("categorical", "binary", "sparse", "input", None)),
    f"printed(lambda: next({OF_TABLE}, 'n', class_mode='raw', {REST})[1])",
    f"next({OF_TABLE}, ['n', 'm'], class_mode='raw', {REST})[1]",
    f"next({OF_TABLE}, ['n', 'm'], class_mode='multi_output', {REST})[1]",
    f"next({OF_TABLE}, 'y', 'w', {REST})[2]",
    f"{OF_TABLE}, 'y', classes=['v', 'u'], {REST}.class_indices",
    f"next({OF_TABLE}, 'y', classes=['v'], {REST})[1]",
    f"{OF_TABLE}, 'y', {REST}.filenames",
    f"[int(i) for i in {OF_TABLE}, 'y', class_mode='sparse', {REST}.labels]",
    f"len(G(validation_split=0.5).flow_from_dataframe({TABLE}, folder, 'f', 'y', "
    "subset='training', batch_size=1))",
    "next(G().flow(image_batch, np.arange(4), batch_size=2, shuffle=False, "
    "sample_weight=np.arange(4) / 2))",
]  # fmt: skip

FUNCTIONS = [
    *(f"image.smart_resize({IMAGE}, {size}, interpolation={method!r})"
      for method in ("bilinear", "nearest") for size in ((3, 3), (9, 16), (6, 5))),
    f"image.smart_resize({IMAGE}[0], (4, 4))",
    f"image.smart_resize({IMAGE}.transpose(0, 3, 1, 2), (4, 6), data_format='channels_first')",
    f"image.apply_channel_shift({IMAGE}[0], 20.0, channel_axis=2)",
    f"image.apply_brightness_shift({IMAGE}[0], 0.5)",
    f"image.apply_brightness_shift({IMAGE}[0], 1.4, scale=False)",
    f"image.img_to_array(image.array_to_img({IMAGE}[0]))",
    f"image.img_to_array(image.array_to_img({IMAGE}[0], scale=False), 'channels_first')",
    f"image.img_to_array(image.array_to_img({IMAGE}[0].transpose(2, 0, 1), 'channels_first'))",
    f"image.img_to_array({IMAGE}[0, :, :, 0], None, 'float16')",
    "keras.utils.normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))",
    "keras.utils.normalize(np.array([[3.0, 4.0], [6.0, 8.0]]), axis=-1, order=1)",
    "keras.utils.to_categorical([0, 2]).tolist()",
    "keras.utils.to_categorical(np.array([[0, 1], [2, 1]])).tolist()",
    "keras.utils.to_categorical(np.array([['0'], ['2']]), 4).tolist()",
    "keras.utils.to_categorical([0.0, 1.0]).tolist()",
    "[len(part) for part in keras.utils.split_dataset(np.arange(10), left_size=0.7)]",
    "[len(part) for part in keras.utils.split_dataset(np.arange(10), right_size=4)]",
    "[len(part) for part in keras.utils.split_dataset(np.arange(10), left_size=3, right_size=4)]",
    "keras.utils.split_dataset((np.arange(4), np.arange(8).reshape(4, 2)), 0.5)[1]",
    "keras.utils.split_dataset(D.range(5), left_size=2)[0]",
    "keras.utils.unpack_x_y_sample_weight((1, 2))",
    "keras.utils.pack_x_y_sample_weight(1, 2, 3)",
    "keras.backend.epsilon()",
    "keras.backend.floatx()",
    "keras.backend.image_data_format()",
    "keras.config.floatx()",
]  # fmt: skip

CASES = [*DATASETS, *COUNTS, *FOLDERS, *ROUNDED, *ITERATORS, *FUNCTIONS]


def make_folders(root: Path) -> tuple[Path, Path]:
    """Make a folder with two classes of four small images, and one with odd names."""
    two, mixed = root / "two", root / "mixed"
    for label, (name, (height, width)) in enumerate(SIZES.items()):
        for i in range(4):
            _save(two / name / f"{i}.png", 10 * label + i, height, width)
    for number, name in enumerate(MIXED):
        for i, file in enumerate(("2.png", "10.png", "B.png", "a.png", "deeper/0.png")):
            _save(mixed / name / file, 10 * number + i, 10, 12)
        (mixed / name / "notes.txt").write_text("no image")
    (mixed / ".hidden").mkdir()
    return two, mixed


def _save(path: Path, seed: int, height: int, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(1, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def evaluate(code: str, space: dict[str, Any], root: Path) -> Any:
    """Return the result of an expression as JSON holds it."""

    def printed(make: Any) -> Any:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            made = make()
        return [text.getvalue(), made]

    def names(paths: Any) -> list[str]:
        return [str(path).removeprefix(str(root)).lstrip("/") for path in paths]

    return shown(eval(code, {**space, "np": np, "printed": printed, "names": names}), space["D"])


def shown(value: Any, dataset: type) -> Any:
    """Return a result as JSON holds it: arrays as [dtype, shape, some of the values]."""
    if isinstance(value, dataset):
        return [shown(element, dataset) for element in value]
    if isinstance(value, dict):
        return {key: shown(one, dataset) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(one, dataset) for one in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    array = np.asarray(value)
    values = np.round(np.asarray(array, np.float64), 4).ravel().tolist()
    return [array.dtype.name, list(array.shape), values[:: 1 + len(values) // MOST]]
