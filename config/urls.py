"""Which URL trees this process serves: the API, the pages, the health marks."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("api.urls")),
    path("", include("web.urls")),
]
