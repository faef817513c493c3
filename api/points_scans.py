"""``points/scans``: one scan or a batch of 5,000, one path (P4, P5).

Owns the reading of the body and the shape of the answer.  Refuses a body that is no batch; an
item that cannot be read gets an answer of its own, so that the rest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_shapes as shapes
from api.base import Endpoint, InvalidInput
from api.points_shapes import parse_scan
from points.operations import attendance
from points.operations.attendance import ScanAnswer, ScanRequest
from points.queries import sessions
from registry.access import Scope
from registry.domain.errors import Conflict
from registry.domain.roles import Permission


class ScanConflict(Conflict):
    """The id was used for another content; ``fields`` names what differs."""

    code = "scan_id_reused"
    message = "この依頼の番号は、ちがう内容で使われています。"


def _body(answer: ScanAnswer) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": str(answer.id), "result": answer.result, "points": answer.points,
        "reason": answer.reason, "attendance": answer.attendance, "balance": answer.balance,
    }
    return body | {"field": answer.field} if answer.field else body


def _invalid(item: Any, wrong: dict[str, str]) -> dict[str, Any]:
    number = item.get("id") if isinstance(item, Mapping) else None
    return {
        "id": number if isinstance(number, str) and len(number) <= 45 else None,
        "result": "invalid", "points": 0, "reason": " ".join(wrong.values()), "attendance": None,
        "balance": None, "errors": [{"field": k, "detail": v} for k, v in wrong.items()],
    }


class Scans(Endpoint):
    """読みとり."""

    needs: ClassVar = {"post": (Permission.SCANS_RECORD, Permission.OWN_POINTS)}

    @extend_schema(request=shapes.ScanIn, responses=shapes.ScanOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Count one person in.  A repeat of ``id`` gives the same body; other content is 409.

        ``name`` is there for those who receive their own group's members, never for a device.
        """
        scan = parse_scan(request.data)
        if not isinstance(scan, ScanRequest):
            raise InvalidInput(fields=scan)
        answer = attendance.record(scans=[scan], by=scope).results[0]
        if answer.field:
            raise ScanConflict(fields={answer.field: "最初の依頼とちがいます。"})
        name = sessions.greeting(scope, attendance_id=answer.attendance)
        return Response(_body(answer) | ({"name": name} if name else {}))


class ScansBatch(Endpoint):
    """読みとりの一括送信."""

    needs: ClassVar = {"post": (Permission.SCANS_RECORD, Permission.OWN_POINTS)}

    @extend_schema(request=shapes.BatchIn, responses=shapes.BatchOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Count up to 5,000 people in; each item gets its own answer, in order."""
        items, device_time = _batch(request.data)
        read = [parse_scan(item) for item in items]
        good = [one for one in read if isinstance(one, ScanRequest)]
        found = attendance.record(scans=good, device_time=device_time, by=scope)
        answers = iter(found.results)
        results = [
            _body(next(answers)) if isinstance(one, ScanRequest) else _invalid(item, one)
            for item, one in zip(items, read, strict=True)
        ]
        return Response({"results": results, "missing_counters": list(found.missing_counters)})


def _batch(body: Any) -> tuple[list[Any], datetime]:
    if not isinstance(body, Mapping):
        raise InvalidInput
    wrong = {}
    device_time = shapes.instant(body.get("device_time"))
    if device_time is None:
        wrong["device_time"] = "時差のついた日時にしてください。"
    scans = body.get("scans")
    if not isinstance(scans, list) or len(scans) > attendance.LARGEST_BATCH:
        wrong["scans"] = f"{attendance.LARGEST_BATCH:,}件までの配列にしてください。"
    if wrong or device_time is None or not isinstance(scans, list):
        raise InvalidInput(fields=wrong)
    return scans, device_time
