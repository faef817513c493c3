"""``registry/areas``, ``organisations`` and ``appointments`` by the machine face.

Owns reading the areas, the organisations and the offices with their holders, and the requests
to appoint and to end a term.  Refuses nothing by itself: the operations do.
interfaces.md, "HTTP API".
"""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import registry_shapes as shapes
from api.base import Endpoint, read
from registry.access import Scope
from registry.domain.roles import Permission
from registry.operations import staff
from registry.queries import areas, offices, organisations


class Areas(Endpoint):
    """区域: municipality, districts and 町内会."""

    needs: ClassVar = {"get": Permission.AREAS_VIEW}

    @extend_schema(parameters=[shapes.KindIn], responses=shapes.AreasOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Every area, or those of one kind, by code."""
        asked = shapes.asked(shapes.KindIn, request)
        rows = areas.areas(scope, kind=asked.get("kind"))
        return Response({"results": shapes.AreaOut(rows, many=True).data})


class Organisations(Endpoint):
    """団体."""

    needs: ClassVar = {"get": Permission.AREAS_VIEW}

    @extend_schema(parameters=[shapes.KindIn], responses=shapes.OrganisationsOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Organisations by code, of one kind or all."""
        asked = shapes.asked(shapes.KindIn, request)
        rows = organisations.organisations(scope, kind=asked.get("kind"))
        return Response({"results": shapes.OrganisationOut(rows, many=True).data})


class Appointments(Endpoint):
    """役職 and who holds them."""

    needs: ClassVar = {"get": Permission.AREAS_VIEW, "post": Permission.STAFF_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.OfficesIn], responses=shapes.OfficesOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Offices by code with their areas and today's holders; ``vacant`` only the empty ones."""
        asked = shapes.asked(shapes.OfficesIn, request)
        role = asked.get("role")
        held = offices.holders(scope)
        rows = [
            {**asdict(one), "holders": [asdict(holder) for holder in held.get(one.id, ())]}
            for one in offices.offices(scope, role=role)
            if not (asked["vacant"] and held.get(one.id))
        ]
        return Response({"results": shapes.OfficeOut(rows, many=True).data})

    @extend_schema(request=shapes.AppointmentIn, responses={201: shapes.AppointmentOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Appoint somebody to an office for a term."""
        given = read(shapes.AppointmentIn, request)
        term = staff.appoint(
            office_id=given["office"], user_id=given["user"], starts_on=given["starts_on"],
            ends_on=given["ends_on"], by=scope,
        )
        return Response(shapes.AppointmentOut(term).data, status=201)


class AppointmentEnd(Endpoint):
    """The end of a term."""

    needs: ClassVar = {"post": Permission.STAFF_MANAGE}

    @extend_schema(request=shapes.EndIn, responses=shapes.AppointmentOut)
    def post(self, request: Request, scope: Scope, appointment_id: int) -> Response:
        """End a term; from that midnight its holder sees nothing."""
        given = read(shapes.EndIn, request)
        term = staff.end_term(appointment_id=appointment_id, ends_on=given["ends_on"], by=scope)
        return Response(shapes.AppointmentOut(term).data)
