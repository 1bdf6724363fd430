"""`minicnn devices`: which engines can compute here, and on what."""

from __future__ import annotations

from typing import Any

from minicnn import config
from minicnn.apps.cli import options, output
from minicnn.apps.cli.verbs import verb
from minicnn.apps.machine import processor
from minicnn.backends import backend_info, current_backend, instruction_set
from minicnn.limits import memory_bytes


@verb("minicnn devices", "minicnn devices --json")
@options.as_json()
def command(as_json: bool) -> None:
    """The engines, which one is in use, the processor, its instruction set and the memory."""
    machine, engines = _machine(), backend_info()
    if as_json:
        output.print_json(**machine, backends=engines, current=current_backend())
        return
    rows = [(name, _use(name), state) for name, state in engines.items()]
    output.result(output.table(["engine", "", "state"], rows))
    output.result("")
    output.result(output.table(["device", ""], [(k, _text(v)) for k, v in machine.items()]))


def _use(name: str) -> str:
    return "in use" if name == current_backend() else ""


def _machine() -> dict[str, Any]:
    """Keys are those of the JSON object; "memory_limit" as the papers' device list calls it."""
    return {
        "name": "CPU:0",
        "device_type": "CPU",
        "physical_device_desc": processor(),
        "instruction_set": instruction_set() or "NumPy's",
        "threads": config.get_threads(),
        "memory_limit": memory_bytes(),
    }


def _text(value: object) -> str:
    return f"{value:,} bytes" if isinstance(value, int) and value > 2**20 else str(value)
