"""Data sets, folders, tables and images against what Keras 3.15.1 and TensorFlow 2.21 answer."""

from __future__ import annotations

import json
from pathlib import Path

import keras_data_cases as cases
import numpy as np
import pytest

import minicnn as mc

KNOWN = json.loads((Path(__file__).parent / "keras_data.json").read_text())

# Where minicnn's answer is another one on purpose, and which.
OTHERS = {}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras data")
    cases.make_folders(folder)
    return folder


def spec(structure):
    if isinstance(structure, mc.data.TensorSpec):
        return f"{structure.shape} {structure.dtype}"
    return tuple(spec(one) for one in structure)


def ours(code, root):
    space = {
        "D": mc.data.Dataset,
        "G": mc.preprocessing.image.ImageDataGenerator,
        "frame": dict,
        "image": mc.preprocessing.image,
        "keras": mc,
        "folder": str(root / "two"),
        "mixed": str(root / "mixed"),
        "image_batch": np.ones((4, 5, 6, 3), np.float32),
        "np_any": lambda x: (x > 0).any(-1),
        "tf_shape": lambda x: np.int32(x.shape),
        "as_float": np.float32,
        "spec": spec,
    }
    return cases.evaluate(code, space, root)


def assert_same(ours, theirs, bound=1e-3):
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            assert_same(ours[key], value, bound)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (ours, theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other, bound)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, abs=bound)
    else:
        assert ours == theirs


@pytest.mark.parametrize("code", cases.CASES)
def test_the_answer_is_keras_s(code, root):
    answer = OTHERS.get(code, KNOWN["results"][code])
    assert_same(ours(code, root), answer, cases.ROUNDED.get(code, 1e-3))


def test_the_answers_are_of_these_expressions():
    assert KNOWN["about"] == {"keras": "3.15.1", "tensorflow": "2.21.0"}
    assert list(KNOWN["results"]) == cases.CASES
