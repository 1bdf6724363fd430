"""The part of `minicnn test` that tests models on changed images: `--robustness`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.apps.cli import output
from minicnn.apps.cli.model_file import Classifier, load_classifier
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.robustness import (
    FILES,
    LOST,
    Measured,
    add_to_report,
    as_dicts,
    measure,
    report_section,
    strengths_tolerated,
    table,
    write_files,
)
from minicnn.apps.runs.settings import CHOICE_OF_IMAGES, from_toml
from minicnn.apps.runs.throttled_progress import throttled_progress
from minicnn.errors import ArgumentError
from minicnn.installed import install_command


class RobustnessPlan(NamedTuple):
    """What will be tested and where the files go, checked before any work."""

    model: Path
    folder: Path
    compare: Sequence[Path]


class RobustnessResult(NamedTuple):
    """The results of all models, the files that were written and the section of a report."""

    measured: Measured
    files: list[Path]
    section: str

    def as_text(self) -> str:
        """Return the table and the files for the terminal."""
        meaning = (
            f"{LOST}: the strength at which the accuracy is 5 points lower; factors multiply one\n"
            "half of the images and divide the other."
        )
        files = "\n".join(f"  {path}" for path in self.files)
        return f"\n{output.table(*table(self.measured))}\n\n{meaning}\n{files}"

    def as_fields(self) -> dict[str, Any]:
        """Return the fields of the JSON object."""
        return {
            "robustness": as_dicts(self.measured),
            "tolerated": strengths_tolerated(self.measured),
            "files": self.files,
        }


def plan_robustness(
    model: Path, report: Path | None, out: Path | None, compare: Sequence[Path], *, force: bool
) -> RobustnessPlan:
    """Return where the files go: to `out`, the run folder, beside the report, or here.

    Raises
    ------
    FileExistsError : one of the files exists, and `--force` was not given
    FileNotFoundError : the folder does not exist
    """
    beside = Path() if report is None else report.parent
    folder = out or (model if model.is_dir() else beside)
    for name in FILES:
        output.check_target(folder / name, force=force)
    return RobustnessPlan(model, folder, compare)


def measure_robustness(
    plan: RobustnessPlan, classifier: Classifier, split: Split, directory: Path | None
) -> RobustnessResult:
    """Test the models on changed images, write the files, and add to the report of a run."""
    others = {path: _load_other(path, plan.model, classifier) for path in plan.compare}
    models = {plan.model: classifier} | others
    names = _short_names(list(models))
    measured = {}
    for path, one in models.items():
        progress = throttled_progress(output.note, f"Changed images, {names[path]}")
        measured[names[path]] = measure(one.model, one.preprocess, split, progress)
    files = write_files(plan.folder, measured, split.images[0])
    if len(files) < len(FILES):
        output.note(f"There are no figures without matplotlib: {install_command('plot')}")
    which = "test images" if directory is None else f"images of {directory.name}"
    section = report_section(plan.folder, measured, f"{split.total:,} {which}")
    page = plan.folder / "report.html"
    if plan.folder == plan.model and add_to_report(page, section):
        files.append(page)
    return RobustnessResult(measured, files, section)


def _load_other(path: Path, first: Path, classifier: Classifier) -> Classifier:
    """Load a model to compare; its images and classes must be those of the first one."""
    other = load_classifier(path)
    for what, mine, its in (
        ("images of", classifier.preprocess.image_shape, other.preprocess.image_shape),
        ("the classes", classifier.class_names, other.class_names),
    ):
        if mine != its:
            raise ArgumentError(
                f"models that are compared must see the same images: {path} takes {what} {its}, "
                f"but {first} takes {mine}"
            )
    configs = [RunFolder(run).config for run in (first, path)]
    if all(config.exists() for config in configs) and len(set(map(_images_of, configs))) > 1:
        output.warn(
            f"{path} was trained with another data folder, split, seed or fold than {first}, so "
            "these images may be among its training images"
        )
    return other


def _images_of(config: Path) -> str:
    """Return the settings of a run that decide which images it was trained on."""
    settings = from_toml(config)
    return repr([getattr(settings, name) for name in (*CHOICE_OF_IMAGES, "folds", "fold")])


def _short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the last part of each path, or whole paths if two would have the same name."""
    names = {path: path.resolve().name for path in paths}
    return names if len(set(names.values())) == len(names) else {path: str(path) for path in paths}
