"""Starting Django, so that the tables of a library can be used without a web server."""

from __future__ import annotations

import os

from minicnn.installed import missing_extra

try:
    import django
    from django.apps import apps
except ModuleNotFoundError as error:
    raise missing_extra("a library of pictures needs Django", "web") from error

SETTINGS = "minicnn.apps.web.settings"


def set_up() -> None:
    """Load the settings and the tables, unless that has been done or is being done."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    if not (apps.ready or apps.loading):
        django.setup()
