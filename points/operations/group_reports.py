"""実績報告: a group's report of its year, generated from attendance (P9).

Owns the leader's words, handing in, accepting and handing back, and the report as PDF and xlsx.
On acceptance the figures are kept as they were; a database trigger holds them.  Refuses a report
before the year is over (the figures would still grow), and a change after acceptance.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from points.documents.group_report import GroupReportPaper, ReportLine, report_book, report_pages
from points.domain.groups import State
from points.domain.rules import fiscal_year_span
from points.models import Group, GroupReport
from points.operations.groups import GroupChanged, locked, note, reason_of
from points.queries.group_figures import Figure, figures
from points.queries.group_reports import report
from registry import audit
from registry.access import JAPAN, Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = 2_000


@dataclass(frozen=True)
class ReportFile:
    """A file of a report."""

    name: str
    media_type: str
    content: bytes


@transaction.atomic
def write(*, group_id: int, text: str, version: int | None = None, by: Scope) -> GroupReport:
    """Keep the leader's words.

    Raises:
        Forbidden: without ``groups.keep``.  NotFound: not one's own.
        Conflict: ``changed_meanwhile``.
        Refused: ``not_in_this_state`` (handed in, accepted, never registered), ``text_too_long``.
    """
    group, row = _own(group_id, by, version)
    if row.state not in (GroupReport.State.DRAFT, GroupReport.State.RETURNED):
        raise _wrong_state()
    if len(text) > LONGEST:
        said = f"{LONGEST:,}文字までにしてください。"
        raise Refused(said, code="text_too_long", fields={"text": said})
    row.text = text.strip()
    note(group, "report_written", by=by)
    return _saved(row)


@transaction.atomic
def submit(*, group_id: int, version: int | None = None, by: Scope) -> GroupReport:
    """Hand the report in, after the year's last day.

    Raises:
        As ``write``.  Refused: ``year_not_over``, ``text_missing``.
    """
    group, row = _own(group_id, by, version)
    if row.state not in (GroupReport.State.DRAFT, GroupReport.State.RETURNED):
        raise _wrong_state()
    _over(group, by)
    if not row.text:
        said = "ふりかえりを書いてください。"
        raise Refused(said, code="text_missing", fields={"text": said})
    row.state, row.reason = GroupReport.State.SUBMITTED, ""
    row.submitted_at, row.submitted_by_id = by.at, actor_id(by=by)
    note(group, "report_submitted", by=by)
    return _saved(row)


@transaction.atomic
def hand_back(*, group_id: int, reason: str, version: int | None = None, by: Scope) -> GroupReport:
    """Give the report back to be mended (差しもどし).

    Raises:
        Forbidden: without ``groups.decide``.  As ``write``.  Refused: ``reason_missing``.
    """
    by.require(Permission.GROUPS_DECIDE)
    group, row = _own(group_id, by, version)
    if row.state != GroupReport.State.SUBMITTED:
        raise _wrong_state()
    row.state, row.reason = GroupReport.State.RETURNED, reason_of(reason)
    note(group, "report_returned", text=row.reason, by=by)
    return _saved(row)


@transaction.atomic
def accept(*, group_id: int, version: int | None = None, by: Scope) -> GroupReport:
    """Accept the report; its figures are kept as they are now (受理).

    Raises:
        Forbidden: without ``groups.decide``.  As ``write``.
    """
    by.require(Permission.GROUPS_DECIDE)
    group, row = _own(group_id, by, version)
    if row.state != GroupReport.State.SUBMITTED:
        raise _wrong_state()
    row.figures = figures(by, group_id=group_id).body()
    row.state = GroupReport.State.ACCEPTED
    row.accepted_at, row.accepted_by_id = by.at, actor_id(by=by)
    note(group, "report_accepted", by=by)
    return _saved(row)


@transaction.atomic
def as_file(*, group_id: int, format: str = "pdf", by: Scope) -> ReportFile:
    """The report as it stands, as PDF or xlsx; it names no member.

    Raises:
        Forbidden: without ``groups.keep``.  NotFound: not one's own.
        Refused: ``bad_format``.
    """
    if format not in ("pdf", "xlsx"):
        raise Refused("この形式では出せません。", code="bad_format", fields={"format": "pdf・xlsx"})
    shown = report(by, group_id=group_id)
    group = shown.filing
    paper = GroupReportPaper(
        municipality=settings.CITY_NAME, programme=group.programme_name, group=group.name,
        fiscal_year=f"{group.fiscal_year}年度", area=group.area_name, state=shown.state_text,
        made_at=f"{by.at.astimezone(JAPAN):%Y-%m-%d %H:%M}", members=group.members,
        counted=group.counted, text=shown.text, sample=settings.DEMO,
        lines=tuple(_paper(one, one.month) for one in shown.figures.lines),
        kinds=tuple(_paper(one, "年度計") for one in shown.figures.kinds),
        total=_paper(shown.figures.total, "合計"),
    )
    name = f"group-report-{group.id}-{group.fiscal_year}"
    audit.note(scope=by, kind="export", action="groups.report_file", subject_kind="group",
               subject_id=group_id, detail={"format": format})
    if format == "xlsx":
        return ReportFile(f"{name}.xlsx", XLSX, report_book(paper, created_at=by.at))
    return ReportFile(f"{name}.pdf", "application/pdf", report_pages(paper, created_at=by.at))


def _paper(one: Figure, month: str) -> ReportLine:
    return ReportLine(month=month, kind=one.kind_label, sessions=one.sessions, people=one.people,
                      attendances=one.attendances, points=one.points)


def _own(group_id: int, by: Scope, version: int | None) -> tuple[Group, GroupReport]:
    """The filing, locked, with its report; a report begins when it is first asked for."""
    group = locked(group_id, by=by)
    if group.registered_at is None or group.state not in (State.REGISTERED, State.WITHDRAWN):
        raise _wrong_state()
    row = GroupReport.objects.visible_to(by).filter(group=group).first()
    if row is None:
        row = GroupReport(group=group, state=GroupReport.State.DRAFT, version=0)
    if version is not None and row.version != version:
        raise GroupChanged
    return group, row


def _over(group: Group, by: Scope) -> None:
    last = fiscal_year_span(group.fiscal_year)[1]
    if by.on < last and group.state == State.REGISTERED:
        raise Refused(f"実績報告は、年度の最後の日（{last.year}年3月31日）から出せます。",
                      code="year_not_over")


def _wrong_state() -> Refused:
    return Refused("実績報告は、いまの状態では変えられません。", code="not_in_this_state")


def _saved(row: GroupReport) -> GroupReport:
    row.version += 1
    row.save()
    return row
