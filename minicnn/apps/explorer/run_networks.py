"""The networks of a run: the best one, the last one, and those of epochs that are still there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.runs.folder import RunFolder
from minicnn.errors import ArgumentError
from minicnn.models import load_model
from minicnn.support.files import text_or_empty

RUNS = Path("runs")
MOST = 12  # checkpoints that are opened, the newest ones


def run_networks(path: Path) -> list[OpenNetwork]:
    """Return the networks of a run's folder, the best one first.

    Raises
    ------
    ArgumentError : the folder has no trained network, or it is of a kind that cannot be explored
    """
    folder, name = RunFolder(path), path.absolute().name
    files = [(file, ending) for file, ending in _files(folder) if file.is_file()]
    if not files:
        raise ArgumentError(
            f"{path} has no trained network (best.mcnn); give the folder of a run, such as "
            "runs/lenet, or a model file"
        )
    return [_opened(folder, name, file, ending) for file, ending in files]


def _files(folder: RunFolder) -> Iterator[tuple[Path, str]]:
    """Yield the models with what comes after the run's name in theirs."""
    yield folder.best, ""
    yield folder.last, "-last"
    found = [(_step(file), file) for file in folder.checkpoints.glob("checkpoint-*.mcnn")]
    known = sorted((step, file) for step, file in found if step is not None)
    for step, file in known[-MOST:]:
        yield file, f"-step-{step}"


def _step(file: Path) -> int | None:
    match = re.fullmatch(r"checkpoint-(\d+)\.mcnn", file.name)
    return int(match[1]) if match else None


def _opened(folder: RunFolder, run: str, file: Path, ending: str) -> OpenNetwork:
    model = load_model(file, compile=False)
    epoch = _best_epoch(folder) if ending == "" else len(_curve(model.saved_history)) or None
    what = {"": "best epoch", "-last": "last epoch"}.get(
        ending, ending.strip("-").replace("-", " ")
    )
    return opened(f"{run}{ending}", model, file, title=f"{run}, {what}", run=run, epoch=epoch)


def _best_epoch(folder: RunFolder) -> int | None:
    """Return the epoch of the best model as the report has it; None if it does not tell."""
    try:
        epoch = json.loads(text_or_empty(folder.report) or "{}").get("best_epoch")
    except (ValueError, AttributeError):
        return None
    return epoch if isinstance(epoch, int) else None


def _curve(history: dict[str, list[float]]) -> list[float]:
    return history.get("loss", [])
