"""From what is asked to a query: the pictures of a search, and what the network sees on them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from django.urls import reverse

from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.library.reading import read_picture
from minicnn.apps.library.searching import Query, mixed
from minicnn.apps.web.cards import file_name
from minicnn.apps.web.pictures import find_picture, open_picture
from minicnn.apps.web.query_parameters import Asked
from minicnn.apps.web.refusals import Refused
from minicnn.apps.web.service import Service
from minicnn.apps.web.uploads import find_upload
from minicnn.errors import ImageReadError
from minicnn.support.files import read_whole

MAX_BYTES = 64 << 20  # of an upload as it is kept


class QueryPicture(NamedTuple):
    """A picture that a search compares with."""

    source: str  # the address of its image
    alt: str  # what it is, in words
    unlike: bool = False
    without: str = ""  # the address of the search without it; "" if it is the only one


def query_of(service: Service, asked: Asked) -> Query:
    """Return the query of an upload, of pictures of the library, or of both."""
    for number in (*asked.like, *asked.unlike):
        find_picture(number)  # refuses one that is not there
    if not asked.upload:
        return service.query_of_pictures(asked.like, asked.unlike)
    upload = service.query(find_upload(asked.upload).path)
    like = [service.query_of_pictures([number]) for number in asked.like]
    unlike = [service.query_of_pictures([number]) for number in asked.unlike]
    return mixed([upload, *like], unlike) if like or unlike else upload


def query_pictures(asked: Asked) -> list[QueryPicture]:
    """Return the pictures of a search, the upload first; raise Refused if one is gone."""
    found = []
    if asked.upload:
        upload = find_upload(asked.upload)
        found.append(QueryPicture(reverse("upload_image", args=[upload.id]), "your picture"))
    for number in (*asked.like, *asked.unlike):
        picture = find_picture(number)
        rest = asked.without(number)
        without = rest.address if rest.upload or rest.like else ""
        source = f"{reverse('image', args=[number])}?{picture.sha256[:8]}"
        unlike = number in asked.unlike
        found.append(QueryPicture(source, file_name(picture), unlike, without))
    return found


def content_of(asked: Asked) -> bytes | None:
    """Return the image file of a search for one picture; None if it has several."""
    if not asked.is_single:
        return None
    if asked.upload:
        return read_whole(find_upload(asked.upload).path, MAX_BYTES)
    with open_picture(find_picture(asked.like[0])) as file:
        return file.read()


def classes_of(service: Service, asked: Asked) -> list[tuple[str, float]]:
    """Return (class, probability) of all classes, the most probable first.

    It is empty if there is no network, or if the search is for several pictures.
    """
    content = content_of(asked)
    if content is None:
        return []
    try:
        return [(name, share) for share, name in service.classify(content)]
    except ImageReadError as error:  # the file has changed since it was indexed
        raise Refused(422, f"The picture cannot be read: {error.reason}.", "damaged") from error


def network_image(network: NetworkFeatures, content: bytes) -> np.ndarray:
    """Return an image file as a network reads it, uint8 (H, W, C)."""
    return read_picture(content, [network]).images[network.name]
