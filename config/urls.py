"""Which URL trees this process serves: the API, the pages, the health marks."""

from django.urls import include, path

from api import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include("api.urls")),
    path("", include("web.urls")),
]
