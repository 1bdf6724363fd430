"""The addresses from which the page gets values of networks."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
