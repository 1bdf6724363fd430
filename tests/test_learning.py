"""`minicnn sort learn`: the last layer learns pictures that a person has put right."""

from __future__ import annotations

import numpy as np
import pytest
from image_folders import COLORS, make_colored

import minicnn as mc
from minicnn import layers
from minicnn.apps.runs import experiment
from minicnn.apps.runs.classifier_parts import feature_network, head_network
from minicnn.apps.runs.settings import Settings
from minicnn.apps.sorter.learning import learn, new_path
from minicnn.data import Preprocess
from minicnn.errors import ArgumentError, UnreadableImagesError
from minicnn.models import load_model
from minicnn.models.feature_sample import FeatureSample

YELLOW = {"yellow": (220, 210, 40)}
DIM = {"red": (90, 15, 10)}  # another red than the model has seen


def quiet(_):
    """Say nothing."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The model file of a run on three colors, and the folder of its images."""
    root = make_colored(tmp_path_factory.mktemp("colors"), 30)
    settings = Settings(
        model="cifar", data=str(root), name="colors", epochs=4, batch_size=16,
        image_size=(24, 24), optimizer={"name": "adam", "learning_rate": 0.003},
    )  # fmt: skip
    done = experiment.run(settings, tmp_path_factory.mktemp("runs"), verbose=0, say=quiet)
    return done.folder.best


@pytest.fixture(scope="module")
def model(trained):
    return load_model(trained, compile=False)


@pytest.fixture(scope="module")
def lesson(model, tmp_path_factory):
    """What the model has become that was shown twenty yellow images."""
    return learn(model, make_colored(tmp_path_factory.mktemp("new"), 20, YELLOW), say=quiet)


def images_of(root, colors, count=12):
    folder = make_colored(root, count, colors, noise=31)  # other noise than that of the pictures
    return sorted(folder.rglob("*.png"))


def predicted(model, paths):
    images, _, _ = mc.data.images.read_images(paths, **model.preprocess.reading)
    p = model.predict(model.preprocess(images), verbose=0)
    return [model.class_names[i] for i in p.argmax(1)]


def test_a_new_class_is_found_and_the_old_ones_are_kept(lesson, tmp_path):
    assert lesson.new_classes == ["yellow"] and lesson.pictures == {"yellow": 20}
    assert lesson.model.class_names == ["blue", "green", "red", "yellow"]
    for name, color in {**COLORS, **YELLOW}.items():
        paths = images_of(tmp_path / name, {name: color})
        assert predicted(lesson.model, paths).count(name) >= 11, name


def test_only_the_last_layer_changes(lesson, model):
    new, old = (feature_network(one).get_weights() for one in (lesson.model, model))
    assert all(np.array_equal(a, b) for a, b in zip(new, old, strict=True))
    kernel = head_network(lesson.model).get_weights()[0]
    assert kernel.shape[1] == 4
    assert model.class_names == ["blue", "green", "red"]


def test_the_lesson_says_what_changed(lesson):
    kinds = [(row.name, row.kind, row.images) for row in lesson.changes]
    assert kinds == [
        ("blue", "known", 6), ("green", "known", 6), ("red", "known", 6), ("yellow", "new", 20),
    ]  # fmt: skip
    assert lesson.changes[-1].before is None and lesson.changes[-1].after >= 0.9
    assert lesson.known.before == 1 and lesson.known.after == 1 and lesson.unreadable == 0


def test_the_new_model_is_calibrated_and_can_learn_again(lesson, tmp_path):
    assert len(lesson.model.calibration.correct) == 18 + 20
    lesson.model.save(tmp_path / "m.mcnn")
    again = load_model(tmp_path / "m.mcnn")
    black = learn(again, make_colored(tmp_path / "more", 20, {"black": (5, 5, 5)}), say=quiet)
    assert black.model.class_names == ["blue", "green", "red", "yellow", "black"]
    for name, color in {**COLORS, **YELLOW, "black": (5, 5, 5)}.items():
        paths = images_of(tmp_path / name, {name: color})
        assert predicted(black.model, paths).count(name) >= 11, name


def test_pictures_of_a_known_class_are_learned(model, tmp_path):
    lesson = learn(model, make_colored(tmp_path / "new", 20, DIM), say=quiet)
    assert lesson.new_classes == [] and lesson.model.class_names == model.class_names
    (more,) = [row for row in lesson.changes if row.kind == "more"]
    assert (more.name, more.images) == ("red", 20)
    paths = images_of(tmp_path / "other", DIM)
    assert more.before == pytest.approx(predicted(model, paths).count("red") / 12, abs=0.25)
    assert predicted(lesson.model, paths).count("red") >= 11


