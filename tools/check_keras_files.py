"""Compare minicnn with Keras on files of random networks, each way.

python tools/check_keras_files.py ours DIR           # with minicnn: writes files
python tools/check_keras_files.py keras DIR          # with Keras 3.15: reads those, writes its own
python tools/check_keras_files.py theirs DIR         # with minicnn: reads Keras's

Each writes DIR/<step>.json with the largest differences. `--first` and `--count` choose the seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
sys.path[:0] = [str(Path(__file__).parent.parent / "tests"), str(Path(__file__).parent.parent)]

import numpy as np  # noqa: E402
import random_networks as nets  # noqa: E402

WHOLE, ALONE = ("keras", "h5"), "weights.h5"
BOUND = 1e-5  # of the largest output


def has_functions(ending: str, seed: int) -> bool:
    """Return whether the network of a seed has functions, which HDF5 files cannot hold."""
    return ending == "keras" and seed % 2 == 0


def trains(seed: int) -> bool:
    """Return whether the network of a seed is compiled and takes a step."""
    return seed % 5 == 0


def made(api: Any, ending: str, seed: int) -> Any:
    """Return the network of a seed, with random weights, some after a step of training."""
    model = nets.network(api, seed, functions=has_functions(ending, seed))
    nets.fill(model, seed)
    if trains(seed) and ending != ALONE:
        nets.compiled(api, model, seed)
        model.train_on_batch(nets.data(model, seed), nets.labels(model, seed))
    return model


def predict(model: Any, seed: int) -> list[np.ndarray]:
    """Return the outputs for the inputs of a seed."""
    inputs = nets.data(model, seed)
    given = inputs if len(inputs) > 1 else inputs[0]
    if type(model).__module__.startswith("minicnn"):
        return nets.outputs(model.predict(given, verbose=0))
    return nets.outputs(model(given, training=False))


def state(model: Any) -> list[np.ndarray]:
    """Return the optimizer's arrays; of minicnn's, as a file of Keras has them."""
    if type(model).__module__.startswith("minicnn"):
        from minicnn.interop.keras.optimizer_state import state_arrays

        return [value for _, value in state_arrays(model)]
    return [np.asarray(variable) for variable in model.optimizer.variables]


def write(api: Any, folder: Path, who: str, seeds: range) -> None:
    """Write the files of all seeds, with their outputs."""
    for ending in (*WHOLE, ALONE):
        for seed in seeds:
            model = made(api, ending, seed)
            path = folder / f"{who}-{seed}.{ending}"
            (model.save_weights if ending == ALONE else model.save)(path)
            arrays = {f"y{i}": y for i, y in enumerate(predict(model, seed))}
            if trains(seed) and ending != ALONE:
                arrays |= {f"s{i}": value for i, value in enumerate(state(model))}
            np.savez(folder / f"{who}-{seed}.{ending}.npz", **arrays)


def read(api: Any, folder: Path, who: str, seeds: range) -> dict[str, Any]:
    """Read files, and return how the outputs differ: {ending: figures}."""
    report: dict[str, Any] = {}
    for ending in (*WHOLE, ALONE):
        failed: dict[int, str] = {}
        worst = 0.0
        for seed in seeds:
            try:
                difference = compared(api, folder / f"{who}-{seed}.{ending}", ending, seed)
                worst = max(worst, difference)
                if difference > BOUND:
                    failed[seed] = f"differs by {difference:.2g}"
            except Exception as error:
                failed[seed] = f"{type(error).__name__}: {str(error)[:400]}"
                if len(failed) <= 2:
                    traceback.print_exc()
        passed = len(seeds) - len(failed)
        report[ending] = {"passed": passed, "of": len(seeds), "worst": worst, "failed": failed}
        print(
            f"{who} {ending}: {passed} of {len(seeds)}, largest difference {worst:.2g}", flush=True
        )
    return report


def compared(api: Any, path: Path, ending: str, seed: int) -> float:
    """Return the largest difference between the outputs of a file here and where it was written."""
    if ending == ALONE:
        model = nets.network(api, seed)
        model.load_weights(path)
    else:
        model = getattr(api, "models", api).load_model(path)
    with np.load(f"{path}.npz") as stored:
        arrays = dict(stored)
    wanted = [arrays[name] for name in sorted(arrays) if name.startswith("y")]
    found = predict(model, seed)
    names = [name for name in arrays if name.startswith("s")]
    if api.__name__ == "keras" and ending == "h5":
        names = []  # Keras 3.15 itself does not restore the optimizer from these
    if names:
        values = state(model)
        if len(values) != len(names):
            raise ValueError(f"{len(values)} arrays of the optimizer, not {len(names)}")
        for i, value in enumerate(values):
            if not np.allclose(value, arrays[f"s{i}"], rtol=1e-6, atol=0):
                raise ValueError(f"array {i} of the optimizer differs")
    if api.__name__ == "minicnn" and ending != ALONE:
        same_bytes(model, path, ending)
    return max(
        float(np.abs(a - b).max() / max(1.0, np.abs(b).max()))
        for a, b in zip(found, wanted, strict=True)
    )


def same_bytes(model: Any, path: Path, ending: str) -> None:
    """Raise unless writing, reading and writing give the same bytes."""
    import minicnn

    once, twice = path.with_name(f"once.{ending}"), path.with_name(f"twice.{ending}")
    model.save(once)
    minicnn.load_model(once).save(twice)
    if once.read_bytes() != twice.read_bytes():
        raise ValueError("written again, the file differs")


def main() -> None:
    """Take one of the three steps."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("step", choices=("ours", "keras", "theirs"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.count)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.step == "keras":
        import keras as api
    else:
        import minicnn as api
    report = {}
    if options.step != "ours":
        report = read(api, options.folder, "ours" if options.step == "keras" else "theirs", seeds)
    if options.step != "theirs":
        write(api, options.folder, "ours" if options.step == "ours" else "theirs", seeds)
    name = f"{options.step}-{options.first}.json"
    (options.folder / name).write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
