"""Run twenty Keras scripts on Keras and on minicnn: do they run, learn as well, and how fast?

    python benchmarks/keras_scripts/run.py --data FOLDER --python-peers ~/peers/bin/python

Each script runs in a process of its own, on both engines in turn, with several seeds. The file is
the same on both; only its imports are changed (spellings.py lists every change). FOLDER holds
cifar10.tar.xz, catdog/ and scenes/; default: $MINICNN_DATA. The results go to --out as
keras-scripts.json; runs that are in it already are kept, so an engine can be run alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from made_data import prepare
from report import print_table
from spellings import for_keras, for_minicnn

HERE = Path(__file__).resolve().parent
ENGINES = ("keras", "minicnn")
SCRIPTS = sorted(path.stem for path in HERE.glob("[0-9][0-9]_*.py"))


def run(engine: str, script: str, seed: int, options: argparse.Namespace) -> dict:
    """Run a script in a new folder; return what it reported, or the end of its error."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (script, "measure"):
            text = (HERE / f"{name}.py").read_text()
            changed = for_minicnn(text) if engine == "minicnn" else for_keras(text, name)
            (Path(folder) / f"{name}.py").write_text(changed)
        process = subprocess.run(
            _command(engine, script, options),
            cwd=folder,
            env=_environment(seed, options),
            capture_output=True,
            text=True,
            timeout=options.timeout,
        )
    if process.returncode:
        lines = process.stderr.strip().splitlines()[-12:]
        return {"error": "\n".join(lines)}
    return json.loads(process.stdout.strip().splitlines()[-1])


def _command(engine: str, script: str, options: argparse.Namespace) -> list[str]:
    if engine == "keras":
        return [options.python_peers, str(HERE / "local_keras.py"), f"{script}.py"]
    return [sys.executable, f"{script}.py"]


def _environment(seed: int, options: argparse.Namespace) -> dict[str, str]:
    """Return the variables of a run: the seed, the data, and quiet libraries."""
    return {
        **os.environ,
        "SEED": str(seed),
        "MINICNN_DATA": str(options.work / "data"),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(HERE.parents[1])]),
    }


def measure(options: argparse.Namespace, results: dict) -> None:
    """Run what is asked for and not in the results yet; write them after each run."""
    path = options.out / "keras-scripts.json"
    for seed in range(options.seeds):
        for script in options.scripts:
            for engine in options.engines:
                runs = results.setdefault(script, {}).setdefault(engine, {})
                if str(seed) in runs and "error" not in runs[str(seed)] and not options.again:
                    continue
                runs[str(seed)] = found = run(engine, script, seed, options)
                speed = found.get("images_per_second")
                print(script, engine, seed, found["error"] if speed is None else f"{speed:.0f}/s")
                path.write_text(json.dumps(results, indent=1) + "\n")


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MINICNN_DATA"))
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--work", type=Path, default=Path("runs/keras_scripts"))
    parser.add_argument("--python-peers", default=os.environ.get("MINICNN_PYTHON_PEERS"))
    parser.add_argument("--scripts", nargs="+", default=SCRIPTS, help="their first letters suffice")
    parser.add_argument("--engines", nargs="*", default=ENGINES, choices=ENGINES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=900, help="seconds per run")
    parser.add_argument("--again", action="store_true", help="repeat what was measured before")
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.scripts = [s for s in SCRIPTS if s.startswith(tuple(options.scripts))]
    options.python_peers = options.python_peers or sys.executable
    return options


def main() -> None:
    """Run the scripts and print the table."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.engines:
        prepare(Path(options.data), options.work / "data")
    path = options.out / "keras-scripts.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    measure(options, results)
    print_table(results, options.out / "keras-scripts.md")


if __name__ == "__main__":
    main()
