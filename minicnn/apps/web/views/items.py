"""One picture of the library: its page, its file, and small copies of it."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from minicnn.apps.web import service
from minicnn.apps.web.cards import answers_of, file_name
from minicnn.apps.web.pictures import find_picture, open_picture
from minicnn.apps.web.query_content import MAX_BYTES
from minicnn.apps.web.thumbnails import LARGE, SMALL, reencoded
from minicnn.apps.web.uploads import find_upload
from minicnn.support.files import read_whole

KEPT_SECONDS = 24 * 3600  # by the browser; the address changes with the content of the file


@require_safe
def view(request: HttpRequest, number: int) -> HttpResponse:
    """Show a picture, what the networks see on it, and what is known of its file."""
    picture = find_picture(number)
    answers = answers_of(service.current(), number)
    context = {
        "page_name": "library",
        "picture": picture,
        "name": file_name(picture),
        "label": answers[0][1][0].name if answers else "",
        "answers": answers,
    }
    return render(request, "web/view.html", context)


@require_safe
def download(request: HttpRequest, number: int) -> FileResponse:
    """Send a picture's own file, as it is on the disk."""
    picture = find_picture(number)
    return FileResponse(open_picture(picture), as_attachment=True, filename=file_name(picture))


@require_safe
def thumbnail(request: HttpRequest, number: int) -> HttpResponse:
    """Send a small copy of a picture."""
    return _jpeg(reencoded(service.current(), find_picture(number), SMALL))


@require_safe
def image(request: HttpRequest, number: int) -> HttpResponse:
    """Send a copy of a picture that is no larger than a screen."""
    return _jpeg(reencoded(service.current(), find_picture(number), LARGE))


@require_safe
def upload_image(request: HttpRequest, name: str) -> HttpResponse:
    """Send an upload, while it is kept."""
    content = read_whole(find_upload(name).path, MAX_BYTES)
    response = HttpResponse(content, content_type="image/jpeg")
    response["Cache-Control"] = "no-store"
    return response


def _jpeg(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="image/jpeg")
    response["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    return response
