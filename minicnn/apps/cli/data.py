"""`minicnn data`: prepare folders of images for training."""

from __future__ import annotations

from minicnn.apps.cli.command import cli_group
from minicnn.apps.cli.data_check import check
from minicnn.apps.cli.data_fetch import fetch
from minicnn.apps.cli.data_preview import preview
from minicnn.apps.cli.data_rename import rename
from minicnn.apps.cli.data_split import split
from minicnn.apps.cli.data_stats import stats


@cli_group(
    "minicnn data check photos",
    "minicnn data split photos sets --parts 70/20/10",
)
def command() -> None:
    """Split, check, count, preview, rename and fetch folders of images.

    A folder of images has one folder per class: photos/cats/, photos/dogs/, ...
    """


for subcommand in (split, stats, rename, check, fetch, preview):
    command.add_command(subcommand)
