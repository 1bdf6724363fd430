"""The callback that writes curves for TensorBoard."""

from __future__ import annotations

import os
import time
from typing import Any

from minicnn.callbacks.base import Callback, Logs, Trainer, check_path, make_folder
from minicnn.checks import check_flag, check_int, quoted
from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra
from minicnn.support.main_process import is_main


class TensorBoard(Callback):
    """Writes curves for `tensorboard --logdir DIR`.

    Parameters
    ----------
    log_dir : the folder for the subfolders `train` and `validation`
    histogram_freq : epochs after which histograms of the weights are written; 0 writes none
    write_graph : without effect; `model.summary()` and `utils.plot_model` show the network
    write_images, profile_batch, embeddings_freq, embeddings_metadata : nothing else than the
        default
    write_steps_per_second : True adds the curve of the steps per second
    update_freq : "epoch", or a number of batches after which the curves `batch_...` get a point;
        "batch" is 1

    Raises
    ------
    MissingExtraError : tensorboardX is not installed
    ArgumentError : an argument asks for what is not written
    """

    adds_logs = False

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        self.log_dir = check_path(log_dir, "log_dir")
        self.histogram_freq = check_int(histogram_freq, "histogram_freq", 0)
        self.write_graph = check_flag(write_graph, "write_graph")
        self.write_steps_per_second = check_flag(write_steps_per_second, "write_steps_per_second")
        _refuse("write_images", write_images, "weights are no images; histogram_freq=1 shows them")
        _refuse("profile_batch", profile_batch, "print(model.program()) shows a step")
        _refuse("embeddings_freq", embeddings_freq, "there are no layers of embeddings")
        _refuse("embeddings_metadata", embeddings_metadata, "there are no layers of embeddings")
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            check_int(self.update_freq, 'update_freq, if not "epoch" or "batch",')
        self._new_writer = _summary_writer()
        self._writers: dict[str, Any] = {}
        self._epoch = 0
        self._began, self._steps = 0.0, 0  # of the epoch: when, and after how many steps

    def set_model(self, model: Trainer) -> None:
        """Set `self.model`, and begin new files."""
        super().set_model(model)
        self._close()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Create the folder, so that a wrong path is an error before the first epoch."""
        make_folder(self.log_dir)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch: later points replace those that an interrupted training wrote."""
        self._epoch = epoch
        self._began, self._steps = time.perf_counter(), self.model.optimizer.steps

    @property
    def every_batch(self) -> bool:
        """Whether the curves have points per batch."""
        return self.update_freq != "epoch"

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Add the points of a batch, at the number of steps so far."""
        step = self.model.optimizer.steps
        if self.update_freq != "epoch" and step % int(self.update_freq) == 0:
            for name, value in (logs or {}).items():
                self._writer("train").add_scalar(f"batch_{name}", value, step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the points of an epoch; `val_` values go to the folder of the validation."""
        for name, value in (logs or {}).items():
            folder = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            self._writer(folder).add_scalar(tag, value, epoch)
        if self.write_steps_per_second:
            steps = self.model.optimizer.steps - self._steps
            rate = steps / (time.perf_counter() - self._began)
            self._writer("train").add_scalar("epoch_steps_per_second", rate, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_histograms(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files of the curves."""
        self._close()

    def on_interrupt(self) -> None:
        """Close the files of the curves."""
        self._close()

    def _write_histograms(self, epoch: int) -> None:
        for parameter in self.model.parameters:
            tag = f"{parameter.name}/histogram"
            self._writer("train").add_histogram(tag, parameter.value, epoch)

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            purge = {"purge_step": self._epoch} if self.update_freq == "epoch" else {}
            self._writers[folder] = self._new_writer(
                str(self.log_dir / folder), write_to_disk=is_main(), **purge
            )
        return self._writers[folder]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _refuse(name: str, value: Any, reason: str) -> None:
    if value:
        raise ArgumentError(f"{name}={quoted(value)} is not supported: {reason}; leave it out")


def _summary_writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError as err:
        raise missing_extra("TensorBoard needs tensorboardX", "tensorboard") from err
    return SummaryWriter
