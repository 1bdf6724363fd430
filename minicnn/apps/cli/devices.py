"""`minicnn devices`: which engines can compute here, and on what."""

from __future__ import annotations

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb
from minicnn.backends import backend_info, current_backend
from minicnn.devices import list_devices


@verb("minicnn devices", "minicnn devices --json")
@options.as_json()
def command(as_json: bool) -> None:
    """The engines and what each lacks, the processor, the memory, and every NVIDIA GPU.

    Keys of the JSON object are those of the processor, and "devices", all of them.
    """
    devices, engines = list_devices(), backend_info()
    if as_json:
        output.print_json(
            **devices[0], devices=devices, backends=engines, current=current_backend()
        )
        return
    rows = [(name, _use(name), state) for name, state in engines.items()]
    output.result(output.table(["engine", "", "state"], rows))
    for device in devices:
        output.result("")
        output.result(output.table(["device", ""], [(k, _text(v)) for k, v in device.items()]))


def _use(name: str) -> str:
    return "in use" if name == current_backend() else ""


def _text(value: object) -> str:
    return f"{value:,} bytes" if isinstance(value, int) and value > 2**20 else str(value)
