"""Pneumonia on large X-ray images: the paper's network for two classes."""

from __future__ import annotations

from minicnn.apps.runs.recipe import PaperClaim, Recipe, adam
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="Pneumonia on X-ray images",
    paper=(
        "Convolutional neural networks in the task of image classification: three convolutions of "
        "5 x 5 and two dense layers on 512 x 512 x 3 images, 20 epochs"
    ),
    settings=Settings(
        model="xray",
        data="xray",
        name="xray",
        epochs=20,
        batch_size=16,
        optimizer=adam(0.0003),
    ),
    classes=("normal", "pneumonia"),
    claims=(
        PaperClaim("test images right", "95 %", "accuracy"),
        PaperClaim("right after the last epoch", "95 %", "last"),
        PaperClaim("images to train / validate / test", "60 % / 25 % / 15 %", "images"),
        PaperClaim("parameters", "29,556,898, worked out from its layers", "parameters"),
        PaperClaim("epochs", "20", "epochs"),
        PaperClaim("training time", "not printed", "training"),
    ),
    notes=("For study, not for diagnosis.",),
)
