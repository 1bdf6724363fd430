"""Show what a trained network looks at and what it gets wrong; find out why one does not learn."""

from minicnn.explain.doctor import Doctor, Finding, examine
from minicnn.explain.feature_maps import feature_maps, maps_figure
from minicnn.explain.figures import confusion_figure, error_gallery, first_layer_figure
from minicnn.explain.gradcam import gradcam, gradcam_figure
from minicnn.explain.image_changes import IMAGE_CHANGES, ImageChange, changed_images
from minicnn.explain.kernels import kernel_tiles, kernels_figure, kernels_of
from minicnn.explain.occlusion import occlusion_figure, occlusion_map
from minicnn.explain.predictions import predictions_figure
from minicnn.explain.robustness import RobustnessRow, robustness, tolerated
from minicnn.explain.robustness_figures import robustness_figure, robustness_sheet
from minicnn.explain.tape import Tape
from minicnn.explain.verify import verify

__all__ = [
    "IMAGE_CHANGES",
    "Doctor",
    "Finding",
    "ImageChange",
    "RobustnessRow",
    "Tape",
    "changed_images",
    "confusion_figure",
    "error_gallery",
    "examine",
    "feature_maps",
    "first_layer_figure",
    "gradcam",
    "gradcam_figure",
    "kernel_tiles",
    "kernels_figure",
    "kernels_of",
    "maps_figure",
    "occlusion_figure",
    "occlusion_map",
    "predictions_figure",
    "robustness",
    "robustness_figure",
    "robustness_sheet",
    "tolerated",
    "verify",
]
