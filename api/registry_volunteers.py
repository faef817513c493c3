"""``registry/volunteers`` and ``registry/cards`` by the machine face.

Owns listing, searching, registering, the opt-in taken at the desk (P11), and issuing cards.
Refuses a name in an address: a search is a POST.  A code is shown to whom may print it, once
when it is made.  interfaces.md, "HTTP API"; P6.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import registry_shapes as shapes
from api.base import Endpoint, InvalidInput, read
from api.registry_people import within
from points.domain.tokens import Kind, mint
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.operations import cards
from registry.operations import volunteers as writing
from registry.queries import areas, volunteers


def _page(scope: Scope, asked: dict[str, Any]) -> Response:
    page = volunteers.search_volunteers(
        scope, text=asked.get("text", ""), area_ids=within(scope, asked.get("area")),
        cursor=asked.get("cursor"), limit=asked["limit"],
    )
    rows = shapes.VolunteerOut(page.items, many=True).data
    return Response({"results": rows, "next": page.next})


def _answer(scope: Scope, volunteer_id: int, status: int = 200) -> Response:
    found = volunteers.volunteer_facts(
        scope, volunteer_ids=[volunteer_id], action="volunteers.api"
    )
    if volunteer_id not in found:
        raise NotFound
    return Response(shapes.VolunteerOut(found[volunteer_id]).data, status=status)


class Volunteers(Endpoint):
    """ボランティア."""

    needs: ClassVar = {"get": Permission.VOLUNTEERS_VIEW, "post": Permission.VOLUNTEERS_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.PageIn], responses=shapes.VolunteersOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Volunteers by reading; a leader gets the own group's members."""
        return _page(scope, shapes.asked(shapes.PageIn, request))

    @extend_schema(request=shapes.VolunteerIn, responses={201: shapes.VolunteerOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Register a volunteer."""
        given = read(shapes.VolunteerIn, request)
        area = given.pop("area")
        if area is not None and area not in areas.area_ids(scope).values():
            raise InvalidInput(fields={"area": "この区域は登録されていません。"})
        made = writing.register(
            volunteer=writing.VolunteerInput(area_id=area, **given), by=scope
        )
        return _answer(scope, made.pk, 201)


class VolunteersSearch(Endpoint):
    """Search by name, reading or 手帳番号."""

    needs: ClassVar = {"post": Permission.VOLUNTEERS_VIEW}

    @extend_schema(request=shapes.SearchIn, responses=shapes.VolunteersOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Volunteers whose reading begins with the text, or whose name contains it."""
        return _page(scope, read(shapes.SearchIn, request))


class Volunteer(Endpoint):
    """One volunteer."""

    needs: ClassVar = {"get": Permission.VOLUNTEERS_VIEW}

    @extend_schema(responses=shapes.VolunteerOut)
    def get(self, request: Request, scope: Scope, volunteer_id: int) -> Response:
        """The facts of one volunteer."""
        return _answer(scope, volunteer_id)


class OptIn(Endpoint):
    """「災害のときの支援者さがしに使ってよい」."""

    needs: ClassVar = {
        "post": Permission.VOLUNTEERS_MANAGE, "delete": Permission.VOLUNTEERS_MANAGE,
    }

    @extend_schema(request=None, responses=shapes.VolunteerOut)
    def post(self, request: Request, scope: Scope, volunteer_id: int) -> Response:
        """Record the volunteer's own word, from today."""
        writing.opt_in(volunteer_id=volunteer_id, by=scope)
        return _answer(scope, volunteer_id)

    @extend_schema(responses={200: shapes.VolunteerOut})
    def delete(self, request: Request, scope: Scope, volunteer_id: int) -> Response:
        """Record that the word was taken back, from today."""
        writing.opt_out(volunteer_id=volunteer_id, by=scope)
        return _answer(scope, volunteer_id)


class Cards(Endpoint):
    """カード・手帳."""

    needs: ClassVar = {"post": Permission.CARDS_ISSUE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.CardIn, responses={201: shapes.CardOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Issue a card with a fresh code, or reissue a lost one."""
        given = read(shapes.CardIn, request)
        minted = mint(Kind.CARD, host=settings.CODE_HOST)
        issue = cards.reissue_card if given["reissue"] else cards.issue_card
        card = issue(volunteer_id=given["volunteer"], code=minted.code, by=scope)
        body = {
            "volunteer_id": card.volunteer_id, "tail": card.tail, "issued_at": card.issued_at,
            "code": minted.code, "url": minted.url,
        }
        return Response(shapes.CardOut(body).data, status=201)


class CardCancel(Endpoint):
    """The end of a lost card."""

    needs: ClassVar = {"post": Permission.CARDS_ISSUE}

    @extend_schema(request=shapes.CardOffIn, responses=shapes.CancelledCardOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Kill the card in force; the points stay."""
        given = read(shapes.CardOffIn, request)
        card = cards.cancel_card(volunteer_id=given["volunteer"], by=scope)
        return Response(shapes.CancelledCardOut(card).data)
