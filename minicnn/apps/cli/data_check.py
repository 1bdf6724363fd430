"""`minicnn data check`: find faults in folders of images."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.progress import counting
from minicnn.data.folder_layouts import list_splits
from minicnn.data.tools.check import (
    KINDS,
    DatasetFinding,
    DatasetReport,
    check_splits,
    write_findings,
)
from minicnn.support.text import printable

FEW = 3  # files named for each kind of finding


@cli_command(
    "minicnn data check photos",
    "minicnn data check scenes --csv findings.csv",
    short_help="Find unreadable files, duplicates and leaks.",
)
@click.argument("directory", type=options.PATH)
@click.option(
    "--csv",
    "csv_file",
    type=options.FILE,
    help="Write all findings to a file.",
)
@options.force()
@click.option("--all", "show_all", is_flag=True, help=f"Name all files, not {FEW} per kind.")
@click.option(
    "--no-look-alikes", is_flag=True, help="Find identical files only, not similar images."
)
@options.as_json()
def check(
    directory: Path,
    csv_file: Path | None,
    force: bool,
    show_all: bool,
    no_look_alikes: bool,
    as_json: bool,
) -> None:
    """Find unreadable files, duplicates and leaks between splits in DIRECTORY.

    DIRECTORY has one folder per class, or train, val and test with one folder per class each. No
    file is changed. The exit code is 3 if there are errors.
    """
    output.check_target(csv_file, force=force)
    sets = list_splits(directory, skip_inaccessible=True)
    with counting("checking") as progress:
        report = check_splits(sets, look_alikes=not no_look_alikes, progress=progress)
    if csv_file is not None:
        write_findings(report.findings, csv_file)
    if as_json:
        output.print_json(
            files=report.files,
            counts=report.counts,
            errors=report.errors,
            findings=[{**f._asdict(), "error": f.is_error} for f in report.findings],
        )
    else:
        output.result(_report_text(report, directory, show_all))
    if report.errors:
        found = f"{report.errors} error{'s' * (report.errors != 1)}"
        raise BadDataFound(f"{found} in {report.files:,} images of {directory}")


def _report_text(report: DatasetReport, directory: Path, show_all: bool) -> str:
    classes = sorted({name for counts in report.counts.values() for name in counts})
    rows = [[n, *(c.get(n, "-") for c in report.counts.values())] for n in classes]
    rows.append(["all", *(sum(c.values()) for c in report.counts.values())])
    lines = [output.table(["class", *report.counts], rows), ""]
    for kind, found in report.by_kind().items():
        is_error, meaning = KINDS[kind]
        lines.append(f"{'ERROR' if is_error else 'note'}: {kind}, {len(found):,}: {meaning}")
        shown = found if show_all else found[:FEW]
        lines += [f"    {_finding_text(finding, directory)}" for finding in shown]
        if len(found) > len(shown):
            lines.append(f"    and {len(found) - len(shown):,} more (--all lists them)")
    if not report.findings:
        lines.append("Nothing found: all images are in order.")
    return "\n".join(lines)


def _finding_text(finding: DatasetFinding, directory: Path) -> str:
    names = [
        str(path.relative_to(directory) if path.is_relative_to(directory) else path)
        for path in finding.paths
    ]
    return printable(f"{' = '.join(names)} ({finding.text})")
