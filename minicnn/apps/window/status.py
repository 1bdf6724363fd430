"""The sentences of the status line, in the user's language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from PySide6.QtCore import QLocale, QObject

from minicnn.apps import sorter
from minicnn.apps.sorter.finding import NEEDS_HEIC
from minicnn.apps.sorter.learning import Lesson
from minicnn.apps.window.reasons import reason_text
from minicnn.data.image_files import reason_of
from minicnn.errors import error_text
from minicnn.installed import install_command
from minicnn.support.text import printable


class Status(QObject):
    """What the status line says; the sentences without a comment are the paper's."""

    def no_folder(self) -> str:
        """Return what "Classify" says before a folder was opened."""
        return self.tr("Folder is not open")

    def no_images(self) -> str:
        """Return what is said about a folder without images."""
        return self.tr("There are no images")

    def found(self, count: int, left_alone: Mapping[str, int]) -> str:
        """Return how many images a folder has, and how many need a package that is missing."""
        text = self.tr("%Ln images found", "", count) if count else self.no_images()
        heic = left_alone.get(NEEDS_HEIC, 0)
        if not heic:
            return text
        more = self.tr("%Ln more are HEIC files, which this reads after: {}", "", heic)
        return f"{text}. {more.format(install_command('heic'))}"

    def looking(self) -> str:
        """Return what is said while the images of a folder are searched."""
        return self.tr("Looking for images…")

    def classifying(self) -> str:
        """Return what is said while images are classified."""
        return self.tr("Classifying…")

    def sorting(self, moved: bool) -> str:
        """Return what is said while files are moved or copied."""
        return self.tr("Moving…") if moved else self.tr("Copying…")

    def undoing(self) -> str:
        """Return what is said while a sorting is taken back."""
        return self.tr("Taking the last sort back…")

    def going_on(self) -> str:
        """Return what is said while a sorting that was interrupted goes on."""
        return self.tr("Going on with the last sort…")

    def learning(self) -> str:
        """Return what is said while the model learns."""
        return self.tr("Learning…")

    def learned(self, lesson: Lesson) -> str:
        """Return what a model has learned, and how right it was and is for the known classes."""
        count = self.tr("Learned from %Ln images.", "", sum(lesson.pictures.values()))
        known = lesson.known
        if known is None or known.before is None:
            return count
        text = self.tr("Of the classes known before, {} were right, and {} are now.")
        return " ".join([count, text.format(percent(known.before), percent(known.after))])

    def stopping(self) -> str:
        """Return what is said until the work ends that is to be canceled."""
        return self.tr("Stopping…")

    def not_sorted(self) -> str:
        """Return what is said after classifying was canceled."""
        return self.tr("Stopped; nothing was sorted")

    def sorted(self, outcome: sorter.Outcome, plan: sorter.Plan) -> str:
        """Return how a sorting ended: "Done!", and what is to be known besides."""
        if outcome.stopped:
            return self._stopped(outcome)
        first = self._failures(outcome) if outcome.failed else self.tr("Done!")
        return " ".join([first, *self.left_images(plan)])

    def undone(self, outcome: sorter.Outcome) -> str:
        """Return how an undoing ended."""
        if outcome.stopped:
            return self.tr("Stopped; undo once more to take the rest back")
        return self._failures(outcome) if outcome.failed else self.tr("Everything is as before")

    def resumed(self, outcome: sorter.Outcome) -> str:
        """Return how a sorting ended that was interrupted before."""
        if outcome.stopped:
            return self._stopped(outcome)
        return self._failures(outcome) if outcome.failed else self.tr("Done!")

    def failed(self, error: Exception) -> str:
        """Return why a step did nothing at all."""
        if isinstance(error, OSError) and error.filename and error.strerror:
            return f"{printable(error.filename)}: {reason_text(reason_of(error))}"
        return error_text(error) or type(error).__name__

    def left_images(self, plan: sorter.Plan) -> Iterator[str]:
        """Yield sentences about the images that a plan leaves where they are."""
        notes = plan.notes()
        if unreadable := notes.get(sorter.UNREADABLE, 0):
            yield self.tr("%Ln images cannot be read and stay where they are.", "", unreadable)
        if there := notes.get(sorter.THERE, 0):
            yield self.tr("%Ln images were sorted already.", "", there)

    def taken(self, count: int, example: str) -> str:
        """Return that images will get another name, such as `example`."""
        text = self.tr("%Ln names are taken; these images are saved as {} and so on.", "", count)
        return text.format(printable(example))

    def too_large(self, needed: int, free: int) -> str:
        """Return that the copies need more bytes than the disk has."""
        sizes = [QLocale().formattedDataSize(size) for size in (needed, free)]
        return self.tr("The copies need {}, but only {} are free.").format(*sizes)

    def _stopped(self, outcome: sorter.Outcome) -> str:
        count = self.tr("Stopped; %Ln images are sorted.", "", outcome.done)
        return " ".join([count, self.tr("“Undo last sort” takes them back.")])

    def _failures(self, outcome: sorter.Outcome) -> str:
        """Return how many images stay, and the most frequent reason."""
        (reason, _), *others = Counter(why for _, why in outcome.failed).most_common()
        count = self.tr("%Ln images stay where they are:", "", len(outcome.failed))
        more = self.tr("(and other reasons)") if others else ""
        return f"{count} {reason_text(reason)} {more}".strip() + "."


def percent(share: float) -> str:
    """Return a share as text, in whole percent.

    >>> percent(0.95)
    '95 %'
    """
    return f"{100 * share:.0f} %"
