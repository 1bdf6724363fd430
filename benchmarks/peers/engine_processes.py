"""One process per engine, stopped with SIGSTOP while another engine works.

Engines in one process would share thread settings and memory, and engines that run at the same
time would share cores. A stopped process cannot even spin.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.markup import escape

from peers.engines import ENGINES

BENCHMARKS = Path(__file__).parents[1]


class EngineError(RuntimeError):
    """An engine's process ended, or replied with an error."""


class EngineProcesses:
    """The engines' processes, all stopped; `ask` wakes one for a request. Use it as a context."""

    def __init__(self, pythons: dict[str, str], threads: int) -> None:
        self.pythons, self.threads = pythons, threads  # interpreter by engine
        self.absent: dict[str, str] = {}  # command that installs it, by engine
        self.variants: dict[str, dict[str, list[str]]] = {}  # modes by variant, by engine
        self.versions: dict[str, dict[str, str]] = {}
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._open = ExitStack()
        self._logs: dict[str, IO[str]] = {}  # stderr, shown when a process ends

    def __enter__(self) -> EngineProcesses:
        """Start every engine that is installed, one after the other."""
        try:
            for engine in self.pythons:
                self._start(engine)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End every process that was started here."""
        self._end()

    def ask(self, engine: str, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the reply, while all other engines are stopped."""
        process = self._processes[engine]
        process.send_signal(signal.SIGCONT)
        try:
            print(json.dumps({"do": do, **request}), file=process.stdin, flush=True)
            answer = self._answer(engine)
        except BrokenPipeError:
            raise self._dead(engine) from None
        finally:
            process.send_signal(signal.SIGSTOP)
        if "error" in answer:
            raise EngineError(f"{engine}: {answer['error']}")
        return answer

    def say_what_is_absent(self, console: Console) -> None:
        """Print how to install each missing engine, and all peers."""
        for engine, remedy in self.absent.items():
            console.print(f"[yellow]{engine} is absent; to compare with it: {escape(remedy)}")
        lacking = [engine for engine in self.absent if not ENGINES[engine].is_ours]
        if len(lacking) > 1:
            everything = f'{self.pythons[lacking[0]]} -m pip install "{BENCHMARKS.parent}[bench]"'
            console.print(f"[yellow]all peers at once: {escape(everything)}")

    def process_id(self, engine: str) -> int:
        """The process id of an engine."""
        return self._processes[engine].pid

    def _start(self, engine: str) -> None:
        log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (the ExitStack closes it)
        self._logs[engine] = self._open.enter_context(log)
        self._processes[engine] = process = subprocess.Popen(
            [self.pythons[engine], "-m", "peers.worker", engine, str(self.threads)],
            cwd=BENCHMARKS,
            env=_environment(engine, self.threads),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        hello = self._answer(engine)
        if "absent" in hello:
            self.absent[engine] = f"{self.pythons[engine]} -m pip install {_installable(engine)}"
            return
        process.send_signal(signal.SIGSTOP)
        self.variants[engine], self.versions[engine] = hello["variants"], hello["versions"]

    def _answer(self, engine: str) -> dict[str, Any]:
        process = self._processes[engine]
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise self._dead(engine)
        return json.loads(line)

    def _dead(self, engine: str) -> EngineError:
        self._logs[engine].seek(0)
        last = "".join(self._logs[engine].readlines()[-5:])
        code = self._processes[engine].wait()
        return EngineError(f"{engine}: its process ended with code {code}\n{last}")

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.communicate()
        self._open.close()


def _installable(engine: str) -> str:
    """The argument of `pip install` for an engine."""
    return f'"{BENCHMARKS.parent}"' if ENGINES[engine].is_ours else ENGINES[engine].package


def _environment(engine: str, threads: int) -> dict[str, str]:
    """Environment variables that give every library the same number of threads."""
    names = ("OMP", "MINICNN", "OPENBLAS", "MKL")
    counts = {f"{name}_NUM_THREADS": str(threads) for name in names}
    return {**os.environ, **counts, "CUDA_VISIBLE_DEVICES": "", **ENGINES[engine].environment}
