"""The machine face: /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

from api import schema

urlpatterns: list[URLPattern | URLResolver] = [
    path("evacuation/", include("api.evacuation")),
    path("evacuation/", include("api.evacuation_plans")),
    path("points/", include("api.points")),
    path("registry/", include("api.registry")),
    path("schema", schema.SchemaView.as_view(), name="schema"),
    path("docs", schema.docs, name="docs"),
]
