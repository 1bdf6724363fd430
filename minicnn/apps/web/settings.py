"""The settings of the Django project. There are no users and no sessions."""

from __future__ import annotations

import secrets
from logging import LogRecord

# It signs nothing that outlives the process.
SECRET_KEY = secrets.token_urlsafe(32)
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"  # as in the library: most cameras do not record their zone
INSTALLED_APPS = [
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "minicnn.apps.library",
    "minicnn.apps.web",
]
DATABASES: dict[str, dict[str, str]] = {}  # libraries are added when they are opened
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "minicnn.apps.web.urls"
STATIC_URL = "static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site needs them

# Names of this machine that no other one can have; `minicnn serve --host` adds its own. A request
# with another one may come from a page that has made its own name resolve to this machine.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
MIDDLEWARE = [
    "minicnn.apps.web.middleware.headers",
    "minicnn.apps.web.middleware.Refusals",
    "minicnn.apps.web.middleware.known_host",
    "minicnn.apps.web.middleware.no_zero_bytes",
    "minicnn.apps.web.middleware.token",
    "minicnn.apps.web.middleware.same_origin",
    "minicnn.apps.web.middleware.limits",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "minicnn.apps.web.middleware.what_is_served",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csrf",
                "minicnn.apps.web.served.pages",
            ]
        },
    }
]
CSRF_FAILURE_VIEW = "minicnn.apps.web.answers.csrf_failure"
CSRF_COOKIE_NAME = "minicnn-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"

# Uploads stay in memory until they are decoded; `limits` refuses larger requests before that.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 11_000_000  # bytes
DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000  # bytes of all other fields
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 4


def is_failure(record: LogRecord) -> bool:
    """Return whether something has failed, and is not only busy."""
    return getattr(record, "status_code", None) != 503


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"failures": {"()": "django.utils.log.CallbackFilter", "callback": is_failure}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["failures"]}},
    "loggers": {
        "waitress.queue": {"level": "ERROR"},  # its warnings: that a request has to wait
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "django.security": {"handlers": ["stderr"], "level": "CRITICAL", "propagate": False},
    },
}

WHITENOISE_USE_FINDERS = True  # the static files are served from the package itself
WHITENOISE_AUTOREFRESH = False
