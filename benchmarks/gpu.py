"""Everything about the CUDA engine on this machine's GPU, in under 10 minutes.

    python benchmarks/gpu.py                                   # all parts
    python benchmarks/gpu.py --parts correctness launches
    python benchmarks/gpu.py --networks lenet --minutes 2
    python benchmarks/gpu.py --simulate                        # no GPU: kernels on the processor

Each part runs in a separate process with a time limit. A part that fails is reported, and the other
parts still run. Without a GPU the exit code is 2. README.md in this folder says what is measured.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from gpu_parts import report
from gpu_parts.options import Options
from gpu_parts.parent import PartResult, run_part
from output import add_out
from rich.console import Console

from minicnn.backends import device

# Each part's share of the total time.
PARTS = {
    "about": 3,
    "correctness": 24,
    "launches": 4,
    "ceilings": 8,
    "networks": 26,
    "torch_networks": 14,
    "jax_networks": 7,
    "torch_compiled": 8,
    "mnist": 6,
}
SIMULATED = ("about", "correctness")
MINUTES = 9.5
NO_GPU = 2  # exit code


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if all went well, 1 if a part failed or a kernel is wrong, 2 without a GPU."""
    options = _options(arguments)
    problem = "" if options.simulate else device.missing() or device.no_gpu()
    if problem or (device.simulated() and not options.simulate):
        print(f"no GPU to measure: {problem or 'the simulator is on'}", file=sys.stderr)
        return NO_GPU
    console = Console(width=max(Console().width, 150))
    asked = Options(options.simulate, tuple(options.kernels), tuple(options.networks))
    results = _run(options.parts, 60 * options.minutes, asked, console)
    name = "simulated" if options.simulate else device.gpus()[0].name
    if not options.simulate:
        console.print(f"wrote {report.write(options.out, name, results)}")
    return int(any(result.failed or _wrong(result) for result in results))


def _run(parts: list[str], seconds: float, options: Options, console: Console) -> list[PartResult]:
    """Run one part after the other; time that a part leaves is shared by the later ones."""
    results = []
    for i, part in enumerate(parts):
        share = PARTS[part] / sum(PARTS[later] for later in parts[i:])
        result = run_part(part, seconds * share, options)
        seconds -= result.seconds
        report.print_result(result, console)
        for row in _wrong(result):
            console.print(f"[red]WRONG: {row['name']}, {row['case']}, {row['size']}")
        results.append(result)
    return results


def _wrong(result: PartResult) -> list[dict[str, Any]]:
    """Return the kernels whose error is larger than rounding explains."""
    return [row for row in result.rows if row.get("agrees") is False]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add: Any = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=None, help="default: all")
    add("--minutes", type=float, default=MINUTES, help="for all parts together")
    add("--networks", nargs="+", default=[], help="default: all five")
    add("--kernels", nargs="+", default=[], help="kernels to check; default: all")
    add(
        "--simulate",
        action="store_true",
        help="tiny shapes in numba's simulator; nothing is timed",
    )
    add_out(parser)
    options = parser.parse_args(arguments)
    possible = list(SIMULATED) if options.simulate else list(PARTS)
    options.parts = [part for part in options.parts or possible if part in possible]
    return options


if __name__ == "__main__":
    sys.exit(main())
