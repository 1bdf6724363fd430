"""What the server works with: a library, its networks, the uploads. There is one per process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from minicnn.apps.library.extractors import FeatureExtractor, color_and_texture, network_extractor
from minicnn.apps.library.models import Extractor
from minicnn.apps.library.opening import Library, open_library
from minicnn.apps.web.decoding import Decoders
from minicnn.apps.web.plain_search import (
    Hit,
    Query,
    Searcher,
    query_of_image,
    query_of_pictures,
)
from minicnn.apps.web.upload_store import UploadStore
from minicnn.data.tools.fetch import Transport

DECODERS = 2  # processes that decode images
REMEMBERED = 100  # queries of uploads, whose weights are being moved


class Service:
    """An opened library with everything that answers questions about it.

    Parameters
    ----------
    address : of the library, as for `open_library`
    model : the name of the network, among those of the library, that names queries; default: the
        first one
    allow_urls : fetch images from addresses that people enter
    token : a secret without which no request is answered; None: all are
    transport : opens connections to addresses; default: those of the system
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        *,
        model: str | None = None,
        allow_urls: bool = False,
        token: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.library: Library = open_library(address)
        self.extractors = _extractors(self.library)
        self.network = _network(self.extractors, model)
        self.searcher = Searcher(self.library)
        self.allow_urls, self.token, self.transport = allow_urls, token, transport
        self.uploads = UploadStore()
        self.decoders = Decoders(DECODERS)
        self.computing = threading.Lock()  # a network computes one batch at a time
        self._queries: OrderedDict[Path, Query] = OrderedDict()

    def query(self, image: Path | bytes) -> Query:
        """Return what the library's extractors say about an image: a file, or its content."""
        remembered = self._queries.get(image) if isinstance(image, Path) else None
        if remembered is not None:
            return remembered
        with self.computing:
            query = query_of_image(self.library, image, self.extractors)
            if isinstance(image, Path):
                self._remember(image, query)
        return query

    def query_of_pictures(self, like: Sequence[int], unlike: Sequence[int] = ()) -> Query:
        """Return what is common to pictures of the library, and not to others of it."""
        return query_of_pictures(self.library, like, unlike)

    def classify(self, image: Path | bytes) -> list[tuple[float, str]]:
        """Return (probability, class), the most probable first; [] if there is no network."""
        return [(share, name) for name, share in self.query(image).classes]

    def search(
        self,
        query: Query,
        weights: Mapping[str, float] | None = None,
        top: int = 20,
        label: str | None = None,
    ) -> list[Hit]:
        """Return the most similar pictures; the parameters are those of `Searcher.search`."""
        return self.searcher.search(query, weights, top, label=label)

    def close(self) -> None:
        """End the processes, remove the uploads and close the library."""
        self.decoders.close()
        self.uploads.close()
        self.library.close()

    def _remember(self, image: Path, query: Query) -> None:
        self._queries[image] = query
        while len(self._queries) > REMEMBERED:
            self._queries.popitem(last=False)


_current: list[Service] = []


def start(address: str | os.PathLike[str], **options: object) -> Service:
    """Start the service of this process; the parameters are those of `Service`."""
    stop()
    _current.append(Service(address, **options))  # type: ignore[arg-type]
    return _current[0]


def current() -> Service:
    """Return the service of this process."""
    return _current[0]


def stop() -> None:
    """End the service of this process, if there is one."""
    while _current:
        _current.pop().close()


def _extractors(library: Library) -> list[FeatureExtractor]:
    """Return the extractors whose features the library has."""
    plain = {one.name: one for one in color_and_texture()}
    names = Extractor.objects.using(library.alias).order_by("pk").values_list("name", flat=True)
    return [plain[name] if name in plain else network_extractor(name) for name in names]


def _network(extractors: Sequence[FeatureExtractor], name: str | None) -> FeatureExtractor | None:
    networks = [one for one in extractors if one.class_names]
    chosen = [one for one in networks if name in (None, one.name)]
    return chosen[0] if chosen else None
