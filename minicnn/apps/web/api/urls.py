"""The addresses of the interface for programs, below `/api/v1/`."""

from django.urls import path, re_path

from minicnn.apps.web.api import views

urlpatterns = [
    path("health", views.health),
    path("classify", views.classify),
    path("search", views.search),
    re_path("^pictures/(?P<number>[0-9]{1,18})$", views.picture),
    path("openapi.json", views.openapi),
    re_path("", views.unknown),
]
