"""``points/groups``, ``sessions``, ``attendances`` by the machine face.

Owns listing and making them.  Refuses by the operations' rules; another group's session is not
found.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_shapes as shapes
from api.base import Endpoint, read
from api.registry_shapes import asked
from points.domain.rules import Source
from points.operations import attendance, sessions
from points.queries import sessions as seen
from registry.access import Scope
from registry.domain.roles import Permission

_SEES = (Permission.SESSIONS_VIEW, Permission.SCANS_RECORD)


class Sessions(Endpoint):
    """開催回."""

    needs: ClassVar = {"get": _SEES, "post": Permission.SESSIONS_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.SessionDay], responses=shapes.SessionOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """One's own sessions of a day (today without ``on``)."""
        on = asked(shapes.SessionDay, request).get("on")
        return Response([shapes.SessionOut(one).data for one in seen.sessions(scope, on=on)])

    @extend_schema(request=shapes.SessionIn, responses={201: shapes.SessionOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Open a session."""
        given: dict[str, Any] = read(shapes.SessionIn, request)
        made = sessions.open(
            group_id=given.pop("group"), organisation_id=given.pop("organisation"),
            source=Source(given.pop("source")), **given, by=scope,
        )
        found = seen.session(scope, session_id=made.pk)
        return Response(shapes.SessionOut(found).data, status=201)


class Session(Endpoint):
    """One session."""

    needs: ClassVar = {"get": _SEES}

    @extend_schema(responses=shapes.SessionOut)
    def get(self, request: Request, scope: Scope, session_id: int) -> Response:
        """One of one's own sessions."""
        return Response(shapes.SessionOut(seen.session(scope, session_id=session_id)).data)


class SessionCancel(Endpoint):
    """中止."""

    needs: ClassVar = {"post": Permission.SESSIONS_MANAGE}

    @extend_schema(request=None, responses=shapes.SessionOut)
    def post(self, request: Request, scope: Scope, session_id: int) -> Response:
        """Cancel a session; its points are taken back."""
        sessions.cancel(session_id=session_id, by=scope)
        return Response(shapes.SessionOut(seen.session(scope, session_id=session_id)).data)


class Attendances(Endpoint):
    """参加記録."""

    needs: ClassVar = {"get": Permission.SESSIONS_VIEW}

    @extend_schema(parameters=[shapes.SessionAsked], responses=shapes.AttendanceOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Who was at a session."""
        given = asked(shapes.SessionAsked, request)
        found = seen.session_detail(scope, session_id=given["session"])
        return Response([shapes.AttendanceOut(one).data for one in found.attendances])


class AttendanceVoid(Endpoint):
    """取消."""

    needs: ClassVar = {"post": Permission.ATTENDANCE_VOID}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.VoidIn, responses=shapes.AttendanceOut)
    def post(self, request: Request, scope: Scope, attendance_id: int) -> Response:
        """Void a record, with a reason."""
        reason = read(shapes.VoidIn, request)["reason"]
        row = attendance.void(attendance_id=attendance_id, reason=reason, by=scope)
        found = seen.session_detail(scope, session_id=row.session_id)
        line = next(one for one in found.attendances if one.id == attendance_id)
        return Response(shapes.AttendanceOut(line).data)
