"""Damage files of other programs and read them: each is refused or read, and nothing else happens.

    python tools/mutate_files.py --count 20000 tests/golden/interop/keras
    python tools/mutate_files.py --count 500 x.onnx y.caffemodel

Each file that is given, or that lies in a given folder, is a model, weights or a mean image that
minicnn reads; the others of a folder are left out. The weights in `x.h5` are loaded into the model
`x.h5.mcnn` if that lies beside it. A mutant has the name of its file, and the others of the folder
beside it, so that a .prototxt finds its .caffemodel.

In turn the files are damaged: bits, bytes, lengths and pieces of the file, of a member of a zip
file, or values of a JSON document inside. A process of its own reads the result. It counts as a
fault if that process ends by a signal, takes more than 2 s of the processor or than 2 GiB, raises
an error that is not minicnn's own, opens another file, or a socket; its file is kept in --keep.
"""

from __future__ import annotations

import argparse
import codecs
import collections
import contextlib
import io
import json
import math
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 2.0
MAX_BESIDE = 1 << 20  # bytes of a file that is copied because it lies beside another
MEAN = ".binaryproto"
TENSORS = (".pt", ".pth", ".safetensors")  # files of weights, which need no model to be read
MEMORY = 2 << 30  # beyond what the process has when it begins
NUMBERS = (0, 1, 127, 128, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
VALUES: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 1e308, "", "x", "../x", "/etc/passwd", "os.system", [], [[]],
    {}, {"class_name": "Lambda", "config": {}}, {"class_name": "Dense", "config": {"units": 10**9}},
    [1, 2, 3], {"a": {"b": 1}}, "\ud800", "a" * 5000,
]  # fmt: skip


def main() -> int:
    """Read mutants in worker processes; print the counts and return 1 if there was a fault."""
    options = _options()
    if options.worker:
        return _work(options)
    files = list(_files(options.paths))
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        begin = 0
        while begin < options.count:
            begin = _run_worker(options, files, begin, Path(folder), counts)
    print(json.dumps({"files": len(files), "seed": options.seed, **dict(sorted(counts.items()))}))
    return int(counts.total() > counts["refused"] + counts["read"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, help="files, or folders of files")
    parser.add_argument("--count", type=int, default=1000, help="how many mutants to read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the mutants that were a fault")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--begin", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _files(paths: list[Path]) -> Iterator[Path]:
    from minicnn.models.saving import formats

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for one in sorted(p for p in path.rglob("*") if p.is_file()):
            if one.suffix == MEAN or formats.recognized(one) is not None:
                yield one


def _run_worker(
    options: argparse.Namespace,
    files: list[Path],
    begin: int,
    folder: Path,
    counts: collections.Counter[str],
) -> int:
    """Let a worker read mutants from number `begin` on; return the number after its last."""
    command = [sys.executable, __file__, *map(str, files), "--worker", str(folder)]
    command += ["--begin", str(begin), "--count", str(options.count), "--seed", str(options.seed)]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None  # noqa: S101  for mypy
    number = begin
    if not worker.stdout.readline():
        raise SystemExit("a file cannot be read before it is damaged")
    for line in worker.stdout:
        number, result = line.rstrip("\n").split(" ", 1)
        number = int(number) + 1
        counts[result.partition(":")[0]] += 1
        if result not in ("refused", "read"):
            _report(options, folder, number - 1, files, result)
    if worker.wait() != 0 and number < options.count:
        counts["ended"] += 1
        _report(options, folder, number, files, f"the process ended with {worker.returncode}")
        number += 1
    return number


def _report(
    options: argparse.Namespace, folder: Path, number: int, files: list[Path], what: str
) -> None:
    file = files[number % len(files)]
    print(f"{number} {file}: {what}", file=sys.stderr)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        mutant = mutated(file.read_bytes(), random.Random(f"{options.seed} {number}"))
        (options.keep / f"{number}-{file.name}").write_bytes(mutant)


# --- in the worker ------------------------------------------------------------------------------


def _work(options: argparse.Namespace) -> int:
    """Read the mutants from `begin` to `count`, and print what came of each."""
    warnings.simplefilter("ignore")
    files, folder = options.paths, options.worker
    contents = [file.read_bytes() for file in files]
    watch = Watch(folder)
    for encoding in ("cp437", "unicode_escape", "raw_unicode_escape"):  # modules of their own
        codecs.lookup(encoding)
    copies = [_copied(file, folder / str(which)) for which, file in enumerate(files)]
    for copy in copies:  # late imports happen before anything is watched
        read(copy)
    print("begins", flush=True)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    signal.signal(signal.SIGPROF, _too_long)
    for number in range(options.begin, options.count):
        which = number % len(files)
        path = copies[which]
        path.write_bytes(mutated(contents[which], random.Random(f"{options.seed} {number}")))
        print(number, _outcome(path, watch), flush=True)
    return 0


def _copied(file: Path, folder: Path) -> Path:
    """Copy a file and the small ones beside it into a folder; return the copy."""
    folder.mkdir(exist_ok=True)
    for one in file.parent.iterdir():
        if one.is_file() and (one == file or one.stat().st_size < MAX_BESIDE):
            shutil.copyfile(one, folder / one.name)
    return folder / file.name


def _outcome(path: Path, watch: Watch) -> str:
    from minicnn.errors import MiniCNNError

    watch.heard.clear()
    watch.listens = True
    # Time of the processor, as others may use it too. A library's endless loop, which no handler
    # interrupts, ends at the second limit, with the process.
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + 3 * SECONDS), -1))
    try:
        result = read(path)
    except MiniCNNError:
        result = "refused"
    except BaseException as err:
        result = f"{type(err).__name__}: {err!s:.200}".replace("\n", " ")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.listens = False
    return f"outside: {watch.heard[0]}" if watch.heard else result


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS:g} s")


