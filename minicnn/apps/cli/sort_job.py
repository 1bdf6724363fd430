"""The plan of `minicnn sort`; with a table, several processes may classify the images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from minicnn.apps import sorter
from minicnn.apps.cli import output
from minicnn.apps.cli.model_file import load_sorter_model
from minicnn.apps.cli.options import typed
from minicnn.apps.cli.progress import counting
from minicnn.apps.cli.shared_work import facts, shared_table
from minicnn.apps.cli.sort_texts import images_text, left_alone_text, plan_rows
from minicnn.apps.sorter import Answer, Choices, Found, Group, Plan
from minicnn.apps.sorter.finding import NEEDS_HEIC
from minicnn.distributed.blocks import Work
from minicnn.distributed.launch import place
from minicnn.installed import install_command
from minicnn.models import Model
from minicnn.support.csv_files import write_csv


class SortJob:
    """A folder of images, and the model that says where each of them belongs.

    Parameters
    ----------
    model : .mcnn file or run folder; None is the model that comes with minicnn
    directory : the folder
    choices : as for `make_plan`
    recursive : whether the images in folders below it are sorted, too
    """

    def __init__(
        self, model: Path | None, directory: Path, choices: Choices, *, recursive: bool
    ) -> None:
        self._model, self._directory = model, directory
        self._choices, self._recursive = choices, recursive

    @cached_property
    def found(self) -> Found:
        """The images of the folder; it is an error if there are none."""
        found = sorter.find(self._directory, recursive=self._recursive)
        output.note(f"{images_text(len(found.groups))} found{left_alone_text(found.left_alone)}")
        if NEEDS_HEIC in found.left_alone:
            output.note(f"HEIC images are read after: {install_command('heic')}")
        if not found.groups:
            below = "" if self._recursive else "; folders below it are read with --recursive"
            raise FileNotFoundError(2, f"no images here{below}", str(self._directory))
        return found

    @cached_property
    def model(self) -> Model:
        """The model, loaded when it is first used."""
        return load_sorter_model(self._model)

    def plan(self) -> Plan:
        """Classify the images in this process, and plan."""
        groups, model = self.found.groups, self.model
        with counting("classifying") as progress:
            answers = sorter.classify(model, groups, done=lambda n: progress(n, len(groups)))
        return self._plan_of(answers)

    def shared_plan(self, csv_file: Path, *, force: bool) -> Plan | None:
        """Classify the images, perhaps with other processes, and write the plan as a table.

        Return None if another process has written it.
        """
        if place().rank == 0:
            _ = self.found, self.model  # so that mistakes are told before the work begins
        work = Work(lambda: facts(self._model), self._inputs, self._result_of_block)
        plan = None
        with shared_table(csv_file, work, force=force) as results:
            if results is not None:
                plan = self._plan_of([one for result in results for one in answers_of(result)])
                write_csv(csv_file, *plan_rows(plan))
        return plan

    def _inputs(self) -> list[str]:
        return [str(group.image) for group in self.found.groups]

    def _result_of_block(self, images: Sequence[str]) -> bytes:
        groups = [Group(Path(image)) for image in images]
        return json.dumps(sorter.classify(self.model, groups)).encode()

    def _plan_of(self, answers: Sequence[Answer]) -> Plan:
        return typed("--unsure-dir", sorter.make_plan, self.found, answers, self._choices)


def answers_of(result: bytes) -> list[Answer]:
    """Return the answers of a block's result.

    >>> answers_of(b'[[[["cat", 0.75], ["dog", 0.25]], null], [[], "the file is empty"]]')[0].top
    (('cat', 0.75), ('dog', 0.25))
    """
    return [
        Answer(tuple((label, share) for label, share in top), failure)
        for top, failure in json.loads(result)
    ]
