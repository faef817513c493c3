"""Papers of the points part: cards, vouchers and attendance sheets as PDF bytes.

Owns choosing the values (what may be printed for whom) and the record that it was printed.
Refuses another group's sheet and somebody else's vouchers (not found).  The drawing is
``points.documents``.  Source: P4.5, P6, P7.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from points import keys
from points.documents.attendance_sheet import attendance_sheet as draw_sheet
from points.documents.cards import card_sheets
from points.documents.values import (
    AttendanceMember,
    AttendanceSheet,
    Card,
    CardSheet,
    VoucherIssuer,
    VoucherPaper,
)
from points.documents.vouchers import voucher_pages
from points.domain import codes, tokens
from points.domain.vouchers import State
from points.models import Exchange, Voucher
from points.queries import rulebook
from points.queries.sessions import session
from registry import audit
from registry.access import JAPAN, Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.queries.cards import codes_for_printing
from registry.queries.organisations import members, organisations
from registry.queries.volunteers import volunteer_facts
from registry.sealing import unseal


def _url(folder: str, code: str) -> str:
    return tokens.card_url(keys.code_scheme(), keys.code_host(), folder, code)


@transaction.atomic
def card_pages(*, volunteer_ids: Sequence[int], by: Scope) -> bytes:
    """The cards in force of these volunteers, ten to a page, in their order, as PDF.

    Raises:
        Forbidden: somebody else's without ``cards.issue``.
        NotFound: none of them has a card in force.
    """
    printed = codes_for_printing(by, volunteer_ids=volunteer_ids)
    facts = volunteer_facts(by, volunteer_ids=list(printed), action="cards.print")
    known = rulebook.load()
    shown = [one for one in volunteer_ids if one in printed and one in facts]
    if not shown:
        raise NotFound
    sheet = CardSheet(
        title="ボランティアカード", municipality=settings.CITY_NAME,
        finder=f"ひろった方は 社会福祉協議会 {settings.HELP_PHONE} へ", sample=settings.DEMO,
    )
    return card_sheets(
        sheet,
        [
            Card(code=_url("C", printed[one]), number=facts[one].number, name=facts[one].name,
                 kana=facts[one].kana, programmes=tuple(known.short_of.values()))
            for one in shown
        ],
        created_at=by.at,
    )


@transaction.atomic
def exchange_pages(*, exchange_id: UUID, by: Scope) -> bytes:
    """The unused vouchers of an exchange, one to a page, as PDF.

    Raises:
        NotFound: not one's own (or ``points.exchange``).
        Refused: ``nothing_to_print`` when every voucher was used or is void.
    """
    row = Exchange.objects.visible_to(by).filter(id=exchange_id).first()
    if row is None or (by.volunteer_id != row.volunteer_id and not by.may(Permission.EXCHANGE)):
        raise NotFound
    papers = list(
        Voucher.objects.visible_to(by).filter(exchange_id=exchange_id, state=State.ISSUED)
        .order_by("pk")
    )
    if not papers:
        raise Refused("印刷できる利用券がありません。", code="nothing_to_print")
    holder = volunteer_facts(by, volunteer_ids=[row.volunteer_id], action="vouchers.print")
    name = holder[row.volunteer_id].name if row.volunteer_id in holder else ""
    known = rulebook.load()
    shops = tuple(one.name for one in organisations(by, kind="shop"))[:12]
    printed = []
    for paper in papers:
        code = unseal(bytes(paper.sealed_code), context=f"voucher:{paper.serial}").decode()
        until, issued = paper.valid_until, paper.issued_at.astimezone(JAPAN).date()
        printed.append(VoucherPaper(
            serial=paper.serial, code=_url("V", code), code_text=codes.grouped(code),
            yen=f"{paper.yen:,}円", programme=known.name_of[known.code_of[paper.programme_id]],
            holder=name, points=f"{row.points // row.count}ポイントと交換",
            issued_on=f"{issued.year}年{issued.month}月{issued.day}日",
            valid_until=f"{until.year}年{until.month}月{until.day}日", usable_at=shops,
        ))
    audit.note(scope=by, kind="export", action="vouchers.print", subject_kind="volunteer",
               subject_id=row.volunteer_id, detail={"vouchers": len(printed)})
    issuer = VoucherIssuer(municipality=settings.CITY_NAME, office="社会福祉協議会",
                           phone=settings.HELP_PHONE, sample=settings.DEMO)
    return voucher_pages(issuer, printed, created_at=by.at)


@transaction.atomic
def attendance_pages(*, session_id: int, by: Scope) -> bytes:
    """The paper list of a session with its group's members in order, as PDF (P4.5).

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
    """
    by.require(Permission.SESSIONS_MANAGE)
    line = session(by, session_id=session_id)
    belong = members(by, organisation_ids=[line.organisation_id], on=line.held_on)
    facts = volunteer_facts(by, volunteer_ids=[one.volunteer_id for one in belong],
                            action="sessions.sheet")
    shown = [facts[one.volunteer_id] for one in belong if one.volunteer_id in facts]
    begins, ends = line.starts_at.astimezone(JAPAN), line.ends_at.astimezone(JAPAN)
    sheet = AttendanceSheet(
        sheet_number=f"S{line.id}", municipality=settings.CITY_NAME,
        programme=line.programme_name, group=line.group_name, activity=line.title,
        held_on=f"{line.held_on.year}年{line.held_on.month}月{line.held_on.day}日",
        time=f"{begins:%H:%M}〜{ends:%H:%M}", place=line.place,
        members=tuple(
            AttendanceMember(order=n, number=one.number, name=one.name, kana=one.kana)
            for n, one in enumerate(shown, 1)
        ),
        return_to="社会福祉協議会", sample=settings.DEMO,
    )
    audit.note(scope=by, kind="export", action="sessions.sheet", subject_kind="session",
               subject_id=session_id, detail={"members": len(shown)})
    return draw_sheet(sheet, created_at=by.at)
