"""The addresses from which the page gets what happens in a training."""

from django.urls import path

from minicnn.apps.web.explore import training_views

urlpatterns = [
    path("blocks", training_views.blocks, name="explore_blocks"),
    path("build", training_views.build, name="explore_build"),
    path("training", training_views.start, name="explore_start"),
    path("training/<int:number>", training_views.training, name="explore_training"),
    path("training/<int:number>/<slug:action>", training_views.act, name="explore_act"),
]
