"""Read mutated files of Keras; only minicnn's own errors may be raised, and no file opened.

python tests/keras_mutants.py COUNT        # so many of each of four files
"""

from __future__ import annotations

import resource
import signal
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent))

from museum_keras import zipped

import minicnn as mc
from minicnn.errors import MiniCNNError

GOLDEN = Path(__file__).parent / "golden/interop/keras"
NAMES = ("keras3.keras", "keras3.h5", "keras2.h5", "keras3.weights.h5")
NUMBERS = (0, 1, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
SECONDS = 10  # far more than any of these files needs


def mutated(data: bytes, dice: Random) -> bytes:
    """Return the bytes with some of them, a number or a piece changed; often where text is."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) + 1)
        action = dice.randrange(6)
        if action == 0:
            del changed[at : at + dice.choice([1, 9, 10**6])]
        elif action == 1:
            changed[at:at] = changed[: dice.randint(1, 40)]
        elif action == 2:
            size = dice.choice([2, 4, 8])
            number = dice.choice(NUMBERS) % 256**size
            changed[at : at + size] = number.to_bytes(size, "little")
        else:
            filled = [i for i in range(at, min(at + 4000, len(changed))) if changed[i]]
            place = dice.choice(filled or [min(at, len(changed) - 1)])
            changed[place] = dice.randrange(256)
    return bytes(changed)


def repacked(data: bytes, dice: Random) -> bytes:
    """Return an archive with one mutated member, whose checksum is right."""
    members = members_of(data)
    name = dice.choice(["config.json", "model.weights.h5", "model.weights.h5"])
    return zipped({**members, name: mutated(members[name], dice)}, 0)


def members_of(data: bytes) -> dict[str, bytes]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        with zipfile.ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def read(path: Path, network: mc.Model) -> bool:
    """Read a file, and return whether it was refused."""
    signal.alarm(SECONDS)
    try:
        if path.name.endswith(".weights.h5"):
            network.load_weights(path)
        else:
            mc.load_model(path)
    except MiniCNNError:
        return True
    finally:
        signal.alarm(0)
    return False


def main() -> None:
    """Read the mutants, and say how many were refused."""
    warnings.simplefilter("ignore")
    count, refused = int(sys.argv[1]), 0
    with tempfile.TemporaryDirectory() as folder:
        for one in ("keras2", "keras3"):
            with zipfile.ZipFile(GOLDEN / f"{one}.zip") as packed:
                packed.extractall(folder)
        network = mc.load_model(Path(folder) / "keras3.keras")
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        for name in NAMES:
            good, dice = (Path(folder) / name).read_bytes(), Random(name)
            path = Path(folder) / f"mutant-{name}"
            for i in range(count):
                change = repacked if name.endswith(".keras") and i % 4 else mutated
                path.write_bytes(change(good, dice))
                refused += read(path, network)
    print(f"{refused} of {count * len(NAMES)} mutants were refused")


if __name__ == "__main__":
    main()
