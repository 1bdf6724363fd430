"""What a request brings: an image file, or the address of one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from minicnn.apps.web import refusals, service
from minicnn.apps.web.decoding import Decoded
from minicnn.apps.web.refusals import MAX_UPLOAD, Refused
from minicnn.data.image_files import with_opened_image
from minicnn.data.tools.fetch import download
from minicnn.errors import FetchRefused

FILE, ADDRESS = "image", "address"  # the fields of a form


class Upload(NamedTuple):
    """An image that somebody sent: a JPEG, upright, without metadata."""

    id: str  # 128 random bits, 32 hexadecimal digits
    path: Path
    width: int
    height: int


def receive(request: HttpRequest) -> Upload:
    """Keep the image of a request for an hour: of the field `image`, or that of `address`.

    Raises
    ------
    Refused
        400: neither field has a value; 403: addresses are not fetched; 413: too large; 415: not an
        image; 422: damaged, or the address is not reachable; 503: busy
    """
    image = received(request)
    uploads = service.current().uploads
    name = uploads.add(image)
    path = uploads.find(name)
    if path is None:
        raise Refused(404, refusals.GONE, "gone")
    return Upload(name, path, image.width, image.height)


def received(request: HttpRequest) -> Decoded:
    """Return the image of a request without keeping it; raises as `receive` does."""
    return service.current().decoders.decode(_content(request))


def find_upload(name: str) -> Upload:
    """Return the upload with this id; raise Refused (404) if it is not kept, or not any more."""
    path = service.current().uploads.find(name)
    if path is not None:
        with suppress(OSError):  # removed in the meantime
            return Upload(name, path, *with_opened_image(path, lambda image: image.size))
    raise Refused(404, refusals.GONE, "gone")


def _content(request: HttpRequest) -> bytes:
    file = request.FILES.get(FILE)
    if isinstance(file, UploadedFile) and file.size:
        if file.size > MAX_UPLOAD:
            raise Refused(413, refusals.TOO_LARGE, "too_large")
        return file.read()
    address = request.POST.get(ADDRESS, "").strip()
    if not address:
        raise Refused(400, refusals.NOTHING, "no_image")
    return _fetched(address)


def _fetched(address: str) -> bytes:
    current = service.current()
    if not current.allow_urls:
        raise Refused(403, refusals.NO_ADDRESSES, "addresses_off")
    if not current.fetching.acquire(blocking=False):
        raise refusals.busy()
    try:
        return download(address, current.limits, current.transport).content
    except FetchRefused as error:
        raise Refused(422, refusals.UNREACHABLE, "unreachable") from error
    finally:
        current.fetching.release()
