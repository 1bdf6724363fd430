"""The library as an app of Django."""

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Its name, and the type of the keys of its tables."""

    name = "minicnn.apps.library"
    label = "library"
    default_auto_field = "django.db.models.BigAutoField"
