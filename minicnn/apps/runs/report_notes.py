"""The notes of a report: what a reader must know to judge the results."""

from __future__ import annotations

import math
from typing import Any

from minicnn.apps.runs.settings import Settings


def general_notes(report: dict[str, Any], settings: Settings) -> list[str]:
    """Return what a reader must know to judge a run's results, whatever its recipe."""
    notes = (
        _shear_note(settings),
        _fold_note(report),
        _validation_note(report),
        _repeated_note(report),
        skipped_note(report),
    )
    return [note for note in notes if note]


def _shear_note(settings: Settings) -> str:
    shear = settings.augmentation.get("shear_range", 0)
    if not 0 < shear < 1:
        return ""
    return (
        f"shear_range={shear:g} means {shear:g} degrees, as in Keras, which has almost no effect; "
        f"{shear:g} radians would be {math.degrees(shear):.1f} degrees."
    )


def _fold_note(report: dict[str, Any]) -> str:
    fold = report.get("fold")
    if fold is None:
        return ""
    return (
        f"This is fold {fold['number']} of {fold['of']} of a cross-validation. Its test images are "
        f"those of the fold. They have chosen nothing: {report['data']['validation']:,} of the "
        "other images have chosen the epoch."
    )


def _validation_note(report: dict[str, Any]) -> str:
    if not report["data"]["validation_is_test"]:
        return ""
    return (
        "The test images were also the validation images: the model is that of epoch "
        f"{report['best_epoch']}, which had the best accuracy on them, so this accuracy is "
        f"slightly optimistic. That of the last epoch is {report['last_val_accuracy']:.2%}."
    )


def _repeated_note(report: dict[str, Any]) -> str:
    repeated, test = report["data"]["test_images_trained_on"], report["test"]
    if not repeated:
        return ""
    text = f"{repeated} of the {test['images']:,} test images are also training images."
    accuracy = test["accuracy_of_new_images"]
    return text if accuracy is None else f"{text} The accuracy on the others is {accuracy:.2%}."


def skipped_note(report: dict[str, Any]) -> str:
    """Return how many files were left out, "" if none; of a run or of a cross-validation."""
    count = len(report["data"]["skipped"])
    text = "files could not be read and were left out; report.json lists them."
    return f"{count} {text}" if count else ""
