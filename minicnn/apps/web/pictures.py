"""The files of the library's pictures, which never lie outside its folders."""

from __future__ import annotations

from typing import BinaryIO

from minicnn.apps.library.models import Picture
from minicnn.apps.web import refusals, service
from minicnn.apps.web.refusals import Refused
from minicnn.errors import FormatError
from minicnn.support.files import open_below


def find_picture(number: int) -> Picture:
    """Return the row of a picture; raise Refused (404) if the library has none of this id."""
    rows = Picture.objects.using(service.current().library.alias).select_related("folder")
    found = rows.filter(pk=number).first()
    if found is None:
        raise Refused(404, refusals.NO_PICTURE, "no_picture")
    return found


def open_picture(picture: Picture) -> BinaryIO:
    """Open the file of a picture for reading.

    Raises
    ------
    Refused
        404: there is no such file any more, or its path leads out of the folder: by "..", or by a
        link, which may have been made after the folder was indexed
    """
    try:
        return open_below(picture.folder.path, picture.path)
    except (OSError, FormatError) as error:
        raise Refused(404, refusals.NO_PICTURE, "no_picture") from error
