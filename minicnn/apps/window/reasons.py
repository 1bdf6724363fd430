"""Why a file stays where it is, in the user's language and with what to do about it."""

from __future__ import annotations

import errno
import os

from PySide6.QtCore import QCoreApplication


def reason_text(reason: str) -> str:
    """Return what the user can do about a reason that the operating system gave; else the reason.

    >>> reason_text("the image is truncated")
    'the image is truncated'
    """
    translate = QCoreApplication.translate
    permission = translate("Reasons", "you have no permission to change it")
    known = {
        errno.ENOSPC: translate(
            "Reasons", "the disk is full; free some space, then classify again"
        ),
        errno.EDQUOT: translate("Reasons", "your share of the disk is full; free some space"),
        errno.EROFS: translate("Reasons", "the disk is read-only"),
        errno.EACCES: permission,
        errno.EPERM: permission,
        errno.ENOENT: translate("Reasons", "it is no longer there"),
    }
    return {os.strerror(number): text for number, text in known.items()}.get(reason, reason)
