"""The settings of the Django project. There are no users and no sessions."""

SECRET_KEY = "set by minicnn serve"  # signs what browsers send back; a library alone signs nothing
DEBUG = False
USE_TZ = True
INSTALLED_APPS = ["django.contrib.staticfiles", "minicnn.apps.library"]
DATABASES: dict[str, dict[str, str]] = {}  # libraries are added when they are opened
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
