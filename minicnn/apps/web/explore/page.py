"""The one page of the explorer; its views are made in the browser, by static/explore."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe


@require_safe
@ensure_csrf_cookie
def explore(request: HttpRequest) -> HttpResponse:
    """Show the explorer."""
    return render(request, "explore/explore.html", {"page_name": "explore"})
