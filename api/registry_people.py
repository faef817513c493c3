"""``registry/people`` by the machine face.

Owns listing, searching, reading and the two changes staff make by hand.  Refuses a name in an
address: a search is a POST.  Every answer with people in it leaves view records (queries).
interfaces.md, "HTTP API"; trust.md, "Enumeration".
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import registry_shapes as shapes
from api.base import Endpoint, PreconditionFailed, entity_tag, read, required_version
from registry.access import Scope
from registry.domain.roles import Permission
from registry.operations import people as writing
from registry.queries import areas, people

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)


def within(scope: Scope, area: int | None) -> frozenset[int] | None:
    """The 町内会 of an area, or None for the whole city."""
    return None if area is None else areas.neighbourhoods_within(scope, area)


def _page(scope: Scope, asked: dict[str, Any]) -> Response:
    page = people.search_people(
        scope, text=asked.get("text", ""), area_ids=within(scope, asked.get("area")),
        cursor=asked.get("cursor"), limit=asked["limit"],
    )
    rows = shapes.PersonLineOut(page.items, many=True).data
    return Response({"results": rows, "next": page.next})


class People(Endpoint):
    """住民."""

    needs: ClassVar = {"get": Permission.PEOPLE_VIEW}

    @extend_schema(parameters=[shapes.PageIn], responses=shapes.PeopleOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """People by reading, of an area or of all."""
        return _page(scope, shapes.asked(shapes.PageIn, request))


class PeopleSearch(Endpoint):
    """Search by name, reading or 宛名番号."""

    needs: ClassVar = {"post": Permission.PEOPLE_VIEW}

    @extend_schema(request=shapes.SearchIn, responses=shapes.PeopleOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """People whose reading begins with the text, or whose name contains it."""
        return _page(scope, read(shapes.SearchIn, request))


class Person(Endpoint):
    """One resident."""

    needs: ClassVar = {"get": Permission.PEOPLE_VIEW, "patch": Permission.ROSTER_MANAGE}

    @extend_schema(responses=shapes.PersonOut)
    def get(self, request: Request, scope: Scope, person_id: int) -> Response:
        """Everything the register knows of one person."""
        return _answer(scope, person_id, "people.api")

    @extend_schema(
        request=shapes.PersonChangeIn, responses=shapes.PersonOut, parameters=[IF_MATCH]
    )
    def patch(self, request: Request, scope: Scope, person_id: int) -> Response:
        """Record a telephone number, or the home's place on the map."""
        version = required_version(request)
        given = read(shapes.PersonChangeIn, request)
        change = writing.correct_phone if "phone" in given else writing.confirm_place
        try:
            change(person_id=person_id, version=version, by=scope, **given)
        except writing.PersonChanged as stale:
            raise PreconditionFailed from stale
        return _answer(scope, person_id, "people.changed")


def _answer(scope: Scope, person_id: int, action: str) -> Response:
    facts = people.person_page(scope, person_id=person_id, action=action)
    return Response(shapes.PersonOut(facts).data, headers={"ETag": entity_tag(facts.version)})
