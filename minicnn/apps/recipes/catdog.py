"""Is it a cat or a dog?"""

from __future__ import annotations

from minicnn.apps.runs.recipe import PHOTOGRAPHS, Recipe, Said, adam
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="Cat or dog",
    paper=(
        "Image classification using deep learning: the same kind of network for two classes; the "
        "paper announces it and prints no figure"
    ),
    settings=Settings(
        model="catdog",
        data="catdog",
        name="catdog",
        epochs=30,
        batch_size=32,
        optimizer=adam(0.001),
        augmentation=PHOTOGRAPHS,
    ),
    classes=("cat", "dog"),
    said=(
        Said("test images right", "not printed", "accuracy"),
        Said("of them after the last epoch", "not printed", "last"),
        Said("classes", "cat, dog", "classes"),
        Said("parameters", "not printed", "parameters"),
        Said("epochs", "not printed", "epochs"),
        Said("training time", "not printed", "training"),
    ),
)
