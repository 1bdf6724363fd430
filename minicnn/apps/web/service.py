"""What the server works with: a library, its networks, the uploads. There is one per process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.foreign import check_extractors
from minicnn.apps.library.loading import library_extractors
from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.library.opening import Library, open_library
from minicnn.apps.library.reading import read_picture
from minicnn.apps.library.searching import (
    Hit,
    Query,
    Searcher,
    query_of_image,
    query_of_pictures,
    usual_weights,
)
from minicnn.apps.web.decoding import Decoders
from minicnn.apps.web.keywords import KeywordProvider
from minicnn.apps.web.refusals import MAX_UPLOAD, Refused
from minicnn.apps.web.upload_store import UploadStore
from minicnn.data.tools.fetch import FetchLimits, Transport
from minicnn.errors import ArgumentError
from minicnn.models.labels import decode_predictions

DECODERS = 2  # processes that decode images
FETCHES = 4  # downloads at a time: slow ones must not keep everybody else waiting
REMEMBERED = 100  # queries of uploads, whose weights are being moved


class Service:
    """An opened library with everything that answers questions about it.

    Parameters
    ----------
    address : of the library, as for `open_library`
    model : the network that says what is on an image, for `network_extractor`; default: the first
        one of the library
    allow_urls : fetch images from addresses that people enter
    token : a secret without which no request is answered; None: all are
    transport : opens connections to addresses; default: those of the system
    limits : of time and size for what is fetched; default: those of an upload
    keywords : searches the web by keyword; None: nothing does

    Raises
    ------
    FileNotFoundError : there is no such library
    LibraryError : the database reports an error, or a network of the library is missing
    ForeignModelError : the model is not the one of this name that described the pictures
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        *,
        model: str | None = None,
        allow_urls: bool = False,
        token: str | None = None,
        transport: Transport | None = None,
        limits: FetchLimits | None = None,
        keywords: KeywordProvider | None = None,
    ) -> None:
        self.library: Library = open_library(address)
        self.extractors = library_extractors(self.library, () if model is None else (model,))
        check_extractors(self.library, self.extractors)
        self.network = _network(self.extractors)
        self.searcher = Searcher(self.library)
        self.allow_urls, self.token, self.transport = allow_urls, token, transport
        self.limits = limits or FetchLimits(max_bytes=MAX_UPLOAD)
        self.fetching = threading.BoundedSemaphore(FETCHES)
        self.keywords = keywords
        self.uploads = UploadStore()
        self.decoders = Decoders(DECODERS)
        self.computing = threading.Lock()  # a network computes one batch at a time
        self._queries: OrderedDict[Path, Query] = OrderedDict()

    @property
    def parts(self) -> list[str]:
        """The names of the parts of the similarity, which have weights."""
        return list(usual_weights(extractor.name for extractor in self.extractors))

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
        """Return (probability, class) of all classes, the most probable first.

        It is empty if the library has no network.
        """
        if self.network is None:
            return []
        pixels = read_picture(image, [self.network]).images[self.network.name]
        with self.computing:
            rows = self.network.probabilities([pixels])
        return decode_predictions(rows, self.network.class_names, rows.shape[1])[0]

    def search(
        self,
        query: Query,
        weights: Mapping[str, float] | None = None,
        top: int = 20,
        label: str | None = None,
    ) -> list[Hit]:
        """Return the most similar pictures; the parameters are those of `Searcher.search`.

        Raises
        ------
        Refused : 400: a weight is of a part that this query or the library does not have
        """
        try:
            return self.searcher.search(query, weights, top, label=label)
        except ArgumentError as error:
            raise Refused(400, str(error), "wrong_field") from error

    def close(self) -> None:
        """End the processes, remove the uploads and close the library."""
        self.searcher.close()
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


def is_started() -> bool:
    """Return whether this process serves a library."""
    return bool(_current)


def current() -> Service:
    """Return the service of this process."""
    return _current[0]


def stop() -> None:
    """End the service of this process, if there is one."""
    while _current:
        _current.pop().close()


def _network(extractors: Sequence[FeatureExtractor]) -> NetworkFeatures | None:
    networks = [one for one in extractors if isinstance(one, NetworkFeatures)]
    return networks[0] if networks else None
