"""How fast does the web server search, and does it bear load while its library is being indexed?

    python benchmarks/web_load.py                    # both: about 20 minutes
    python benchmarks/web_load.py --measure latency --pictures 10000
    python benchmarks/web_load.py --measure load --seconds 300 --rate 20

latency  requests to /api/v1/search, one after the other, each with another image: it is sent,
         decoded, described by the network and compared with all pictures. The library's features
         are made.
load     requests at a steady rate, while `minicnn index` adds pictures to the library again and
         again. The time of a request counts from the moment when it was due.

The server is `minicnn serve` in a process of its own; memory is that of all its processes.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import output
from made_library import make_library
from PIL import Image

from minicnn.apps.library.extractors import color_and_texture, network_extractor
from minicnn.apps.library.opening import open_library

SIZES = (10_000, 100_000)  # pictures
REQUESTS = 400  # for a latency
WARM_UP = 40  # requests that do not count
CLIENTS = 64  # requests that may wait at a time
FIRST, ADDED = 2_000, 100  # pictures at the start of the load, and added by each run of the index


class Answered(NamedTuple):
    """What became of one request."""

    status: int  # 0: there was no answer
    seconds: float  # since it was due


def main() -> None:
    """Measure what is asked for, and write web_load.json."""
    arguments = _arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "web_load.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        if arguments.measure in ("latency", "both"):
            for count in arguments.pictures:
                name = f"latency among {count:,} pictures, {arguments.model}"
                results[name] = latency(Path(folder), count, arguments.model)
                print(name, results[name], flush=True)
        if arguments.measure in ("load", "both"):
            name = f"load, {arguments.model}"
            results[name] = load(Path(folder), arguments.rate, arguments.seconds, arguments.model)
            print(name, results[name], flush=True)
    file.write_text(json.dumps(results, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", choices=["latency", "load", "both"], default="both")
    parser.add_argument("--pictures", type=int, nargs="+", default=SIZES)
    parser.add_argument("--model", default="photo-small")
    parser.add_argument("--rate", type=float, default=20.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=300.0)
    output.add_out(parser)
    return parser.parse_args()


def latency(folder: Path, count: int, model: str) -> dict[str, float]:
    """Return the milliseconds of a search among `count` pictures, sent one after the other."""
    library = open_library(folder / f"{count}.sqlite3", create=True)
    make_library(library, [*color_and_texture(), network_extractor(model)], count)
    library.close()
    with serving(folder / f"{count}.sqlite3") as (port, _process):
        answers = [_search(port, _image(number)) for number in range(WARM_UP + REQUESTS)]
    return _summary(answers[WARM_UP:])


def load(folder: Path, rate: float, seconds: float, model: str) -> dict[str, Any]:
    """Return times and errors of requests at a steady rate while pictures are added."""
    pictures = folder / "pictures"
    _write_pictures(pictures, 0, FIRST)
    _index(pictures, model)
    images = [_image(number, (640, 480)) for number in range(50)]
    with serving(pictures) as (port, process), ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda image: _search(port, image), images * 4))
        before = _memory(process)
        with _growing(pictures, model) as added:
            start = time.monotonic()
            due = [start + number / rate for number in range(round(seconds * rate))]
            jobs = []
            for number, moment in enumerate(due):
                time.sleep(max(0.0, moment - time.monotonic()))
                jobs.append(pool.submit(_search, port, images[number % len(images)], moment))
            answers = [job.result() for job in jobs]
        after = _memory(process)
    sizes = {"MB before": before / 1e6, "MB after": after / 1e6, "pictures added": added[0]}
    sent = {"image bytes": len(images[0]), "requests per second": rate}
    return {**_summary(answers), **{k: round(v) for k, v in sizes.items()}, **sent}


@contextlib.contextmanager
def serving(library: Path) -> Iterator[tuple[int, int]]:
    """Run `minicnn serve` during the block; yield its port and its process."""
    command = [sys.executable, "-m", "minicnn", "serve", str(library), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the server has no output")
            port = urlsplit(process.stdout.readline().strip()).port
            yield int(port or 0), process.pid
        finally:
            process.terminate()


@contextlib.contextmanager
def _growing(pictures: Path, model: str) -> Iterator[list[int]]:
    """Add pictures and index them, again and again during the block; yield [their number]."""
    added, ending = [0], threading.Event()

    def grow() -> None:
        while not ending.is_set():
            _write_pictures(pictures, FIRST + added[0], ADDED)
            _index(pictures, model)
            added[0] += ADDED

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        yield added
    finally:
        ending.set()
        thread.join()


def _index(pictures: Path, model: str) -> None:
    command = ["index", str(pictures), "--model", model, "--quiet"]
    subprocess.run([sys.executable, "-m", "minicnn", *command], check=True)


def _write_pictures(folder: Path, first: int, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(first, first + count):
        (folder / f"{number:06}.jpg").write_bytes(_image(number))


def _image(seed: int, size: tuple[int, int] = (150, 150)) -> bytes:
    """Return a JPEG of random blobs, about as large as a photograph of that size."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.int16)
    noisy = pixels + rng.integers(-12, 13, pixels.shape)
    out = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def _search(port: int, image: bytes, due: float | None = None) -> Answered:
    """Send one search; `due` is the moment from which its time counts."""
    start = time.monotonic() if due is None else due
    boundary = secrets.token_hex(8)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body = head.encode() + image + f"\r\n--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/api/v1/search", body, kind)
        response = connection.getresponse()
        response.read()
        return Answered(response.status, time.monotonic() - start)
    except (OSError, http.client.HTTPException):
        return Answered(0, time.monotonic() - start)
    finally:
        connection.close()


def _summary(answers: Sequence[Answered]) -> dict[str, Any]:
    times = np.array([one.seconds for one in answers]) * 1e3
    percentiles = {f"p{q} ms": round(float(np.percentile(times, q)), 1) for q in (50, 95, 99)}
    wrong = Counter(str(one.status) for one in answers if one.status != 200)
    return {
        "requests": len(answers),
        "errors": dict(wrong),
        **percentiles,
        "longest ms": round(float(times.max()), 1),
    }


def _memory(process: int) -> int:
    """Return the resident bytes of a process and of those that it started."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if process in (int(folder.name), parent):
                pages = int((folder / "statm").read_text().split()[1])
                total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


if __name__ == "__main__":
    main()
