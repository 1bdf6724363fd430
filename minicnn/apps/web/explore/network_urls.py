"""The addresses from which the page gets values of networks."""

from django.urls import path

from minicnn.apps.web.explore import network_views, number_views

urlpatterns = [
    path("networks", network_views.networks, name="explore_networks"),
    path("network", network_views.network, name="explore_network"),
    path("pass", network_views.compute, name="explore_pass"),
    path("values", network_views.values, name="explore_values"),
    path("parameter", network_views.parameter, name="explore_parameter"),
    path("number", number_views.number, name="explore_number"),
    path("weight", number_views.weight, name="explore_weight"),
    path("check", number_views.check, name="explore_check"),
    path("change", number_views.change, name="explore_change"),
    path("images", network_views.images, name="explore_images"),
]
