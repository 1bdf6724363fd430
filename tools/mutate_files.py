"""Damage files of other programs and read them: each is refused or read, and nothing else happens.

    python tools/mutate_files.py --count 20000 tests/golden/interop/keras
    python tools/mutate_files.py --count 500 x.onnx y.caffemodel

Each file that is given, or that lies in a given folder, is a model, weights or a mean image that
minicnn reads; the others of a folder are left out. The weights in `x.h5` are loaded into the model
`x.h5.mcnn` if that lies beside it. A mutant has the name of its file, and the others of the folder
beside it, so that a .prototxt finds its .caffemodel.

In turn the files are damaged, as `mutants` says. A process of its own reads the result. It counts
as a fault if that process ends by a signal, takes more than 2 s of the processor or than 2 GiB,
raises an error that is not minicnn's own, opens another file, or a socket; the file that did it is
kept in --keep.
"""

from __future__ import annotations

import argparse
import codecs
import collections
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mutants import mutated

SECONDS = 2.0
MAX_BESIDE = 1 << 20  # bytes of a file that is copied because it lies beside another
MEAN = ".binaryproto"
TENSORS = (".pt", ".pth", ".safetensors")  # files of weights, which need no model to be read
MEMORY = 2 << 30  # beyond what the process has when it begins


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
    signal.setitimer(signal.ITIMER_VIRTUAL, 3 * SECONDS)
    try:
        result = read(path)
    except MiniCNNError:
        result = "refused"
    except BaseException as err:
        result = f"{type(err).__name__}: {err!s:.200}".replace("\n", " ")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
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


if __name__ == "__main__":
    sys.exit(main())
