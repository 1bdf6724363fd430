"""Cats and dogs: the paper's network for two classes."""

from __future__ import annotations

from minicnn.apps.runs.recipe import PHOTO_AUGMENTATION, PaperClaim, Recipe, adam
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="Cat or dog",
    paper=(
        "Image classification using deep learning: the same kind of network for two classes; the "
        "paper announces it and prints no results"
    ),
    settings=Settings(
        model="catdog",
        data="catdog",
        name="catdog",
        epochs=30,
        batch_size=32,
        optimizer=adam(0.001),
        augmentation=PHOTO_AUGMENTATION,
    ),
    classes=("cat", "dog"),
    claims=(
        PaperClaim("test images right", "not printed", "accuracy"),
        PaperClaim("right after the last epoch", "not printed", "last"),
        PaperClaim("classes", "cat, dog", "classes"),
        PaperClaim("parameters", "not printed", "parameters"),
        PaperClaim("epochs", "not printed", "epochs"),
        PaperClaim("training time", "not printed", "training"),
    ),
)
