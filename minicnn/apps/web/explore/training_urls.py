"""The addresses from which the page gets what happens in a training."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
