"""``evacuation/editions`` and ``evacuation/copies``.

Owns what leaves to holders and where the copies are.  Another office's edition or copy, an ended
term's, and one that does not exist answer alike.  Every file is on record.  R5, R9.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from api import evacuation_custody_shapes as shapes
from api.base import Endpoint, PreconditionFailed, entity_tag, read, required_version
from api.evacuation_roster_shapes import EmptyIn, StateIn
from api.registry_shapes import asked
from evacuation.operations import custody, losses, strikes
from evacuation.queries import custody as reading
from evacuation.queries import editions
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound
from registry.domain.roles import Permission as P

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)
BINARY = OpenApiResponse(OpenApiTypes.BINARY)


def _file(name: str, body: bytes, content_type: str) -> HttpResponse:
    return HttpResponse(body, content_type=content_type, headers={
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    })


class Editions(Endpoint):
    """版."""

    needs: ClassVar = {"get": P.EDITIONS_VIEW}

    @extend_schema(parameters=[shapes.EditionsIn], responses=shapes.EditionOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Of one's own offices, or all for custody staff."""
        given = asked(shapes.EditionsIn, request)
        found = editions.editions(scope, period=given.get("period"), office_id=given.get("office"))
        return Response({"results": shapes.EditionOut(found, many=True).data})


