"""What a run measured: report.json, and the same in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minicnn.apps.machine import machine
from minicnn.apps.runs.experiment import Outcome
from minicnn.apps.runs.predictions import per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.settings import to_toml
from minicnn.apps.runs.train_test_overlap import accuracy_of_new_images, repeated_images
from minicnn.support.text import format_seconds
from minicnn.version import __version__

SCHEMA = 1  # a number more when a key changes its meaning


def measured(outcome: Outcome, recipe: Recipe | None, command: str) -> dict[str, Any]:
    """report.json: numbers for programs, and nothing that only this machine could know."""
    answers, images, history = outcome.answers, outcome.images, outcome.history
    settings = outcome.settings
    repeated = repeated_images(images.train, images.test)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "name": settings.title,
        "command": command,
        "minicnn": __version__,
        "machine": machine(),
        "data": {
            "name": Path(settings.data).name or f"{settings.model}'s own",
            "classes": images.class_names,
            "train": images.train.total,
            "validation": images.validation.total,
            "test": images.test.total,
            "validation_is_test": images.shared,
            "skipped": [list(pair) for pair in images.skipped],
            "test_images_trained_on": int(repeated.sum()),
        },
        "settings": to_toml(settings.changed(data=Path(settings.data).name)),
        "parameters": outcome.model.count_params(),
        "epochs": len(history.get("loss", [])),
        "best_epoch": outcome.best_epoch,
        "best_val_accuracy": max(history["val_accuracy"]),
        "last_val_accuracy": history["val_accuracy"][-1],
        "test": {
            "images": len(answers.labels),
            "wrong": answers.wrong,
            "accuracy": answers.accuracy,
            "loss": outcome.loss,
            "accuracy_of_new_images": accuracy_of_new_images(answers, repeated),
        },
        "seconds": {name: round(value, 3) for name, value in outcome.seconds.items()},
        "per_class": [row.as_dict() for row in per_class(answers)],
        "confusion": answers.confusion.tolist(),
        "history": history,
    }
    if recipe is not None:
        report["paper"] = [list(row) for row in beside_paper(recipe, report)]
    return report


def beside_paper(recipe: Recipe, report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The table "paper / here"; what was not measured here is "-"."""
    here = here_texts(report)
    return [(said.what, said.paper, here.get(said.here, "-")) for said in recipe.said]


def here_texts(report: dict[str, Any]) -> dict[str, str]:
    """What a recipe's lines can be compared with, in words."""
    test, seconds = report["test"], report["seconds"]
    return {
        "accuracy": f"{test['accuracy']:.2%}",
        "last": f"{report['last_val_accuracy']:.2%}",
        "loss": f"{test['loss']:.4f}",
        "wrong": f"{test['wrong']:,} of {test['images']:,}",
        "parameters": f"{report['parameters']:,}",
        "epochs": f"{report['epochs']}, the best was {report['best_epoch']}",
        "training": format_seconds(seconds["training"], "words"),
        "classifying": f"{test['images']:,} images in {seconds['classifying']:.2f} s, "
        f"{1000 * seconds['classifying'] / max(1, test['images']):.2f} ms each",
        "images": f"{report['data']['train']:,} / {report['data']['validation']:,} / "
        f"{test['images']:,}",
        "classes": ", ".join(report["data"]["classes"]),
    }
