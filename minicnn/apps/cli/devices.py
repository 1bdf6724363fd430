"""`minicnn devices`: list the engines of this machine and the devices that they use."""

from __future__ import annotations

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.backends import backend_info, current_backend
from minicnn.devices import list_devices


@cli_command("minicnn devices", "minicnn devices --json")
@options.as_json()
def command(as_json: bool) -> None:
    """List the engines, what each of them lacks, the processor and every NVIDIA GPU.

    The JSON object describes the processor; its key "devices" lists all devices.
    """
    devices, engines = list_devices(), backend_info()
    if as_json:
        output.print_json(
            **devices[0], devices=devices, backends=engines, current=current_backend()
        )
        return
    rows = [(name, _mark(name), state) for name, state in engines.items()]
    output.result(output.table(["engine", "", "state"], rows))
    for device in devices:
        output.result("")
        output.result(output.table(["device", ""], [(k, _text(v)) for k, v in device.items()]))


def _mark(name: str) -> str:
    return "current" if name == current_backend() else ""


def _text(value: object) -> str:
    return f"{value:,} bytes" if isinstance(value, int) and value > 2**20 else str(value)
