"""``points/scans``: one scan or a batch of 5,000, one path (P4, P5).

Owns the reading of the body and the shape of the answer.  Refuses a body that is no batch; an
item that cannot be read gets an answer of its own, so that the rest goes on.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_shapes as shapes
from api.base import Endpoint, InvalidInput
from api.errors import problem
from api.points_shapes import parse_scan
from points.operations import attendance, gathering
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

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, with a short way in for devices: only what it answers itself ends there."""
        usual = super().as_view(**initkwargs)

        @functools.wraps(usual)
        def door(request: HttpRequest, *args: Any, **path: Any) -> HttpResponseBase:
            return _gathered(request) or usual(request, *args, **path)

        return door

    @extend_schema(request=shapes.ScanIn, responses=shapes.ScanOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Count one person in.  A repeat of ``id`` gives the same body; other content is 409.

        ``name`` is there for those who receive their own group's members, never for a device.
        """
        scan = parse_scan(request.data)
        if not isinstance(scan, ScanRequest):
            raise InvalidInput(fields=scan)
        answer = attendance.record(scans=[scan], by=scope, counters=False).results[0]
        if answer.field:
            raise ScanConflict(fields={answer.field: "最初の依頼とちがいます。"})
        name = sessions.greeting(scope, attendance_id=answer.attendance)
        return Response(_body(answer) | ({"name": name} if name else {}))


def _gathered(request: HttpRequest) -> HttpResponse | None:
    """The answer to a device's plain scan, recorded with others of the moment; None: not ours.

    Whatever is refused, unreadable or different goes the usual way, which says why.
    """
    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if request.method != "POST" or kind.lower() != "bearer" or (
        request.content_type != "application/json"
        or request.META.get("HTTP_ACCEPT", "*/*") not in ("*/*", "application/json")
    ):
        return None
    try:
        scan = parse_scan(json.loads(request.body))
    except ValueError:
        return None
    if not isinstance(scan, ScanRequest):
        return None
    try:
        answer = gathering.record_gathered(token=token.strip(), scan=scan)
    except gathering.TooSlow as slow:
        said = problem(slow, {})
        return None if said is None else HttpResponse(
            json.dumps(said.data), status=said.status_code, content_type=said.content_type)
    if answer is None or answer.field:
        return None
    text = json.dumps(_body(answer), ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(text, content_type="application/json")


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
