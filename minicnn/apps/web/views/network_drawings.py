"""The drawings of the tab "Inside the network"."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.web import service
from minicnn.apps.web.network_drawings import draw_evidence, draw_kernels, draw_maps
from minicnn.apps.web.query_content import content_of, network_image
from minicnn.apps.web.query_parameters import asked
from minicnn.apps.web.refusals import Refused

SIDE = 480  # pixels of the picture under the evidence
NO_DRAWING = "There is no such drawing."


@require_safe
def kernels(request: HttpRequest) -> HttpResponse:
    """Send the kernels of the first convolution."""
    return _png(draw_kernels(_network()))


@require_safe
def maps(request: HttpRequest) -> HttpResponse:
    """Send a picture after the first convolution."""
    current, network = service.current(), _network()
    image = network_image(network, _content(request))
    with current.computing:
        return _png(draw_maps(network, image))


@require_safe
def gradcam(request: HttpRequest) -> HttpResponse:
    """Send a picture with the regions that are evidence for its class."""
    current, network, content = service.current(), _network(), _content(request)
    image = network_image(network, content)
    shown = current.decoders.decode(content, SIDE).content
    with current.computing:
        return _png(draw_evidence(network, image, shown))


def _network() -> NetworkFeatures:
    network = service.current().network
    if network is None:
        raise Refused(404, NO_DRAWING, "no_network")
    return network


def _content(request: HttpRequest) -> bytes:
    content = content_of(asked(request.GET))
    if content is None:
        raise Refused(404, NO_DRAWING, "several_pictures")
    return content


def _png(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="image/png")
    response["Cache-Control"] = "no-store"
    return response
