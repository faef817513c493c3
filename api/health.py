"""Is the process alive; is the service ready?

Owns /healthz (the process answers) and /readyz (the database answers and no work has waited
too long in the outbox).  Refuses details: both are public, so they name no person, no path and
no version.  A missing Redis does not make the service unready (trust.md).
"""

from __future__ import annotations

from datetime import timedelta

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from registry import outbox

TOO_OLD = timedelta(minutes=15)


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Database and outbox; 503 while either is not well."""
    now = timezone.now()
    try:
        pulse = outbox.pulse(at=now)
    except Error:
        return JsonResponse({"status": "database"}, status=503)
    age = int((now - pulse.oldest).total_seconds()) if pulse.oldest else 0
    late = pulse.oldest is not None and now - pulse.oldest > TOO_OLD
    body = {
        "status": "late" if late else "ok",
        "outbox": {"waiting": pulse.waiting, "oldest_seconds": age, "dead": pulse.dead},
    }
    return JsonResponse(body, status=503 if late else 200)
