"""The addresses of the explorer."""

from django.urls import include, path

from minicnn.apps.web.explore import page

urlpatterns = [
    path("", page.explore, name="explore"),
    path("api/", include("minicnn.apps.web.explore.network_urls")),
    path("api/", include("minicnn.apps.web.explore.training_urls")),
]
