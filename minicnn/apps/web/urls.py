"""The addresses of the pages."""

from django.urls import include, path, register_converter

from minicnn.apps.web.views import home, items, library, network_drawings, results


class UploadId:
    """The name of an upload: 128 random bits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        """Return the text in the address."""
        return value

    def to_url(self, value: str) -> str:
        """Return the text in the address."""
        return value


register_converter(UploadId, "upload")

urlpatterns = [
    path("", home.home, name="home"),
    path("search", results.search, name="search"),
    path("search/keyword", results.keyword, name="keyword"),
    path("library", library.library, name="library"),
    path("item/<int:number>/view", items.view, name="view"),
    path("item/<int:number>/download", items.download, name="download"),
    path("item/<int:number>/image", items.image, name="image"),
    path("item/<int:number>/thumbnail", items.thumbnail, name="thumbnail"),
    path("upload/<upload:name>/image", items.upload_image, name="upload_image"),
    path("inside/kernels.png", network_drawings.kernels, name="kernels"),
    path("inside/maps.png", network_drawings.maps, name="maps"),
    path("inside/gradcam.png", network_drawings.gradcam, name="gradcam"),
    path("api/v1/", include("minicnn.apps.web.api.urls")),
    path("explore/", include("minicnn.apps.web.explore.urls")),
]
handler400 = "minicnn.apps.web.answers.bad_request"
handler404 = "minicnn.apps.web.answers.not_found"
handler500 = "minicnn.apps.web.answers.failed"
