"""``points/years``: closing fiscal years, exceptions, and what a closed year waits for.

Owns the machine face of ``points.operations.years``.  Closing asks for ``If-Match`` with the
version of the preview that was looked at (428 without, 412 when the figures changed).  Refuses by
the operations' rules; nothing of a refused request is kept.  P1–P3; interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_years_shapes as shapes
from api.base import Endpoint, PreconditionFailed, entity_tag, read, required_version
from points.domain.years import ExceptionKind
from points.operations import attendance, years
from points.queries import years as reading
from registry.access import Scope
from registry.domain.roles import Permission as P

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)


class Years(Endpoint):
    """年度."""

    needs: ClassVar = {"get": P.RULES_MANAGE}

    @extend_schema(responses=shapes.YearStateOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Every year of every programme, what comes next and why not yet."""
        return Response([shapes.YearStateOut(one).data for one in reading.years(scope)])


class Year(Endpoint):
    """One year."""

    needs: ClassVar = {"get": P.RULES_MANAGE}

    @extend_schema(responses=shapes.YearWholeOut)
    def get(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """Its state, its history and its exceptions."""
        return _year(scope, code, fiscal_year)


class YearPreview(Endpoint):
    """しめきりの見とおし."""

    needs: ClassVar = {"get": P.RULES_MANAGE}

    @extend_schema(responses=shapes.ClosingPreviewOut)
    def get(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """What closing would mean; its version goes into the If-Match of ``close``."""
        found = reading.preview(scope, programme=code, fiscal_year=fiscal_year)
        return Response(shapes.ClosingPreviewOut(found).data,
                        headers={"ETag": entity_tag(found.version)})


class YearBeginClosing(Endpoint):
    """しめきり前にする."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=None, responses=shapes.YearWholeOut)
    def post(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """The year is over; late records are taken until the grace date."""
        years.begin_closing(programme=code, fiscal_year=fiscal_year, by=scope)
        return _year(scope, code, fiscal_year)


class YearClose(Endpoint):
    """しめきる."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.CloseIn, responses=shapes.YearWholeOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """Close it, with the reason, if the figures are still those of the preview."""
        seen, given = required_version(request), read(shapes.CloseIn, request)
        try:
            years.close(programme=code, fiscal_year=fiscal_year, seen=seen, **given, by=scope)
        except years.PreviewOutdated as stale:
            raise PreconditionFailed(stale.message) from stale
        return _year(scope, code, fiscal_year)


class YearExceptions(Endpoint):
    """年度の特例."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ExceptionIn, responses={201: shapes.YearWholeOut})
    def post(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """Record an approved exception; it holds from now on."""
        given = read(shapes.ExceptionIn, request)
        kind = ExceptionKind(given.pop("kind"))
        years.approve_exception(
            programme=code, fiscal_year=fiscal_year, kind=kind, **given, by=scope
        )
        return _year(scope, code, fiscal_year, 201)


class ExceptionEnd(Endpoint):
    """特例を終える."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.DecisionIn, responses={201: shapes.YearWholeOut})
    def post(self, request: Request, scope: Scope, exception_id: int) -> Response:
        """End an exception by another record that names it."""
        made = years.end_exception(
            exception_id=exception_id, **read(shapes.DecisionIn, request), by=scope
        )
        return _year(scope, made.year.programme.code, made.year.fiscal_year, 201)


class YearWaiting(Endpoint):
    """訂正まち."""

    needs: ClassVar = {"get": P.RULES_MANAGE}

    @extend_schema(responses=shapes.WaitingOut)
    def get(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """Late records and changed facts that wait for a named correction."""
        found = reading.waiting(scope, programme=code, fiscal_year=fiscal_year)
        return Response(shapes.WaitingOut(found).data)


class CorrectionApply(Endpoint):
    """訂正する."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.CloseIn, responses=shapes.CorrectedOut)
    def post(self, request: Request, scope: Scope, year_correction_id: int) -> Response:
        """Count the volunteer's closed year again, with the reason."""
        done = years.apply_correction(
            correction_id=year_correction_id, **read(shapes.CloseIn, request), by=scope
        )
        return Response(shapes.CorrectedOut(done).data)


class CorrectionKeep(Endpoint):
    """そのままにする."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.CloseIn, responses=shapes.CorrectedOut)
    def post(self, request: Request, scope: Scope, year_correction_id: int) -> Response:
        """Leave the closed year as it stands, with the reason."""
        done = years.keep_as_closed(
            correction_id=year_correction_id, **read(shapes.CloseIn, request), by=scope
        )
        return Response(shapes.CorrectedOut(done).data)


class AttendanceCorrect(Endpoint):
    """おくれた記録を数える."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.CloseIn, responses=shapes.LateCorrectedOut)
    def post(self, request: Request, scope: Scope, attendance_id: int) -> Response:
        """Let a record that came after the close count, with the reason."""
        done: Any = attendance.correct(
            attendance_id=attendance_id, **read(shapes.CloseIn, request), by=scope
        )
        return Response(shapes.LateCorrectedOut(done).data)


def _year(scope: Scope, code: str, fiscal_year: int, status: int = 200) -> Response:
    found = reading.year(scope, programme=code, fiscal_year=fiscal_year)
    return Response(shapes.YearWholeOut(found).data, status=status)
