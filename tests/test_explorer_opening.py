"""Opening networks: files, runs, the zoo, and LeNet if none is named; and images to choose from."""

from __future__ import annotations

import json

import numpy as np
import pytest
from image_folders import make_folder

from minicnn import layers as la
from minicnn.apps.explorer import default_networks
from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.opening import open_networks
from minicnn.apps.explorer.problems import GONE, UNKNOWN, Problem
from minicnn.errors import ArgumentError
from minicnn.models import Model


def tiny(classes: int = 3) -> Model:
    image = la.Input((6, 6, 1))
    return Model(image, la.Dense(classes, activation="softmax")(la.Flatten()(image)))


def test_a_file_is_opened_with_numbers_for_class_names(tmp_path):
    tiny().save(tmp_path / "mine.mcnn")
    (network,) = open_networks([str(tmp_path / "mine.mcnn")])
    assert network.name == "mine"
    assert network.class_names == ("0", "1", "2")
    assert network.source == tmp_path / "mine.mcnn"


def test_class_names_of_a_model_are_kept(tmp_path):
    model = tiny()
    model.class_names = ["ant", "bee", "cat"]
    assert opened("mine", model).class_names == ("ant", "bee", "cat")


def test_a_run_has_its_best_and_its_last_epoch(tmp_path):
    run = tmp_path / "digits-1"
    (run / "checkpoints").mkdir(parents=True)
    for name in ("best.mcnn", "checkpoints/last.mcnn", "checkpoints/checkpoint-40.mcnn"):
        tiny().save(run / name)
    (run / "report.json").write_text(json.dumps({"best_epoch": 3}))
    found = open_networks([str(run)])
    assert [one.name for one in found] == ["digits-1", "digits-1-last", "digits-1-step-40"]
    assert (found[0].epoch, found[0].run) == (3, "digits-1")
    assert found[0].title == "digits-1, best epoch"


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"best\.mcnn"):
        open_networks([str(tmp_path)])


def test_networks_of_the_zoo_are_opened_by_name():
    found = open_networks(["lenet", "lenet", "photo-small"])
    assert [one.name for one in found] == ["lenet", "lenet-2", "photo-small"]
    assert found[2].class_names[0] == "animals"


def test_an_unknown_name_is_named():
    with pytest.raises(ArgumentError, match="did you mean lenet"):
        open_networks(["lennet"])
    with pytest.raises(FileNotFoundError):
        open_networks(["nowhere/best.mcnn"])


TOO_OTHER = {
    "two inputs": lambda: _two_inputs(),
    "no image": lambda: Model(x := la.Input((7,)), la.Dense(3)(x)),
    "any size": lambda: Model(x := la.Input((None, None, 3)), la.GlobalMaxPooling2D()(x)),
    "two channels": lambda: Model(x := la.Input((4, 4, 2)), la.Flatten()(x)),
    "two outputs": lambda: Model(x := la.Input((4, 4, 1)), [la.Flatten()(x), la.ReLU()(x)]),
    "nothing": lambda: Model(x := la.Input((4, 4, 1)), x),
    "maps, not classes": lambda: Model(x := la.Input((4, 4, 1)), la.Conv2D(2, 3)(x)),
}


def _two_inputs() -> Model:
    inputs = [la.Input((4, 4, 1)), la.Input((4, 4, 1))]
    return Model(inputs, la.Flatten()(la.Add()(inputs)))


@pytest.mark.parametrize("kind", TOO_OTHER)
def test_what_cannot_be_looked_into_is_refused_in_words(kind):
    with pytest.raises(Problem, match="mine"):
        opened("mine", TOO_OTHER[kind]())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, in a folder without runs, and a training on few images."""
    monkeypatch.setenv("MINICNN_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    train = default_networks.trained_lenets
    monkeypatch.setattr(default_networks, "trained_lenets", lambda say: train(say, images=256))
    return tmp_path


def weights(networks):
    return [value for one in networks for value in one.parameters.values()]


def test_without_a_name_it_is_lenet_which_is_trained_once(cache):
    said: list[str] = []
    first = open_networks([], said.append)
    assert [one.name for one in first] == ["lenet", "lenet-epoch-1", "lenet-epoch-0"]
    assert [one.epoch for one in first] == [2, 1, 0]
    assert len(said) == 3 and "of the test digits are right" in said[-1]
    again = open_networks([], said.append)
    assert len(said) == 3
    pairs = zip(weights(first), weights(again), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_the_training_is_repeatable(cache):
    quiet = lambda _text: None  # noqa: E731
    first, second = (default_networks.trained_lenets(quiet) for _ in range(2))
    pairs = zip(first[1].get_weights(), second[1].get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert not np.array_equal(first[0].get_weights()[0], first[1].get_weights()[0])


def test_a_damaged_file_of_the_cache_is_made_again(cache):
    open_networks([])
    file = cache / "cache" / "explorer" / "lenet-1-epoch-2.mcnn"
    file.write_bytes(b"damaged")
    assert len(open_networks([])) == 3
    assert file.stat().st_size > 1_000_000


def test_a_cache_that_cannot_be_written_is_said(cache):
    (cache / "cache").write_text("a file where the folder would be")
    said: list[str] = []
    assert len(open_networks([], said.append)) == 3
    assert "cannot be saved" in said[-1]


def test_the_run_in_the_folder_comes_first(cache):
    (cache / "runs" / "lenet").mkdir(parents=True)
    tiny(10).save(cache / "runs" / "lenet" / "best.mcnn")
    (network,) = open_networks([])
    assert (network.name, network.input_shape) == ("lenet", (6, 6, 1))


@pytest.fixture
def explorer(tmp_path):
    make_folder(tmp_path / "photos", {"cats": 2, "dogs": 3})
    model = tiny(2)
    model.class_names = ["dogs", "cats"]
    return Explorer([opened("pets", model)], tmp_path / "photos")


def test_images_of_a_folder_have_their_folders_class(explorer):
    images, network = explorer.images("folder"), explorer.network("pets")
    found = [images.chosen(number, network) for number in range(len(images))]
    assert [one.label for one in found] == [1, 1, 0, 0, 0]
    address = found[2].address
    assert address.startswith("folder:dogs/")
    assert explorer.image_pixels(address, network).shape == (6, 6, 1)
    assert explorer.image_label(address, network) == 0
    assert images.thumbnails(range(5)).shape == (5, 64, 64, 3)


def test_a_damaged_image_has_a_gray_thumbnail(explorer, tmp_path):
    images = explorer.images("folder")
    name = images.chosen(0, explorer.network("pets")).title
    (tmp_path / "photos" / name).write_bytes(b"no image")
    assert (images.thumbnails([0]) == 128).all()


@pytest.mark.parametrize("address", ["folder:../secret.jpg", "folder:", "mnist:10000", "mnist:-1",
                                     "mnist:x", "web:1", "", "mnist"])  # fmt: skip
def test_images_that_are_not_there(explorer, address):
    with pytest.raises(Problem) as caught:
        explorer.image_pixels(address, explorer.network("pets"))
    assert caught.value.code == UNKNOWN


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no images"):
        Explorer([opened("tiny", tiny())], tmp_path)


def test_unknown_networks_are_named(explorer):
    for name in ("other", "training-7", "training-x", "training-"):
        with pytest.raises(Problem) as caught:
            explorer.network(name)
        assert caught.value.code in (UNKNOWN, GONE)
