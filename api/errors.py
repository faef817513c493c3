"""Every error of the machine face: problem+json (RFC 9457) with a stable code.

Owns the one mapping from the house's errors to HTTP.  Refuses to let an unexpected error speak:
its text may quote personal data.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from api.base import InvalidInput, PreconditionFailed, PreconditionRequired, flatten
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused, TsunagariError

log = logging.getLogger(__name__)

STATUS: list[tuple[type[TsunagariError], int]] = [
    (PreconditionRequired, 428),
    (PreconditionFailed, 412),
    (InvalidInput, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 422),
]

FRAMEWORK: dict[type[Exception], tuple[int, str, str]] = {
    exceptions.NotAuthenticated: (401, "not_signed_in", "サインインしてください。"),
    exceptions.AuthenticationFailed: (401, "bad_token", "トークンを確認してください。"),
    exceptions.PermissionDenied: (403, "forbidden", "この操作をする権限がありません。"),
    exceptions.MethodNotAllowed: (405, "method_not_allowed", "この操作はできません。"),
    exceptions.NotAcceptable: (406, "not_acceptable", "この形式ではお答えできません。"),
    exceptions.UnsupportedMediaType: (415, "unsupported_media_type", "この形式は受けとれません。"),
    exceptions.ParseError: (400, "unreadable", "送られた内容を読みとれませんでした。"),
    exceptions.NotFound: (404, "not_found", "見つかりませんでした。"),
    exceptions.Throttled: (429, "too_many", "回数が多すぎます。しばらくしてからお願いします。"),
    Http404: (404, "not_found", "見つかりませんでした。"),
    PermissionDenied: (403, "forbidden", "この操作をする権限がありません。"),
    RequestDataTooBig: (413, "too_large", "送られた内容が大きすぎます。"),
    SuspiciousOperation: (400, "unreadable", "送られた内容を読みとれませんでした。"),
    OperationalError: (503, "busy", "こみあっています。少し待ってから、もう一度お願いします。"),
}


def status_of(error: TsunagariError) -> int:
    """The HTTP status of one of the house's errors."""
    named = getattr(error, "http_status", None)
    if isinstance(named, int):
        return named
    return next((status for kind, status in STATUS if isinstance(error, kind)), 422)


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    if isinstance(error, TsunagariError):
        return _answer(status_of(error), error.code, error.message, error.fields)
    if isinstance(error, exceptions.ValidationError):
        fields = flatten(error.detail)
        return _answer(400, InvalidInput.code, InvalidInput.message, fields)
    for kind, (status, code, message) in FRAMEWORK.items():
        if isinstance(error, kind):
            return _answer(status, code, message, {})
    log.error("unexpected %s in %s", type(error).__name__, type(context.get("view")).__name__)
    return _answer(500, "internal", "こちらの不具合です。入力した内容は失われていません。", {})


def _answer(status: int, code: str, message: str, fields: dict[str, str]) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": message,
        "errors": [{"field": name, "detail": text} for name, text in fields.items()],
    }
    response = Response(body, status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response
