"""The section of a report that says how far the network's probabilities can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minicnn.apps.runs import html
from minicnn.apps.runs.calibrating import HEADINGS, Row

TITLE = "Can its probabilities be trusted?"


def run_section(report: dict[str, Any], folder: Path) -> str:
    """Return the section of a run's report; "" if its network has no calibration."""
    if (fields := report.get("calibration")) is None:
        return ""
    checked = "The test images, which have chosen nothing, check it."
    if report["data"]["validation_is_test"]:
        checked = "They are the validation images, too, and there are no others to check it."
    images = "test" if report["data"]["validation_is_test"] else "validation"
    fitted = f"It was fitted on the answers for {fields['answers']:,} {images} images. {checked}"
    figure = html.figure(folder / "reliability.png", "Accuracy by probability, before and after")
    return _section(fields, fitted, figure)


def test_section(fields: dict[str, Any] | None) -> str:
    """Return the section of `minicnn test --report`; "" if the model has no calibration."""
    if fields is None:
        return ""
    return _section(fields, "The model file holds it, and what it states at each probability.", "")


def _section(fields: dict[str, Any], fitted: str, figure: str) -> str:
    error, before = (
        fields[name] for name in ("expected_calibration_error", "expected_calibration_error_before")
    )
    text = (
        f"A temperature of {fields['temperature']:.2f} makes the probabilities agree with how "
        f"often the network is right. {fitted} On these images, probability and accuracy differ by "
        f"{error:.1%} on average (the expected calibration error); without it, by {before:.1%}."
    )
    rows = [Row(**row).cells for row in fields["thresholds"]]
    return html.section(TITLE, html.lead(text), html.table(HEADINGS, rows, right=range(5)), figure)
