"""The description of the interface: OpenAPI 3.1 at /api/v1/schema, a page of it at /api/v1/docs.

Owns the two addresses.  The description names no person and needs no sign-in; how names are made
is ``describing``.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, for anybody: it describes the interface and holds no data."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


def docs(request: HttpRequest) -> HttpResponse:
    """The same description as a page, made here, without anything from outside."""
    generator: Any = SchemaGenerator
    described = generator().get_schema(request=None, public=True)
    operations = [
        {
            "path": path, "method": method.upper(), "id": operation["operationId"],
            "text": operation.get("description", ""), "answers": sorted(operation["responses"]),
            "inputs": [p["name"] for p in operation.get("parameters", [])],
        }
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "web/api_docs.html", {"operations": operations})