def test_the_accuracy_of_pictures_is_that_of_models_that_have_not_learned_them(model, tmp_path):
    """Two classes of one color cannot be told apart, however well they are learned by heart."""
    same = make_colored(tmp_path, 20, {"one": (120, 120, 120), "two": (121, 120, 120)})
    lesson = learn(model, same, say=quiet)
    after = [row.after for row in lesson.changes if row.kind == "new"]
    assert len(after) == 2 and np.mean(after) < 0.8


def test_it_is_the_same_every_time(model, tmp_path):
    folder = make_colored(tmp_path, 20, YELLOW)
    first, second = (learn(model, folder, say=quiet).model.get_weights() for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_few_pictures_are_learned_without_a_number(model, tmp_path):
    lesson = learn(model, make_colored(tmp_path, 3, YELLOW), say=quiet)
    assert lesson.pictures == {"yellow": 3}
    assert [row.kind for row in lesson.changes] == ["known"] * 3


def test_unsure_pictures_and_files_that_are_no_images_are_left_out(model, tmp_path):
    folder = make_colored(tmp_path, 6, YELLOW)
    make_colored(folder, 2, {"unsure": (0, 0, 0)})
    (folder / "yellow" / "broken.png").write_bytes(b"nothing")
    lesson = learn(model, folder, say=quiet)
    assert lesson.pictures == {"yellow": 6} and lesson.unreadable == 1


def test_without_pictures_nothing_is_learned(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        learn(model, tmp_path / "none", say=quiet)
    with pytest.raises(FileNotFoundError, match="put the pictures of each class into one"):
        learn(model, tmp_path, say=quiet)
    (tmp_path / "yellow").mkdir()
    (tmp_path / "yellow" / "broken.png").write_bytes(b"nothing")
    with pytest.raises(UnreadableImagesError, match="1 of 1 images cannot be read"):
        learn(model, tmp_path, say=quiet)


def small(*last, **marks):
    model = mc.Sequential([layers.Input((8, 8, 3)), *last])
    model.class_names, model.preprocess = ["a", "b"], Preprocess((8, 8))
    for name, value in marks.items():
        setattr(model, name, value)
    return model


def test_a_network_of_one_sigmoid_learns_and_gets_two_outputs(tmp_path):
    model = small(layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid"))
    model.class_names = ["blue", "red"]
    values = np.array([[0.1, 0.1, 0.9]] * 6 + [[0.9, 0.1, 0.1]] * 6)
    held_out = np.arange(12) % 2 == 1
    model.feature_sample = FeatureSample(values, np.repeat([0, 1], 6), held_out)
    same = learn(model, make_colored(tmp_path / "1", 6, {"red": COLORS["red"]}), say=quiet)
    assert same.model.output_shape == (None, 1) and same.model.calibration is None
    assert same.known.after == 1
    more = learn(model, make_colored(tmp_path / "2", 6, YELLOW), say=quiet)
    assert more.model.output_shape == (None, 3) and more.known.after == 1
    assert more.model.calibration is not None


WRONG = {
    "no features": (lambda: small(layers.Flatten(), layers.Dense(2, "softmax")), "keeps no feat"),
    "no Dense": (lambda: small(layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()), "ends in"),
    "other features": (
        lambda: small(
            layers.Flatten(),
            layers.Dense(2, "softmax"),
            feature_sample=FeatureSample(np.zeros((2, 3)), np.arange(2), np.zeros(2, bool)),
        ),
        "keeps no features",
    ),
    "no preprocessing": (
        lambda: small(layers.Flatten(), layers.Dense(2, "softmax"), preprocess=None),
        "has no preprocessing",
    ),
}


@pytest.mark.parametrize(("make", "text"), WRONG.values(), ids=WRONG.keys())
def test_a_model_that_cannot_learn_says_why(make, text, tmp_path):
    with pytest.raises(ArgumentError, match=text):
        learn(make(), make_colored(tmp_path, 1, YELLOW), say=quiet)


def test_the_new_file_has_a_new_name(tmp_path):
    (tmp_path / "photo-2.mcnn").touch()
    assert new_path(tmp_path / "photo.mcnn").name == "photo-3.mcnn"
    assert new_path(tmp_path / "scene.keras").name == "scene-2.mcnn"
