"""Six kinds of photographs: the network of the paper's photo sorter."""

from __future__ import annotations

from minicnn.apps.runs.recipe import PHOTO_AUGMENTATION, PaperClaim, Recipe, adam
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="Six kinds of photographs",
    paper=(
        "The problem of images' classification: neural networks: three pairs of convolutions and "
        "two dense layers on 150 x 150 photographs, split 70/20/10"
    ),
    settings=Settings(
        model="photo",
        data="photos",
        name="photo",
        epochs=80,
        batch_size=32,
        split=(70, 20, 10),
        label_smoothing=0.1,
        optimizer=adam(0.0005),
        augmentation={**PHOTO_AUGMENTATION, "rotation_range": 15, "brightness_range": [0.7, 1.3]},
    ),
    classes=("animals", "architecture", "car", "food", "nature", "people"),
    claims=(
        PaperClaim("test images right", "not printed", "accuracy"),
        PaperClaim("images to train / validate / test", "70 % / 20 % / 10 %", "images"),
        PaperClaim("classes", "animals, architecture, car, food, nature, people", "classes"),
        PaperClaim("parameters", "15,892,806, worked out from its layers", "parameters"),
        PaperClaim("epochs", "200; from 180 on it overfits", "epochs"),
        PaperClaim("training time", "not printed", "training"),
    ),
)