class MyRoster(Endpoint):
    """The online view of the offices held today."""

    needs: ClassVar = {"get": P.EDITION_HOLD}

    @extend_schema(responses=shapes.OfficeRosterOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """One card a person, without those who may not be shown any more."""
        found = editions.my_roster(scope)
        return Response({"results": shapes.OfficeRosterOut(found, many=True).data},
                        headers={"Cache-Control": "no-store"})


class Card(Endpoint):
    needs: ClassVar = {"get": P.EDITION_HOLD}

    @extend_schema(responses=shapes.CardOut)
    def get(self, request: Request, scope: Scope, row_id: int) -> Response:
        """One card of the newest edition."""
        found, _ = editions.card(scope, row_id=row_id)
        return Response(shapes.CardOut(found).data, headers={"Cache-Control": "no-store"})


class Edition(Endpoint):
    needs: ClassVar = {"get": P.EDITIONS_VIEW}

    @extend_schema(responses=shapes.EditionOut)
    def get(self, request: Request, scope: Scope, edition_id: int) -> Response:
        """One edition, without its people."""
        return Response(shapes.EditionOut(editions.edition(scope, edition_id=edition_id)).data)


class AnyFormat(DefaultContentNegotiation):
    """``?format=`` names the file here, not a way to render JSON."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class EditionFile(Endpoint):
    content_negotiation_class = AnyFormat
    needs: ClassVar = {"get": P.EDITIONS_VIEW}

    @extend_schema(
        parameters=[OpenApiParameter("format", str, enum=["pdf", "xlsx", "difference"],
                                     required=True)],
        responses={200: BINARY},
    )
    def get(self, request: Request, scope: Scope, edition_id: int) -> HttpResponse:
        """Booklet, spreadsheet or difference sheet; leaves an export record."""
        wanted = asked(shapes.FileIn, request)["format"]
        found = editions.edition_file(scope, edition_id=edition_id, file=wanted)
        return _file(found.name, found.body, found.content_type)


class EditionDifference(Endpoint):
    needs: ClassVar = {"get": P.EDITIONS_VIEW}

    @extend_schema(responses=shapes.DifferenceOut)
    def get(self, request: Request, scope: Scope, edition_id: int) -> Response:
        """Who is new, changed, gone."""
        found = editions.difference(scope, edition_id=edition_id)
        return Response(shapes.DifferenceOut(found).data)


class Copies(Endpoint):
    """副本."""

    needs: ClassVar = {"get": P.COPIES_RECORD}

    @extend_schema(parameters=[StateIn], responses=shapes.CopyOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Of one's own offices, or all for custody staff."""
        given = asked(StateIn, request)
        found = reading.copies(scope, office_id=given.get("office"), state=given.get("state"),
                               period=given.get("period"))
        return Response({"results": shapes.CopyOut(found, many=True).data})


class Copy(Endpoint):
    needs: ClassVar = {"get": P.COPIES_RECORD}

    @extend_schema(responses=shapes.CopyPageOut)
    def get(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """One copy with everything that happened to it."""
        copy = reading.copy_fact(scope, copy_id=copy_id)
        events = reading.copy_events(scope, copy_id=copy_id)
        body = {"copy": shapes.CopyOut(copy).data,
                "events": shapes.EventOut(events, many=True).data}
        return Response(body, headers={"ETag": entity_tag(copy.version)})


def _copy(scope: Scope, copy_id: int) -> Response:
    try:
        copy = reading.copy_fact(scope, copy_id=copy_id)
    except NotFound:  # handed over: it has left the actor's rows
        return Response(status=204)
    return Response(shapes.CopyOut(copy).data, headers={"ETag": entity_tag(copy.version)})


class CopyReceipt(Endpoint):
    needs: ClassVar = {"post": P.COPIES_RECORD}

    @extend_schema(request=EmptyIn, responses=shapes.CopyOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """受領."""
        version = required_version(request)
        try:
            custody.acknowledge_receipt(copy_id=copy_id, by=scope, version=version)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _copy(scope, copy_id)


class CopyCheck(Endpoint):
    needs: ClassVar = {"post": P.COPIES_RECORD}

    @extend_schema(request=shapes.NoteIn, responses=shapes.CopyOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """所在確認."""
        version, given = required_version(request), read(shapes.NoteIn, request)
        try:
            custody.check_possession(copy_id=copy_id, by=scope, version=version, **given)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _copy(scope, copy_id)


class CopyHandOver(Endpoint):
    needs: ClassVar = {"post": P.COPIES_RECORD}

    @extend_schema(request=shapes.HandOverIn, parameters=[IF_MATCH],
                   responses={200: shapes.CopyOut, 204: None})
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """引き継ぎ: to another office, or to the successor."""
        version, given = required_version(request), read(shapes.HandOverIn, request)
        try:
            custody.hand_over(
                copy_id=copy_id, by=scope, to_office_id=given.get("to_office"),
                to_user_id=given.get("to_user"), note=given["note"], version=version,
            )
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _copy(scope, copy_id)


class CopyRecall(Endpoint):
    needs: ClassVar = {"post": P.CUSTODY_MANAGE}

    @extend_schema(request=shapes.NoteIn, responses=shapes.CopyOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """返却のお願い."""
        version, given = required_version(request), read(shapes.NoteIn, request)
        try:
            custody.recall(copy_id=copy_id, by=scope, version=version, **given)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _copy(scope, copy_id)


class CopyReturn(Endpoint):
    needs: ClassVar = {"post": P.CUSTODY_MANAGE}

    @extend_schema(request=shapes.NoteIn, responses=shapes.CopyOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """返却."""
        version, given = required_version(request), read(shapes.NoteIn, request)
        try:
            custody.return_copy(copy_id=copy_id, by=scope, version=version, **given)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _copy(scope, copy_id)


class CopyDestroy(Endpoint):
    needs: ClassVar = {"post": P.COPIES_RECORD}

    @extend_schema(request=shapes.CertificateIn, responses=shapes.CopyOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """廃棄, with way and witness."""
        version, given = required_version(request), read(shapes.CertificateIn, request)
        try:
            custody.destroy(copy_id=copy_id, by=scope, version=version, **given)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _copy(scope, copy_id)


class CopyLoss(Endpoint):
    needs: ClassVar = {"post": P.COPIES_RECORD}

    @extend_schema(request=shapes.LossIn, responses={201: shapes.LossOut}, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, copy_id: int) -> Response:
        """紛失: people affected, due dates; letters follow."""
        version, given = required_version(request), read(shapes.LossIn, request)
        try:
            loss = losses.report_loss(copy_id=copy_id, by=scope, version=version, **given)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return Response(shapes.LossOut(loss).data, status=201)


class StrikeOuts(Endpoint):
    needs: ClassVar = {"get": P.COPIES_RECORD}

    @extend_schema(responses=shapes.StrikeOutOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Whom to strike out of which copy (R5)."""
        found = reading.strike_outs(scope)
        return Response({"results": shapes.StrikeOutOut(found, many=True).data})


class StrikeOutDone(Endpoint):
    needs: ClassVar = {"post": P.COPIES_RECORD}

    @extend_schema(request=EmptyIn, responses={204: None})
    def post(self, request: Request, scope: Scope, strike_out_id: int) -> Response:
        """The line is struck out.  Again is no error."""
        strikes.confirm(strike_out_id=strike_out_id, by=scope)
        return Response(status=204)


class LetterFile(Endpoint):
    needs: ClassVar = {"get": P.COPIES_RECORD}

    @extend_schema(responses={200: BINARY})
    def get(self, request: Request, scope: Scope, letter_id: int) -> HttpResponse:
        """A strike-out notice or a loss letter, ready to print."""
        name, body = reading.letter_file(scope, letter_id=letter_id)
        return _file(name, body, "application/pdf")
