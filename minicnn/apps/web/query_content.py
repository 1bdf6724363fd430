"""From what is asked to a query: the pictures of a search, and what the network sees on them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from django.urls import reverse

from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.library.reading import read_picture
from minicnn.apps.library.searching import Query, mixed
from minicnn.apps.web.cards import Answer, answers_of, answers_of_top, file_name
from minicnn.apps.web.pictures import find_picture
from minicnn.apps.web.query_parameters import Asked
from minicnn.apps.web.service import Service
from minicnn.apps.web.thumbnails import LARGE, reencoded
from minicnn.apps.web.uploads import find_upload

TOP = 5  # classes in the list


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


def content_of(service: Service, asked: Asked) -> bytes | None:
    """Return the image file of a search for one picture; None if it has several."""
    if not asked.is_single:
        return None
    if asked.upload:
        return find_upload(asked.upload).path.read_bytes()
    return reencoded(service, find_picture(asked.like[0]), LARGE)


def answers(service: Service, asked: Asked) -> list[Answer]:
    """Return the five most probable classes of a search for one picture; [] if it has several."""
    if service.network is None or not asked.is_single:
        return []
    if asked.upload:
        found = service.classify(find_upload(asked.upload).path)[:TOP]
        return answers_of_top([(name, share) for share, name in found], service.network.class_names)
    return dict(answers_of(service, asked.like[0])).get(service.network.name, [])


def network_image(network: NetworkFeatures, content: bytes) -> np.ndarray:
    """Return an image file as a network reads it, uint8 (H, W, C)."""
    return read_picture(content, [network]).images[network.name]


def probabilities(service: Service, content: bytes) -> list[float]:
    """Return the probability of each class of the network that names queries."""
    if service.network is None:
        return []
    image = network_image(service.network, content)
    with service.computing:
        found: list[float] = service.network.probabilities([image])[0].tolist()
    return found
