"""The plan: where each image goes, under which name, and which stay."""

from __future__ import annotations

import os
import shutil
import types

import numpy as np
import pytest
from image_folders import save
from sorted_trees import answer, contents, gallery, picture, planned

import minicnn as mc
from minicnn.apps import sorter
from minicnn.apps.sorter import Answer, Choices, classifying, companions
from minicnn.apps.sorter.names import folder_name, folder_names, numbered_together
from minicnn.errors import ArgumentError
from minicnn.layers import Dense, GlobalAveragePooling2D


def targets(plan):
    """The path of each image below the folder of the classes; None if it stays."""
    return [one.target and str(one.target.relative_to(plan.into)) for one in plan.items]


def test_images_go_to_their_class_and_uncertain_ones_to_unsure(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.jpg")
    said = {
        "0": answer("cats", 0.95),
        "1": answer("dogs", 0.6),
        "2": answer("dogs", 0.59),
        "3": Answer((), "it is damaged"),
    }
    plan = planned(tmp_path, lambda path: said[path.stem])
    assert targets(plan) == ["cats/0.jpg", "dogs/1.jpg", "unsure/2.jpg", None]
    assert [one.label for one in plan.items] == ["cats", "dogs", None, None]
    assert [one.note for one in plan.items] == ["", "", sorter.UNSURE, sorter.UNREADABLE]
    assert plan.counts() == {"cats": 1, "dogs": 1, "unsure": 1}
    assert plan.notes() == {"unsure": 1, "unreadable": 1}
    assert [one.group.image.name for one in plan.least_certain(2)] == ["2.jpg", "1.jpg"]
    assert plan.items[0].probability == 0.95 and plan.items[3].probability is None


def test_uncertain_images_can_stay(tmp_path):
    picture(tmp_path / "a.jpg")
    plan = planned(tmp_path, lambda _: answer("cats", 0.3), unsure="")
    assert targets(plan) == [None] and plan.notes() == {"unsure": 1}
    assert sorter.apply(plan) == sorter.Outcome(0, [], skipped=1)


@pytest.mark.parametrize(
    "choices",
    [{"min_confidence": 1.5}, {"min_confidence": -1}, {"unsure": "../x"}, {"unsure": ".hidden"}],
    ids=str,
)
def test_choices_that_are_not_possible(tmp_path, choices):
    with pytest.raises(ArgumentError):
        planned(tmp_path, **choices)


def test_a_plan_changes_nothing(tmp_path):
    before = contents(gallery(tmp_path))
    planned(tmp_path)
    assert contents(tmp_path) == before and not (tmp_path / ".minicnn-sort").exists()


def test_names_that_exist_get_a_number_with_their_companions(tmp_path):
    gallery(tmp_path, 2)
    for name in ("img_1.JPG", "IMG_1 (1).mov"):
        picture(tmp_path / "cats" / name, "another one")
    plan = planned(tmp_path)
    assert targets(plan) == ["cats/IMG_0.jpg", "cats/IMG_1 (2).jpg"]
    names = [path.name for path in plan.items[1].targets]
    assert names == ["IMG_1 (2).jpg", "IMG_1 (2).MOV", "IMG_1 (2).xmp"]
    assert [one.group.image.name for one in plan.conflicts()] == ["IMG_1.jpg"]


SAME = {
    "equal": ("a.jpg", "a.jpg"),
    "in case": ("a.jpg", "A.JPG"),
    "in how accents are composed": ("\u00e9.jpg", "e\u0301.jpg"),
    "with a number": ("a (1).jpg", "a.jpg"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_names_that_some_disks_take_for_one_never_meet(tmp_path, one, other):
    for folder, name in (("1", one), ("2", other), ("3", "a.jpg")):
        picture(tmp_path / folder / name, folder)
    plan = planned(tmp_path, recursive=True)
    assert len({companions.name_key(path) for path in targets(plan)}) == 3
    assert sorter.apply(plan).failed == []
    assert len(list((tmp_path / "cats").iterdir())) == 3


def test_5000_equal_names(tmp_path, no_fsync):
    for i in range(5000):
        picture(tmp_path / "in" / f"{i // 100}" / f"{i % 100}" / "cat.jpg", i)
    plan = planned(tmp_path / "in", recursive=True, move=True, into=tmp_path / "out")
    assert len(set(targets(plan))) == 5000 and len(plan.conflicts()) == 4999
    shutil.copytree(tmp_path / "in", tmp_path / "copy")
    outcome = sorter.apply(plan)
    assert (outcome.done, outcome.failed) == (5000, [])
    sorted_files = {path.read_bytes() for path in (tmp_path / "out" / "cats").iterdir()}
    assert len(sorted_files) == 5000
    again = planned(tmp_path / "copy", recursive=True, into=tmp_path / "out")
    assert again.notes() == {sorter.THERE: 5000}
    assert sorter.undo(outcome.journal).done == 5000
    assert len(list((tmp_path / "in").rglob("cat.jpg"))) == 5000


def test_the_same_content_under_another_name_is_not_there_already(tmp_path):
    picture(tmp_path / "a.jpg", "same")
    picture(tmp_path / "cats" / "b.jpg", "same")
    assert targets(planned(tmp_path)) == ["cats/a.jpg"]


def test_an_image_is_there_only_with_its_companions(tmp_path):
    picture(tmp_path / "a.jpg")
    shutil.copytree(tmp_path, tmp_path / "cats")
    assert planned(tmp_path).notes() == {sorter.THERE: 1}
    (tmp_path / "a.xmp").write_text("five stars")
    plan = planned(tmp_path)
    assert [path.name for path in plan.items[0].targets] == ["a (1).jpg", "a (1).xmp"]


def test_a_link_is_not_taken_for_the_image_that_it_names(tmp_path):
    picture(tmp_path / "a.jpg")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.jpg").symlink_to(tmp_path / "a.jpg")
    assert targets(planned(tmp_path)) == ["cats/a (1).jpg"]


def test_a_person_may_choose_another_class(tmp_path):
    for folder in ("1", "2"):
        picture(tmp_path / folder / "a.jpg", folder)
    plan = planned(tmp_path, recursive=True)
    plan.assign(0, "other")
    plan.assign(1, "birds of prey")
    assert targets(plan) == ["other/a.jpg", "birds of prey/a.jpg"]
    plan.assign(1, "cats")
    assert targets(plan) == ["other/a.jpg", "cats/a.jpg"]
    plan.assign(0, "cats")
    plan.assign(1, None)
    assert targets(plan) == ["cats/a (1).jpg", "unsure/a.jpg"]
    assert [one.label for one in plan.items] == ["cats", None]


def test_bytes_needed(tmp_path):
    gallery(tmp_path, 3)
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert planned(tmp_path).bytes_needed() == size
    assert planned(tmp_path, move=True).bytes_needed() == 0
    assert planned(tmp_path, into=tmp_path / "new" / "folder").bytes_needed() == size


HOSTILE = {
    "../../etc": "_.._etc",
    "..": "_",
    "": "_",
    "a/b\\c": "a_b_c",
    "NUL": "_NUL",
    "com1.jpg": "_com1.jpg",
    ".minicnn-sort": "minicnn-sort",
    "ends. . ": "ends",
    "a\0b\nc": "a_b_c",
    "ä" * 200: "ä" * 127,
}


@pytest.mark.parametrize(("label", "name"), HOSTILE.items(), ids=lambda text: repr(text)[:20])
def test_no_class_name_leads_out_of_the_folder(tmp_path, label, name):
    assert folder_name(label) == name
    (tmp_path / name).mkdir()


def test_classes_keep_apart_where_case_is_ignored():
    assert folder_names(["Cat", "cat", "CAT"]) == {"CAT": "CAT", "Cat": "Cat (1)", "cat": "cat (2)"}
    assert folder_names(["a/b", "a:b"]) == {"a/b": "a_b", "a:b": "a_b (1)"}


def test_names_of_255_bytes_are_shortened_between_characters():
    names = ["é" * 125 + ".jpg", "é" * 125 + ".jpg.xmp"]
    new = numbered_together(names, 12)
    assert [len(name.encode()) for name in new] == [251, 255]
    assert {name[: name.index(" (12)")] for name in new} == {"é" * 121}


def test_names_that_are_not_utf_8(tmp_path):
    for folder in ("1", "2"):
        picture(tmp_path / folder / os.fsdecode(b"\xff\xfe.jpg"), folder)
    outcome = sorter.apply(planned(tmp_path, recursive=True))
    assert outcome.failed == []
    names = {os.fsencode(path.name) for path in (tmp_path / "cats").iterdir()}
    assert names == {b"\xff\xfe.jpg", b"\xff\xfe (1).jpg"}
    assert sorter.undo(outcome.journal).done == 2


@pytest.fixture
def by_brightness():
    """A network whose probability of "light" is the brightness of the image."""
    model = mc.Sequential([mc.Input((8, 8, 3)), GlobalAveragePooling2D(), Dense(1)])
    model.class_names, model.preprocess = ["dark", "light"], mc.data.Preprocess((8, 8))
    model.set_weights([np.full((3, 1), 1 / 3, np.float32), np.zeros(1, np.float32)])
    return model


def test_answers_are_in_order_and_name_what_cannot_be_read(tmp_path, by_brightness):
    for i in range(70):
        value = np.full((8, 8, 3), 3 * i, np.uint8)
        mc.data.save_img(tmp_path / f"{i:03d}.png", value, scale=False)
    whole = save(tmp_path / "010.png", 0).read_bytes()
    (tmp_path / "010.png").write_bytes(whole[: len(whole) // 2])
    found = sorter.find(tmp_path)
    calls = []
    said = sorter.classify(by_brightness, found.groups, done=calls.append)
    assert calls == list(range(1, 71))
    assert said[10].top == () and "truncated" in said[10].failure
    light = [dict(one.top)["light"] for i, one in enumerate(said) if i != 10]
    np.testing.assert_allclose(light, [3 * i / 255 for i in range(70) if i != 10], atol=1e-6)
    assert [one.top[0][0] for one in said if one.top] == ["dark"] * 42 + ["light"] * 27


def test_classifying_can_be_stopped(tmp_path, by_brightness):
    for i in range(100):
        save(tmp_path / f"{i:03d}.png", i)
    done = []
    stopped = sorter.classify(
        by_brightness, sorter.find(tmp_path).groups, done=done.append, stop=lambda: len(done) > 40
    )
    assert len(stopped) == len(done) == 64


def test_the_calibration_of_the_model_corrects_the_probabilities(by_brightness):
    squared = types.SimpleNamespace(probabilities=lambda p: p**2 / (p**2).sum(1, keepdims=True))
    model = types.SimpleNamespace(calibration=squared)
    rows = np.array([[0.8]])
    assert classifying.calibrated(by_brightness, rows).tolist() == [[1 - 0.8, 0.8]]
    wanted = [[0.04 / 0.68, 0.64 / 0.68]]
    np.testing.assert_allclose(classifying.calibrated(model, rows), wanted)


@pytest.mark.parametrize("lacking", ["preprocess", "class_names"])
def test_a_model_without_classes_or_preprocessing_is_refused(by_brightness, lacking):
    setattr(by_brightness, lacking, None)
    with pytest.raises(ArgumentError, match="cannot classify images"):
        sorter.classify(by_brightness, [])


def test_choices_have_documented_defaults():
    assert Choices() == (0.6, False, "unsure", None)
