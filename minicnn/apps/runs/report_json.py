"""report.json, everything that a run measured, and the same values as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minicnn.apps.machine import machine
from minicnn.apps.runs.before_after import HEADINGS, BeforeAfter
from minicnn.apps.runs.calibrating import check_of
from minicnn.apps.runs.image_splits import ImageSplits
from minicnn.apps.runs.predictions import per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.run_result import RunResult
from minicnn.apps.runs.settings import Settings, to_toml
from minicnn.apps.runs.train_test_overlap import accuracy_of_new_images, repeated_images
from minicnn.support.text import format_seconds
from minicnn.version import __version__

SCHEMA = 1  # incremented when a key changes its meaning


def report_fields(result: RunResult, recipe: Recipe | None, command: str) -> dict[str, Any]:
    """Return the contents of report.json, which names no folder of this machine."""
    settings, history, predictions = result.settings, result.history, result.predictions
    repeated = repeated_images(result.images.train, result.images.test)
    report: dict[str, Any] = {
        **head_fields(settings, command),
        "data": {
            "name": Path(settings.data).name or f"{settings.model}'s own",
            **_data_fields(result.images),
            "test_images_trained_on": int(repeated.sum()),
        },
        "settings": settings_text(settings),
        "parameters": result.model.count_params(),
        "epochs": len(history.get("loss", [])),
        "best_epoch": result.best_epoch,
        "best_val_accuracy": max(history["val_accuracy"]),
        "last_val_accuracy": history["val_accuracy"][-1],
        "test": _test_fields(result, repeated),
        "seconds": {name: round(value, 3) for name, value in result.seconds.items()},
        "per_class": [row._asdict() for row in per_class(predictions)],
        "confusion": predictions.confusion.tolist(),
        "history": history,
    }
    if (check := check_of(result.model, predictions)) is not None:
        report["calibration"] = check.as_fields()
    if result.changes is not None:
        report["before_after"] = change_fields(result.changes)
    if settings.fold:
        report["fold"] = {
            "number": settings.fold,
            "of": settings.folds,
            "test_images_left_alone": result.images.left_alone,
        }
    if recipe is not None:
        report["paper"] = [list(row) for row in paper_comparison(recipe, report)]
    return report


def head_fields(settings: Settings, command: str) -> dict[str, Any]:
    """Return the first fields of report.json, of a run or of a cross-validation."""
    return {
        "schema": SCHEMA,
        "name": settings.title,
        "command": command,
        "minicnn": __version__,
        "machine": machine(),
    }


def settings_text(settings: Settings) -> str:
    """Return the settings as TOML, with the names of their folders alone."""
    names = {name: Path(getattr(settings, name)).name for name in ("data", "start", "keep")}
    return to_toml(settings.changed(**names))


def change_fields(changes: BeforeAfter) -> dict[str, Any]:
    """Return the accuracies before and after continual learning."""
    known, everything = changes.known, changes.everything
    return {
        "start": changes.start,
        "test_images_of_start": changes.earlier_tests,
        "classes": [row._asdict() for row in changes.classes],
        "known_classes": None if known is None else known._asdict(),
        "all_classes": everything._asdict(),
        "table": [list(HEADINGS), *changes.rows],
    }


def _data_fields(images: ImageSplits) -> dict[str, Any]:
    return {
        "classes": images.class_names,
        "train": images.train.total,
        "validation": images.validation.total,
        "test": images.test.total,
        "validation_is_test": images.shared,
        "skipped": [list(pair) for pair in images.skipped],
    }


def _test_fields(result: RunResult, repeated: np.ndarray) -> dict[str, Any]:
    """Return the scores on the test images, of which `repeated` are training images, too."""
    predictions = result.predictions
    return {
        "images": len(predictions.labels),
        "wrong": predictions.wrong,
        "accuracy": predictions.accuracy,
        "loss": result.loss,
        "accuracy_of_new_images": accuracy_of_new_images(predictions, repeated),
    }


def paper_comparison(recipe: Recipe, report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows (what, paper, here) of the table; "-" where the run measured nothing."""
    texts = measured_texts(report)
    return [(claim.what, claim.paper, texts.get(claim.measured, "-")) for claim in recipe.claims]


def measured_texts(report: dict[str, Any]) -> dict[str, str]:
    """Return a report's values as text, by the keys that the claims of recipes use."""
    test, seconds, data = report["test"], report["seconds"], report["data"]
    ms_per_image = 1000 * seconds["classifying"] / max(1, test["images"])
    return {
        "accuracy": f"{test['accuracy']:.2%}",
        "last": f"{report['last_val_accuracy']:.2%}",
        "loss": f"{test['loss']:.4f}",
        "wrong": f"{test['wrong']:,} of {test['images']:,}",
        "parameters": f"{report['parameters']:,}",
        "epochs": f"{report['epochs']}, the best was {report['best_epoch']}",
        "training": format_seconds(seconds["training"], "words"),
        "classifying": f"{test['images']:,} images in {seconds['classifying']:.2f} s, "
        f"{ms_per_image:.2f} ms each",
        "images": f"{data['train']:,} / {data['validation']:,} / {test['images']:,}",
        "classes": ", ".join(data["classes"]),
    }
