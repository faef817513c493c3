"""``points/volunteers/{id}/statement``, ``exchanges``, ``vouchers/redeem``, ``statistics``.

Owns what points are worth by the machine face.  Refuses by the operations' rules; somebody
else's statement is not found.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_shapes as shapes
from api.base import Endpoint, read
from api.registry_shapes import asked
from points.domain.rules import fiscal_year
from points.operations import exports, vouchers
from points.queries import statements
from points.statistics.tables import DIMENSIONS, Row, Table, month_shift, table
from registry.access import Scope
from registry.domain.roles import Permission


class Statement(Endpoint):
    """ポイントの明細."""

    needs: ClassVar = {"get": (Permission.STATEMENTS_VIEW, Permission.OWN_POINTS)}

    @extend_schema(parameters=[shapes.YearAsked], responses=shapes.StatementOut)
    def get(self, request: Request, scope: Scope, volunteer_id: int) -> Response:
        """Every line of a year, with its sentence and the balance after it."""
        year = asked(shapes.YearAsked, request).get("fiscal_year", fiscal_year(scope.on))
        found = statements.statement(scope, volunteer_id=volunteer_id, fiscal_year=year)
        return Response(shapes.StatementOut(found).data)


class Exchanges(Endpoint):
    """交換."""

    needs: ClassVar = {"post": (Permission.EXCHANGE, Permission.OWN_POINTS)}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ExchangeIn, responses={201: shapes.ExchangeOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Turn points into vouchers; the same ``id`` again gives the same exchange."""
        given = read(shapes.ExchangeIn, request)
        made = vouchers.exchange(
            volunteer_id=given["volunteer"], programme=given["programme"], count=given["count"],
            request_id=given["id"], by=scope,
        )
        found = statements.exchange_fact(scope, exchange_id=made.pk)
        return Response(shapes.ExchangeOut(found).data, status=201)


class Redeem(Endpoint):
    """利用券の受けとり."""

    needs: ClassVar = {"post": Permission.VOUCHERS_REDEEM}

    @extend_schema(request=shapes.RedeemIn, responses=shapes.VoucherOut)
    def post(self, request: Request, scope: Scope) -> Response:
        """Take a voucher; a second use is refused and says when and where the first was."""
        given = read(shapes.RedeemIn, request)
        used = vouchers.redeem(
            code=given["code"], request_id=given["id"], shop_id=given.get("shop"), by=scope
        )
        return Response(shapes.VoucherOut(used).data)


class Statistics(Endpoint):
    """統計."""

    needs: ClassVar = {"get": Permission.STATISTICS_VIEW}

    @extend_schema(parameters=[shapes.StatisticsAsked], responses=shapes.StatisticsOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Figures of a year by any dimensions, beside the same period of last year."""
        return Response(_table(table(scope, **_wanted(asked(shapes.StatisticsAsked, request)))))


class StatisticsExport(Endpoint):
    """統計の書き出し."""

    needs: ClassVar = {"post": Permission.STATISTICS_EXPORT}

    @extend_schema(request=shapes.ExportIn, responses={(200, "*/*"): OpenApiTypes.BINARY})
    def post(self, request: Request, scope: Scope) -> HttpResponse:
        """The table as a file; who took it and why is recorded."""
        given = read(shapes.ExportIn, request)
        made = exports.statistics(
            **_wanted(given), format=given["format"], reason=given["reason"], by=scope
        )
        response = HttpResponse(made.content, content_type=made.media_type)
        response["Content-Disposition"] = f'attachment; filename="{made.name}"'
        response["Cache-Control"] = "no-store"
        return response


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "fiscal_year": given["fiscal_year"],
        "group_by": [name for name in given["group_by"].split(",") if name],
        "filters": {name: given[name] for name in DIMENSIONS if name in given},
    }


def _table(made: Table) -> dict[str, Any]:
    def shown(row: Row) -> dict[str, Any]:
        before = made.before.get(month_shift(row.key, made.group_by), {}) if row.key \
            else made.total_before
        return {"key": list(row.key), "figures": dict(row.figures), "before": dict(before)}

    return {
        "fiscal_year": made.fiscal_year, "group_by": list(made.group_by),
        "until": made.until.isoformat(), "rows": [shown(row) for row in made.rows],
        "total": shown(made.total),
    }
