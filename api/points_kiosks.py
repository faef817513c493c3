"""``points/kiosks`` and ``points/sessions/<id>/reconciliation``: the host's side of kiosks (P5).

Owns registering, listing, revoking and reinstating kiosks by the machine face, and the figures
after an event.  Refuses another group's (404).  What a kiosk itself says is ``points_kiosk``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Endpoint, read
from points.queries.reconciliation import reconciliation
from registry.access import Scope
from registry.domain.roles import Permission
from registry.operations import kiosks as operations
from registry.queries.kiosks import KioskFact, kiosk, kiosks

S = serializers.Serializer
_BIG = 1 << 62


class KioskIn(S[Any]):
    """A tablet for the receptions of an organisation."""

    organisation = serializers.IntegerField(min_value=0, max_value=_BIG)
    name = serializers.CharField(max_length=80)


class KioskOut(S[Any]):
    """受付端末. ``clock_offset_ms`` is server minus device when it was last seen."""

    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    name = serializers.CharField()
    paired_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
    clock_offset_ms = serializers.IntegerField(allow_null=True)
    last_counter = serializers.IntegerField()
    waiting = serializers.IntegerField()


class PairingOut(S[Any]):
    """The code to type on the tablet, shown this once."""

    kiosk = serializers.IntegerField()
    code = serializers.CharField()
    until = serializers.DateTimeField()


class DeviceOut(S[Any]):
    """What one device sent for the session."""

    name = serializers.CharField()
    kiosk = serializers.IntegerField(allow_null=True)
    sent = serializers.IntegerField()
    first_counter = serializers.IntegerField(allow_null=True)
    last_counter = serializers.IntegerField(allow_null=True)
    missing = serializers.ListField(child=serializers.IntegerField())
    withdrawn = serializers.ListField(child=serializers.IntegerField())
    waiting = serializers.IntegerField(allow_null=True)
    skew_ms = serializers.IntegerField()


class ReconciliationOut(S[Any]):
    """sent = accepted + already + Σ refused; ``difference`` is headcount minus counted."""

    session = serializers.IntegerField()
    sent = serializers.IntegerField()
    accepted = serializers.IntegerField()
    already = serializers.IntegerField()
    refused = serializers.DictField(child=serializers.IntegerField())
    voided = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    late = serializers.IntegerField()
    counted = serializers.IntegerField()
    headcount = serializers.IntegerField(allow_null=True)
    difference = serializers.IntegerField(allow_null=True)
    devices = DeviceOut(many=True)


def _kiosk(one: KioskFact) -> dict[str, Any]:
    return {
        "id": one.id, "organisation": one.organisation_id, "name": one.name,
        "paired_at": one.paired_at, "revoked_at": one.revoked_at, "seen_at": one.seen_at,
        "clock_offset_ms": one.clock_offset_ms, "last_counter": one.last_counter,
        "waiting": one.waiting,
    }


def _code(made: operations.PairingCode, status: int = 200) -> Response:
    return Response({"kiosk": made.kiosk_id, "code": made.code, "until": made.until},
                    status=status)


class Kiosks(Endpoint):
    """受付端末."""

    needs: ClassVar = {"get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE}
    once = frozenset({"post"})

    @extend_schema(responses=KioskOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """One's own organisation's kiosks; all of them for the council."""
        return Response([_kiosk(one) for one in kiosks(scope)])

    @extend_schema(request=KioskIn, responses={201: PairingOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Register a kiosk; the pairing code works once, for 15 minutes."""
        said = read(KioskIn, request)
        return _code(operations.register(organisation_id=said["organisation"],
                                         name=said["name"], by=scope), 201)


class KioskCode(Endpoint):
    """受付端末の登録コード."""

    needs: ClassVar = {"post": Permission.SESSIONS_MANAGE}

    @extend_schema(request=None, responses=PairingOut)
    def post(self, request: Request, scope: Scope, kiosk_id: int) -> Response:
        """A new pairing code; the one before is dead."""
        return _code(operations.new_code(kiosk_id=kiosk_id, by=scope))


class KioskRevoke(Endpoint):
    """受付端末の取り消し."""

    needs: ClassVar = {"post": Permission.SESSIONS_MANAGE}

    @extend_schema(request=None, responses=KioskOut)
    def post(self, request: Request, scope: Scope, kiosk_id: int) -> Response:
        """Lost or returned: its token is dead at once.  Again is no error."""
        operations.revoke(kiosk_id=kiosk_id, by=scope)
        return Response(_kiosk(kiosk(scope, kiosk_id=kiosk_id)))


class KioskReinstate(Endpoint):
    """受付端末をまた使う."""

    needs: ClassVar = {"post": Permission.SESSIONS_MANAGE}

    @extend_schema(request=None, responses=PairingOut)
    def post(self, request: Request, scope: Scope, kiosk_id: int) -> Response:
        """A revoked kiosk was found: the same counters, a new code."""
        return _code(operations.reinstate(kiosk_id=kiosk_id, by=scope))


class SessionReconciliation(Endpoint):
    """開催回の突き合わせ."""

    needs: ClassVar = {"get": Permission.SESSIONS_MANAGE}

    @extend_schema(responses=ReconciliationOut)
    def get(self, request: Request, scope: Scope, session_id: int) -> Response:
        """What was sent for a session and what became of it."""
        found = reconciliation(scope, session_id=session_id)
        return Response({
            "session": found.session_id, "sent": found.sent, "accepted": found.accepted,
            "already": found.already, "refused": found.refused, "voided": found.voided,
            "withdrawn": found.withdrawn, "late": found.late, "counted": found.counted,
            "headcount": found.headcount, "difference": found.difference,
            "devices": [
                {"name": one.name, "kiosk": one.kiosk_id, "sent": one.sent,
                 "first_counter": one.first_counter, "last_counter": one.last_counter,
                 "missing": list(one.missing), "withdrawn": list(one.withdrawn),
                 "waiting": one.waiting, "skew_ms": one.skew_ms}
                for one in found.devices
            ],
        })
