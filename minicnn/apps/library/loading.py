"""Loading the feature extractors of a library."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from minicnn.apps.library.extractors import color_and_texture, default_network, network_extractor
from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.models import Extractor
from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.library.opening import Library
from minicnn.errors import ArgumentError, LibraryError, MiniCNNError, error_text


def library_extractors(library: Library, models: Sequence[str] = ()) -> list[FeatureExtractor]:
    """Return what describes the pictures of a library: colors, textures, and its networks.

    Parameters
    ----------
    library : its networks are those that made its features; a new one gets the default network
    models : further networks, or new places of known ones: names or paths for `network_extractor`

    Raises
    ------
    LibraryError : a network of the library cannot be loaded from where it was
    ArgumentError : two networks have the same name
    """
    given = [network_extractor(one) for one in models]
    names = [one.name for one in given]
    if len(set(names)) < len(names):
        raise ArgumentError(f"models must have different names; got {', '.join(names)}")
    rows = Extractor.objects.using(library.alias).exclude(source="").exclude(name__in=names)
    known = [_loaded(library, row, required=not given) for row in rows.order_by("name")]
    networks = [*given, *(one for one in known if one is not None)]
    return [*color_and_texture(), *(networks or [network_extractor(default_network())])]


def model_source(model: str) -> str:
    """Return what `network_extractor` is given for a word that a user typed.

    A file or folder of that name counts more than a network that comes with minicnn.
    """
    return str(Path(model).absolute()) if Path(model).exists() else model


def _loaded(library: Library, row: Extractor, *, required: bool) -> NetworkFeatures | None:
    """Load a network of the library; if it is not required, None with a warning is enough."""
    try:
        return network_extractor(row.source)
    except (OSError, MiniCNNError) as error:
        text = f"the network {row.name} cannot be loaded ({error_text(error)})"
        if required:
            advice = "say where it is now: --model FILE"
            raise LibraryError(f"{text}; {advice}") from error
    warnings.warn(f"{text}; it describes no new pictures", stacklevel=3)
    return None
