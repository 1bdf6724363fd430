"""Sick lungs or healthy ones on large X-ray images."""

from __future__ import annotations

from minicnn.apps.runs.recipe import Recipe, Said, adam
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
    said=(
        Said("test images right", "95 %", "accuracy"),
        Said("of them after the last epoch", "95 %", "last"),
        Said("images to train / validate / test", "60 % / 25 % / 15 %", "images"),
        Said("parameters", "29,556,898, worked out from its layers", "parameters"),
        Said("epochs", "20", "epochs"),
        Said("training time", "not printed", "training"),
    ),
    notes=("For study, not for diagnosis.",),
)
