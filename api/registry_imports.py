"""``registry/imports`` by the machine face: upload, preview, apply, hand rows back.

Owns taking a file without holding a large one in memory.  Refuses a file above 256 MB; every
rule of content is the importer's.  interfaces.md; evacuation.md, "Import".
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api import registry_shapes as shapes
from api.base import Endpoint, read
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission
from registry.operations import imports as writing
from registry.queries import imports

LARGEST = 256 * 1024 * 1024
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class UploadTooLarge(Refused):
    """The file is above 256 MB (HTTP 413)."""

    code = "file_too_large"
    message = "ファイルが256MBをこえています。分けてください。"
    http_status = 413


class Imports(Endpoint):
    """取込."""

    needs: ClassVar = {"get": Permission.PEOPLE_IMPORT, "post": Permission.PEOPLE_IMPORT}
    parser_classes = [MultiPartParser]

    @extend_schema(responses=shapes.BatchesOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """The latest imports, newest first."""
        return Response({"results": shapes.BatchOut(imports.batches(scope), many=True).data})

    @extend_schema(request=shapes.ImportIn, responses={201: shapes.BatchOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Stage a file: nothing reaches the register before ``apply``."""
        given = read(shapes.ImportIn, request)
        file: UploadedFile[bytes] = given["file"]
        if (file.size or 0) > LARGEST:
            raise UploadTooLarge
        source = (
            Path(file.temporary_file_path())
            if isinstance(file, TemporaryUploadedFile) else file.read()
        )
        batch = writing.stage(
            source=source, profile=given["profile"], file_name=file.name or "", by=scope
        )
        return _batch(scope, batch.pk, 201)


class Import(Endpoint):
    """One import."""

    needs: ClassVar = {"get": Permission.PEOPLE_IMPORT, "delete": Permission.PEOPLE_IMPORT}

    @extend_schema(responses=shapes.BatchOut)
    def get(self, request: Request, scope: Scope, batch_id: int) -> Response:
        """Its totals."""
        return _batch(scope, batch_id)

    @extend_schema(responses={200: shapes.BatchOut})
    def delete(self, request: Request, scope: Scope, batch_id: int) -> Response:
        """Give a staged import up and forget its rows."""
        writing.discard(batch_id=batch_id, by=scope)
        return _batch(scope, batch_id)


class ImportPreview(Endpoint):
    """What applying would do."""

    needs: ClassVar = {"get": Permission.PEOPLE_IMPORT}

    @extend_schema(parameters=[shapes.PreviewIn], responses=shapes.PreviewOut)
    def get(self, request: Request, scope: Scope, batch_id: int) -> Response:
        """Totals, and rows with before and after; leaves view records."""
        asked = shapes.asked(shapes.PreviewIn, request)
        found = imports.preview(
            scope, batch_id=batch_id, verdict=asked.get("verdict"), after=asked["after"],
            limit=asked["limit"],
        )
        rows = [
            {
                "row_number": one.row_number, "verdict": one.verdict, "number": one.number,
                "name": one.name, "column": one.column, "code": one.code, "reason": one.reason,
                "changes": [
                    {"field": field, "before": before, "after": after}
                    for field, before, after in one.changes
                ],
            }
            for one in found.rows
        ]
        body = {"batch": found.batch, "rows": rows, "next": found.next}
        return Response(shapes.PreviewOut(body).data)


class ImportApply(Endpoint):
    """The second step."""

    needs: ClassVar = {"post": Permission.PEOPLE_IMPORT}

    @extend_schema(request=None, responses=shapes.BatchOut)
    def post(self, request: Request, scope: Scope, batch_id: int) -> Response:
        """Write the staged rows into the register; an applied import is returned as it is."""
        writing.apply(batch_id=batch_id, by=scope)
        return _batch(scope, batch_id)


class ImportRejected(Endpoint):
    """The rows that go back to the sender."""

    needs: ClassVar = {"get": Permission.PEOPLE_IMPORT}

    @extend_schema(responses={
        (200, CSV): OpenApiResponse(OpenApiTypes.BINARY),
        (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY),
    })
    def get(self, request: Request, scope: Scope, batch_id: int) -> HttpResponse:
        """A file in the input's own format, with row number, column and reason in front."""
        name, content = imports.rejected_file(scope, batch_id=batch_id)
        kind = XLSX if name.endswith(".xlsx") else CSV
        return HttpResponse(content, content_type=kind, headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "Cache-Control": "no-store",
        })


def _batch(scope: Scope, batch_id: int, status: int = 200) -> Response:
    fact = imports.batch(scope, batch_id=batch_id)
    return Response(shapes.BatchOut(fact).data, status=status)
