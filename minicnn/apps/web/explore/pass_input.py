"""The image of a request for a pass: a drawing, a file, or one that can be chosen."""

from __future__ import annotations

import numpy as np
from django.http import HttpRequest

from minicnn.apps.explorer.explorer import drawing_input, image_input
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import Problem
from minicnn.apps.web import refusals
from minicnn.apps.web.explore import state
from minicnn.apps.web.refusals import MAX_UPLOAD, Refused
from minicnn.data import decode

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
WHITE = 255


def input_of(request: HttpRequest, network: OpenNetwork) -> np.ndarray:
    """Return what the network is fed, float32 (1, H, W, C).

    Without an image and a body it is a black drawing.

    Raises
    ------
    Problem : the body is no drawing for this network, or there are two images
    Refused : 413, 415, 422: the body is not an image that can be read; 503: busy
    """
    address = request.GET.get("image", "")
    content = _body(request)
    if address and content:
        raise Problem("send a drawing or a file, or choose an image; not both")
    if address:
        return image_input(state.current().image_pixels(address, network), network)
    if (request.content_type or "").startswith("image/"):
        return image_input(_decoded(content, network), network)
    return drawing_input(_drawing(content, network), network)


def _body(request: HttpRequest) -> bytes:
    if request.content_type in FORMS:
        raise Problem("send a drawing as float32 numbers, or an image file with its type")
    content = request.read(MAX_UPLOAD + 1)
    if len(content) > MAX_UPLOAD:
        raise Refused(413, refusals.TOO_LARGE, "too_large")
    return content


def _drawing(content: bytes, network: OpenNetwork) -> np.ndarray:
    """Return the pixels of a drawing, float32 (H, W, C); black without content."""
    shape = network.input_shape
    if not content:
        return np.zeros(shape, np.float32)
    if len(content) != 4 * np.prod(shape):
        raise Problem(
            f"a drawing for {network.name} is {shape[0]} x {shape[1]} x {shape[2]} numbers of "
            f"float32, {4 * np.prod(shape)} bytes; got {len(content)} bytes"
        )
    pixels = np.frombuffer(content, "<f4").reshape(shape).astype(np.float32)
    if not ((pixels >= 0) & (pixels <= WHITE)).all():
        raise Problem("the pixels of a drawing are numbers from 0, black, to 255, white")
    return pixels


def _decoded(content: bytes, network: OpenNetwork) -> np.ndarray:
    """Return an image that was sent, decoded in a process of its own; uint8 (H, W, C)."""
    image = state.decoders().decode(content)
    return decode(image.content, **network.preprocess.reading)
