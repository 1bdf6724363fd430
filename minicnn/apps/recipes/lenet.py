"""Handwritten digits: LeNet, the paper's system 1."""

from __future__ import annotations

from minicnn.apps.runs.recipe import PaperClaim, Recipe
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="LeNet on MNIST",
    paper=(
        "Image classification search system based on deep learning: Caffe's LeNet, 60,000 digits "
        "to train, 10,000 to test, on a CPU"
    ),
    settings=Settings(
        model="lenet",
        data="",  # the digits in the package; --data gives others
        name="lenet",
        epochs=8,
        batch_size=64,
        shift=1,
        optimizer={
            "name": "sgd",
            "learning_rate": 0.05,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "decoupled": False,
            "schedule": "cosine",
            "warm_up": 0.02,
        },
    ),
    # Caffe's solver: rate 0.01, momentum 0.9, and about 10,000 steps.
    printed=Settings(
        model="lenet",
        data="",
        name="lenet-printed",
        epochs=11,
        batch_size=64,
        optimizer={
            "name": "sgd",
            "learning_rate": 0.01,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "decoupled": False,
        },
    ),
    classes=tuple(map(str, range(10))),
    claims=(
        PaperClaim("test digits right", "about 99.2 %", "accuracy"),
        PaperClaim("test digits wrong", "about 80 of 10,000", "wrong"),
        PaperClaim("classifying 10,000 digits", "< 10 s, < 1 ms each", "classifying"),
        PaperClaim("parameters", "about 48,285 (Caffe's LeNet has 431,080)", "parameters"),
        PaperClaim("epochs", "not printed", "epochs"),
        PaperClaim("training time", "not printed", "training"),
    ),
)
