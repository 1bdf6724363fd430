"""Why a file stays where it is, in the user's language and with what to do about it."""

from __future__ import annotations

import errno
import os

from PySide6.QtCore import QCoreApplication

CHANGED = "changed since it was sorted"  # what the sorter says when it undoes


def reason_text(reason: str) -> str:
    """Return a reason of the sorter in the user's language; unusual ones stay as they are.

    >>> reason_text("the image is truncated")
    'the image is truncated'
    """
    translate = QCoreApplication.translate
    permission = translate("Reasons", "you have no permission to change it")
    full = translate("Reasons", "the disk is full; free some space, then classify again")
    known = {
        os.strerror(errno.ENOSPC): full,
        os.strerror(errno.EDQUOT): full,
        os.strerror(errno.EROFS): translate(
            "Reasons", "the disk is read-only; copy the folder to another one first"
        ),
        os.strerror(errno.EACCES): permission,
        os.strerror(errno.EPERM): permission,
        os.strerror(errno.ENOENT): translate("Reasons", "it is no longer there"),
        CHANGED: translate("Reasons", "it was changed after it was sorted"),
    }
    return known.get(reason, reason)
