"""``points/kiosk/check-in`` and ``points/scans/<id>/undo``: the kiosk's own talk (P5).

Owns reading what a kiosk says of itself and the shape of what it keeps for working offline.
Refuses whoever is no registered kiosk (404).  Scans go to ``points/scans/batch`` like everybody's.
"""

from __future__ import annotations

import base64
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Endpoint, read
from points.operations import reception
from points.operations.reception import Withdrawal
from points.queries import kiosk
from registry.access import Scope
from registry.domain.roles import Permission

S = serializers.Serializer
_BIG = 1 << 62


class WithdrawnIn(S[Any]):
    """A scan that was taken back before it was sent: its counter, never its code."""

    id = serializers.UUIDField()
    session = serializers.IntegerField(min_value=0, max_value=_BIG, allow_null=True, default=None)
    counter = serializers.IntegerField(min_value=0, max_value=_BIG)
    scanned_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField()


class CheckInIn(S[Any]):
    """The kiosk's clock, how far it has counted, how much waits on it, what it took back."""

    device_time = serializers.DateTimeField()
    last_counter = serializers.IntegerField(min_value=0, max_value=_BIG)
    waiting = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)
    withdrawn = WithdrawnIn(many=True, max_length=500, default=list)  # type: ignore[call-arg]  # taken by the list


class KioskSessionOut(S[Any]):
    """A session to receive at; ``key`` (base64) makes its rotating code, no other's."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    place = serializers.CharField()
    held_on = serializers.DateField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    count = serializers.IntegerField()
    key_id = serializers.IntegerField()
    key = serializers.CharField()


class CheckInOut(S[Any]):
    """What the kiosk keeps for working without network."""

    server_time = serializers.DateTimeField()
    kiosk = serializers.IntegerField()
    name = serializers.CharField()
    last_counter = serializers.IntegerField()
    code_host = serializers.CharField()
    code_scheme = serializers.CharField()
    withdrawn = serializers.ListField(child=serializers.UUIDField())
    sessions = KioskSessionOut(many=True)


class UndoIn(S[Any]):
    """The device's clock when the host undid the scan."""

    undone_at = serializers.DateTimeField()


class UndoOut(S[Any]):
    """The record that is void now."""

    attendance = serializers.IntegerField()
    voided_at = serializers.DateTimeField()


class CheckIn(Endpoint):
    """受付端末の連絡."""

    needs: ClassVar = {"post": Permission.SCANS_RECORD}

    @extend_schema(request=CheckInIn, responses=CheckInOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Tell how the kiosk stands; get today's and tomorrow's sessions.  Again is no error."""
        said = read(CheckInIn, request)
        done = reception.check_in(
            device_time=said["device_time"], last_counter=said["last_counter"],
            waiting=said["waiting"], by=scope,
            withdrawn=[
                Withdrawal(one["id"], one["session"], one["counter"], one["scanned_at"],
                           one["withdrawn_at"])
                for one in said["withdrawn"]
            ],
        )
        found = kiosk.opening(scope)
        return Response({
            "server_time": scope.at, "kiosk": done.kiosk_id, "name": done.name,
            "last_counter": found.last_counter, "code_host": found.code_host,
            "code_scheme": found.code_scheme, "withdrawn": [str(one) for one in done.withdrawn],
            "sessions": [
                {"id": one.line.id, "title": one.line.title, "place": one.line.place,
                 "held_on": one.line.held_on, "starts_at": one.line.starts_at,
                 "ends_at": one.line.ends_at, "count": one.line.count, "key_id": one.key_id,
                 "key": base64.b64encode(one.key).decode()}
                for one in found.sessions
            ],
        })


class ScanUndo(Endpoint):
    """読みとりの取り消し."""

    needs: ClassVar = {"post": Permission.SCANS_RECORD}

    @extend_schema(request=UndoIn, responses=UndoOut)
    def post(self, request: Request, scope: Scope, scan_id: UUID) -> Response:
        """Void what one's own scan counted within ten minutes.  Again is no error."""
        said = read(UndoIn, request)
        row = reception.undo(scan_id=scan_id, undone_at=said["undone_at"], by=scope)
        return Response({"attendance": row.pk, "voided_at": row.voided_at})
