"""`minicnn data fetch`: download images from lists of links."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.progress import counting
from minicnn.data.tools.fetch import FetchLimits, Transport, fetch_images, read_links, write_report


@cli_command(
    "minicnn data fetch cats.csv --to photos",
    "minicnn data fetch cats.csv dogs.csv --to photos --most-mb 5",
    short_help="Download images from lists of links.",
)
@click.argument("lists", nargs=-1, required=True, type=options.FILE)
@click.option(
    "--to", type=options.FOLDER, required=True, help="Folder in which each list gets a folder."
)
@click.option("--most-mb", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True,
              help="Maximum size of an image, in MB.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=8.0, show_default=True,
              help="Maximum seconds per download.")  # fmt: skip
@click.option("--allow-private", is_flag=True, help="Also allow addresses of the local network.")
@options.as_json()
def fetch(
    lists: Sequence[Path],
    to: Path,
    most_mb: float,
    seconds: float,
    allow_private: bool,
    as_json: bool,
) -> None:
    """Download the links of each CSV file of LISTS into a class folder with the file's name.

    Links must be http or https and lead to the public internet. NAME.fetched.csv, beside the
    folder, lists the downloads that failed. The same command continues an interrupted download.
    The exit code is 3 if a list has no link to an image.
    """
    _check_different(lists)
    limits = FetchLimits(
        max_bytes=round(most_mb * 1e6), total_seconds=seconds, allow_private=allow_private
    )
    transport, summary = Transport(), {}
    for file in lists:
        links, target = read_links(file), to / file.stem
        with counting(file.stem) as progress:
            results = fetch_images(
                links, target, limits=limits, transport=transport, progress=progress
            )
        write_report(results, to / f"{file.stem}.fetched.csv")
        got = sum(one.path is not None for one in results)
        summary[file.stem] = {"links": len(links), "images": got}
        if not as_json:
            report = f"; for the others see {target}.fetched.csv" if got < len(links) else ""
            output.result(f"{target}: {got:,} of {len(links):,} links are images{report}")
    if as_json:
        output.print_json(classes=summary)
    without = [name for name, counts in summary.items() if not counts["images"]]
    if without:
        raise BadDataFound(f"no link is an image in {', '.join(without)}")


def _check_different(lists: Sequence[Path]) -> None:
    """Check that each list fills a folder of its own, as images are named after their line."""
    first: dict[str, Path] = {}
    for file in lists:
        other = first.setdefault(file.stem, file)
        if other is not file:
            raise click.UsageError(
                f"{other} and {file} would both fill the folder {file.stem}; rename one, or put "
                "all links into one list"
            )
