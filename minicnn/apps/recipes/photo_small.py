"""Six kinds of photographs: the small, fast network of the photo sorter."""

from __future__ import annotations

from minicnn.apps.recipes import photo
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="Six kinds of photographs, small and fast",
    paper=(
        "No paper's: a network made for sorting photographs quickly, on the images of paper 0, "
        "split 70/20/10. The test images choose nothing"
    ),
    settings=Settings(
        model="photo-small",
        data="photos",
        name="photo-small",
        epochs=100,
        batch_size=32,
        split=(70, 20, 10),
        optimizer={
            "name": "adamw",
            "learning_rate": 0.003,
            "weight_decay": 0.02,
            "schedule": "cosine",
            "warm_up": 0.05,
        },
        augmentation={
            "rotation_range": 15,
            "width_shift_range": 0.12,
            "height_shift_range": 0.12,
            "zoom_range": [0.7, 1.15],
            "horizontal_flip": True,
            "brightness_range": [0.7, 1.3],
            "channel_shift_range": 20.0,
            "fill_mode": "reflect",
        },
    ),
    classes=photo.RECIPE.classes,
    claims=(),
)
