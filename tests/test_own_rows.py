"""Of the processes of a training each prepares the images of its own shards, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.data.own_rows import each_with_own_rows
from minicnn.errors import UnreadableImagesError
from minicnn.models.strategy import set_strategy

SIZE = 8


def second_half(size: int) -> slice:
    return slice(size // 2, size)


class Recording:
    """A strategy that keeps the images that it is given, and takes no step."""

    batches_at_once = 1

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []

    def own_rows(self, samples: int) -> slice:
        return second_half(samples)

    def agree(self, *_: Any) -> None:
        pass

    def begin(self, _model: Any) -> None:
        pass

    def gather(self, _model: Any) -> None:
        pass

    def train_step(self, model: Any, batch: Any) -> Any:
        self.images.append(batch.inputs[0].copy())
        return model.test_step(batch)


def images_of_fit(source: Any) -> list[np.ndarray]:
    """The images of the batches of an epoch; rows that were not prepared are zeros."""
    model = mc.Sequential(
        [mc.Input((SIZE, SIZE, 3)), mc.layers.Flatten(), mc.layers.Dense(2, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    recording = Recording()
    set_strategy(recording)
    try:
        model.fit(source, epochs=1, verbose=0)
    finally:
        set_strategy(None)
    return recording.images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(12):
        path = tmp_path / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (SIZE, SIZE), (i + 1, 100, 100)).save(path)
    return tmp_path


def flow(_folder: Path) -> Any:
    x, y = np.full((12, SIZE, SIZE, 3), 9, np.uint8), np.arange(12) % 2
    return mc.data.ImageDataGenerator(horizontal_flip=True).flow(x, y, batch_size=4)


def from_directory(folder: Path) -> Any:
    return mc.data.ImageDataGenerator().flow_from_directory(
        folder, (SIZE, SIZE), class_mode="sparse", batch_size=4
    )


def dataset(folder: Path) -> Any:
    return mc.utils.image_dataset_from_directory(
        folder, image_size=(SIZE, SIZE), batch_size=4, verbose=False
    )


SOURCES = {"flow": flow, "flow_from_directory": from_directory, "a data set": dataset}


@pytest.mark.parametrize("name", SOURCES)
def test_only_the_own_rows_are_prepared(name: str, folder: Path) -> None:
    # The first batch is fetched before the training begins, and the second while it is used.
    last = images_of_fit(SOURCES[name](folder))[-1]
    assert len(last) == 4
    assert not last[:2].any() and last[2:].all()


def mixing(make: Callable[[Path], Any]) -> Callable[[Path], Iterator[Any]]:
    """A user's generator around a source: it adds each image to another one of the batch."""

    def mixed(folder: Path) -> Iterator[Any]:
        for x, y in make(folder).for_epoch(0):
            yield (x + x[::-1]) / 2, y

    return mixed


OTHERS = {
    "a generator that mixes images": mixing(flow),
    "a data set in another order": lambda folder: dataset(folder).unbatch().shuffle(12, 1).batch(4),
    "a data set that was changed": lambda folder: dataset(folder).map(lambda x, y: (x / 2, y)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_behind_anything_else_all_rows_are_prepared(name: str, folder: Path) -> None:
    for images in images_of_fit(OTHERS[name](folder)):
        assert images.all()


def test_an_image_that_cannot_be_read_is_not_left_out(folder: Path) -> None:
    """The other processes would keep it in their batches."""
    batches = from_directory(folder)
    batches.allow_unreadable = 1.0
    for path in folder.glob("a/*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(UnreadableImagesError, match="cannot be left out of a training on several"):
        list(each_with_own_rows(batches.for_epoch(0), second_half))