def read(path: Path) -> str:
    """Read a file as a user would: the model, or the weights into another one."""
    import minicnn as mc

    model = path.with_name(f"{path.name}.mcnn")
    if path.suffix == MEAN:
        mc.interop.caffe.read_mean(path)
    elif model.exists():
        mc.load_model(model).load_weights(path)
    elif path.suffix in TENSORS:
        mc.interop.torch.read(path)
    else:
        mc.load_model(path)
    return "read"


class Watch:
    """Hears which files Python opens outside of a folder, and what else nobody may ask of it."""

    KINDS = ("exec", "os.exec", "os.fork", "os.system", "os.posix_spawn", "os.remove", "os.rename",
             "os.symlink", "socket.", "subprocess.", "ctypes.dlopen", "urllib.")  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self.folder, self.listens = str(folder), False
        self.heard: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what is outside; Python calls this for every event."""
        if not self.listens:
            return
        if event == "open" and not isinstance(arguments[0], int):
            if not str(arguments[0]).startswith((self.folder, sys.prefix, sys.base_prefix)):
                self.heard.append(f"open {arguments[0]!s:.200}")
        elif event.startswith(self.KINDS):
            self.heard.append(f"{event} {arguments!s:.200}")


# --- mutants ------------------------------------------------------------------------------------


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Return the file, damaged: as a whole, or in one member of a zip file."""
    if data[:4] == b"PK\x03\x04" and dice.random() < 0.75:
        with contextlib.suppress(zipfile.BadZipFile, ValueError):
            return _mutated_zip(data, dice)
    return damaged(data, dice)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Return the bytes with some bits, bytes, lengths or pieces changed."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) + 1)
        if dice.random() < 0.4:  # what describes the rest is at the ends
            at = min(at, dice.randrange(600))
        match dice.randrange(7):
            case 0:
                del changed[at : at + dice.choice([1, 9, 10**6])]
            case 1:
                changed[at:at] = changed[: dice.randint(1, 40)]
            case 2:
                width = dice.choice([1, 2, 4, 8])
                number = dice.choice(NUMBERS) % 256**width
                changed[at : at + width] = number.to_bytes(width, dice.choice(["little", "big"]))
            case 3:
                for byte in changed[at : at + 1]:
                    changed[at] = byte ^ 1 << dice.randrange(8)
            case 4:
                other = dice.randrange(len(changed) + 1)
                changed[at : at + 16] = changed[other : other + 16]
            case _:
                changed[at : at + 1] = bytes([dice.randrange(256)])
    return bytes(changed)


def _mutated_zip(data: bytes, dice: random.Random) -> bytes:
    """Return the zip file with one member damaged, and checksums that are right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info: archive.read(info) for info in archive.infolist()}
    chosen = dice.choice(list(members))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for info, content in members.items():
            archive.writestr(info, _changed(content, dice) if info is chosen else content)
    return file.getvalue()


def _changed(content: bytes, dice: random.Random) -> bytes:
    try:
        document = json.loads(content)
    except ValueError:
        return damaged(content, dice)
    if dice.random() < 0.2:
        return damaged(content, dice)
    return json.dumps(_exchanged(document, dice)).encode()


def _exchanged(document: Any, dice: random.Random) -> Any:
    """Return a document in which one to three values are replaced, removed or repeated."""
    for _ in range(dice.randint(1, 3)):
        ways = [way for way in _places(document) if way]
        if not ways:
            return dice.choice(VALUES)
        *way, last = dice.choice(ways)
        inner = document
        for key in way:
            inner = inner[key]
        match dice.randrange(4):
            case 0:
                del inner[last]
            case 1 if isinstance(inner, list):
                inner.insert(last, dice.choice(VALUES))
            case 1:
                inner[dice.choice(["name", "class_name", "config", "module"])] = dice.choice(VALUES)
            case _:
                inner[last] = dice.choice(VALUES)
        document = json.loads(json.dumps(document))  # no value is shared
    return document


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield before
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*before, key))


if __name__ == "__main__":
    sys.exit(main())
