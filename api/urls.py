"""The machine face: /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("evacuation/", include("api.evacuation")),
    path("evacuation/", include("api.evacuation_plans")),
    path("points/", include("api.points")),
    path("registry/", include("api.registry")),
]
