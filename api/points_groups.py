"""``points/groups``: filing, members, leader and report by the machine face (P9).

Owns the translation alone.  A leader reaches the own group, the council all; another's is not
found.  Changes of a filing need If-Match with its version.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_groups_shapes as shapes
from api.base import Endpoint, PreconditionFailed, entity_tag, read, required_version
from api.registry_shapes import asked
from points.operations import group_members, group_reports, groups
from points.operations.groups import FilingInput, GroupChanged, PlanInput
from points.queries import group_reports as reports
from points.queries import groups as seen
from registry.access import Scope
from registry.domain.roles import Permission

KEEP, DECIDE = Permission.GROUPS_KEEP, Permission.GROUPS_DECIDE


@contextmanager
def _unchanged() -> Iterator[None]:
    """A stale version is answered 412, as everywhere on this face."""
    try:
        yield
    except GroupChanged as stale:
        raise PreconditionFailed from stale


def _filing(given: dict[str, Any]) -> FilingInput:
    plan = tuple(PlanInput(**line) for line in given["plan"])
    return FilingInput(given["name"], given["activity_kind"], given["contact_name"],
                       given["contact_phone"], given["contact_address"], plan)


def _line(scope: Scope, group_id: int, status: int = 200) -> Response:
    line = seen.filing_line(scope, group_id=group_id)
    return Response(shapes.GroupOut(line).data, status=status,
                    headers={"ETag": entity_tag(line.version)})


def _report(scope: Scope, group_id: int) -> Response:
    found = reports.report(scope, group_id=group_id)
    return Response(shapes.ReportOut(found).data, headers={"ETag": entity_tag(found.version)})


class Groups(Endpoint):
    """登録団体."""

    needs: ClassVar = {"get": KEEP, "post": KEEP}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.GroupAsked], responses=shapes.GroupOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Filings one may see, of a year or a state, with member counts and warnings."""
        given = asked(shapes.GroupAsked, request)
        states = [given["state"]] if given.get("state") else None
        found = seen.filings(scope, fiscal_year=given.get("fiscal_year"), states=states)
        return Response([shapes.GroupOut(one).data for one in found])

    @extend_schema(request=shapes.GroupIn, responses={201: shapes.GroupOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Begin a filing as a draft, or (council) enter and register a paper one."""
        given = read(shapes.GroupIn, request)
        if given["register"]:
            made = groups.register(
                organisation_id=given["organisation"], programme=given["programme"],
                fiscal_year=given["fiscal_year"], activity_kind=given["activity_kind"],
                name=given["name"], exception=given["exception"], by=scope,
            )
        else:
            made = groups.apply(
                organisation_id=given["organisation"], programme=given["programme"],
                fiscal_year=given["fiscal_year"], filing=_filing(given), by=scope,
            )
        return _line(scope, made.pk, 201)


class OneGroup(Endpoint):
    """One filing with its people."""

    needs: ClassVar = {"get": KEEP, "put": KEEP}

    @extend_schema(responses=shapes.FilingOut)
    def get(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Contact, plan, members, leaders and history of one's own filing."""
        found = seen.filing(scope, group_id=group_id)
        return Response(shapes.FilingOut(found).data,
                        headers={"ETag": entity_tag(found.line.version)})

    @extend_schema(request=shapes.FilingShape, responses=shapes.GroupOut)
    def put(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Replace what a draft or returned filing says."""
        version = required_version(request)
        filing = _filing(read(shapes.FilingShape, request))
        with _unchanged():
            groups.change(group_id=group_id, filing=filing, version=version, by=scope)
        return _line(scope, group_id)


class GroupSubmit(Endpoint):
    """届け出."""

    needs: ClassVar = {"post": KEEP}

    @extend_schema(request=None, responses=shapes.GroupOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Hand the filing to the council."""
        with _unchanged():
            groups.submit(group_id=group_id, version=required_version(request), by=scope)
        return _line(scope, group_id)


class GroupRegister(Endpoint):
    """登録."""

    needs: ClassVar = {"post": DECIDE}

    @extend_schema(request=shapes.AcceptIn, responses=shapes.GroupOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Register a submitted filing."""
        version = required_version(request)
        given = read(shapes.AcceptIn, request)
        with _unchanged():
            groups.accept(group_id=group_id, exception=given["exception"], version=version,
                          by=scope)
        return _line(scope, group_id)


class GroupReturn(Endpoint):
    """差しもどし."""

    needs: ClassVar = {"post": DECIDE}

    @extend_schema(request=shapes.ReasonIn, responses=shapes.GroupOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Hand a filing back with the reason."""
        version = required_version(request)
        given = read(shapes.ReasonIn, request)
        with _unchanged():
            groups.hand_back(group_id=group_id, reason=given["reason"], version=version, by=scope)
        return _line(scope, group_id)


class GroupWithdraw(Endpoint):
    """とりやめ."""

    needs: ClassVar = {"post": KEEP}

    @extend_schema(request=shapes.ReasonIn, responses=shapes.GroupOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """End a filing; a registered one only by the council."""
        version = required_version(request)
        given = read(shapes.ReasonIn, request)
        with _unchanged():
            groups.withdraw(group_id=group_id, reason=given["reason"], version=version, by=scope)
        return _line(scope, group_id)


class GroupRenew(Endpoint):
    """更新."""

    needs: ClassVar = {"post": KEEP}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=None, responses={201: shapes.GroupOut})
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Begin the next year's filing from this one."""
        made = groups.renew(group_id=group_id, by=scope)
        return _line(scope, made.pk, 201)


class GroupMembers(Endpoint):
    """会員."""

    needs: ClassVar = {"post": KEEP}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.MemberIn, responses={201: shapes.CountOut})
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """A member joins: by the card's code, or (council) by the volunteer."""
        given = read(shapes.MemberIn, request)
        if given["volunteer"] is not None:
            count = group_members.add(group_id=group_id, volunteer_id=given["volunteer"],
                                      starts_on=given["starts_on"], by=scope)
        else:
            count = group_members.add_by_card(group_id=group_id, code=given["code"],
                                              starts_on=given["starts_on"], by=scope)
        return Response(shapes.CountOut(count).data, status=201)


class GroupLeave(Endpoint):
    """退会."""

    needs: ClassVar = {"post": KEEP}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.LeaveIn, responses=shapes.CountOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """A member leaves from a day."""
        given = read(shapes.LeaveIn, request)
        count = group_members.remove(
            group_id=group_id, volunteer_id=given["volunteer"], ends_on=given["ends_on"],
            reason=given["reason"], by=scope,
        )
        return Response(shapes.CountOut(count).data)


class GroupLeaders(Endpoint):
    """代表者."""

    needs: ClassVar = {"post": DECIDE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.LeaderIn, responses={201: shapes.GroupOut})
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """A member leads from a day; the leader before ends with it."""
        given = read(shapes.LeaderIn, request)
        group_members.change_leader(group_id=group_id, volunteer_id=given.pop("volunteer"),
                                    **given, by=scope)
        return _line(scope, group_id, 201)


class GroupReportPage(Endpoint):
    """実績報告."""

    needs: ClassVar = {"get": KEEP, "put": KEEP}

    @extend_schema(responses=shapes.ReportOut)
    def get(self, request: Request, scope: Scope, group_id: int) -> Response:
        """The year in numbers with the leader's words."""
        return _report(scope, group_id)

    @extend_schema(request=shapes.ReportIn, responses=shapes.ReportOut)
    def put(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Keep the leader's words."""
        version = required_version(request)
        text = read(shapes.ReportIn, request)["text"]
        with _unchanged():
            group_reports.write(group_id=group_id, text=text, version=version, by=scope)
        return _report(scope, group_id)


class GroupReportFile(Endpoint):
    """実績報告のファイル."""

    needs: ClassVar = {"get": KEEP}

    @extend_schema(parameters=[shapes.FileAsked], responses={(200, "*/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, scope: Scope, group_id: int) -> HttpResponse:
        """The report as PDF or xlsx; it names no member."""
        kind = asked(shapes.FileAsked, request)["kind"]
        made = group_reports.as_file(group_id=group_id, format=kind, by=scope)
        return HttpResponse(made.content, content_type=made.media_type, headers={
            "Content-Disposition": f'attachment; filename="{made.name}"',
            "Cache-Control": "no-store",
        })


class GroupReportSubmit(Endpoint):
    """提出."""

    needs: ClassVar = {"post": KEEP}

    @extend_schema(request=None, responses=shapes.ReportOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Hand the report in."""
        with _unchanged():
            group_reports.submit(group_id=group_id, version=required_version(request), by=scope)
        return _report(scope, group_id)


class GroupReportAccept(Endpoint):
    """受理."""

    needs: ClassVar = {"post": DECIDE}

    @extend_schema(request=None, responses=shapes.ReportOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Accept the report; its figures are kept."""
        with _unchanged():
            group_reports.accept(group_id=group_id, version=required_version(request), by=scope)
        return _report(scope, group_id)


class GroupReportReturn(Endpoint):
    """差しもどし."""

    needs: ClassVar = {"post": DECIDE}

    @extend_schema(request=shapes.ReasonIn, responses=shapes.ReportOut)
    def post(self, request: Request, scope: Scope, group_id: int) -> Response:
        """Hand the report back with the reason."""
        version = required_version(request)
        given = read(shapes.ReasonIn, request)
        with _unchanged():
            group_reports.hand_back(group_id=group_id, reason=given["reason"], version=version,
                                    by=scope)
        return _report(scope, group_id)
