"""Papers of the points part: cards, vouchers, attendance sheets, event posters as PDF bytes.

Owns choosing the values (what may be printed for whom) and the record that it was printed.
Refuses another group's sheet and somebody else's vouchers (not found).  The drawing is
``points.documents``.  Source: P4.5, P6, P7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from points import keys
from points.documents.attendance_sheet import attendance_sheet as draw_sheet
from points.documents.cards import card_sheets
from points.documents.label_formats import CARD_10, FORMATS, LabelFormat
from points.documents.posters import event_poster as draw_poster
from points.documents.posters import practice_poster as draw_practice
from points.documents.values import (
    AttendanceMember,
    AttendanceSheet,
    Card,
    CardSheet,
    EventPoster,
    PracticePoster,
    VoucherIssuer,
    VoucherPaper,
)
from points.documents.vouchers import voucher_pages
from points.domain import codes, sheets, tokens
from points.domain.vouchers import State
from points.models import CardPrint, Exchange, PaperSheet, PrintedCard, SheetRow, Voucher
from points.queries import rulebook
from points.queries.sessions import SessionLine, printed_code, session
from points.queries.sheets import EMPTY_LINES
from registry import access, audit
from registry.access import JAPAN, Scope
from registry.documents import MissingGlyphs
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.fonts import missing_glyphs
from registry.operations.staff import actor_id
from registry.queries.cards import cards_of, codes_for_printing
from registry.queries.organisations import members, organisations
from registry.queries.volunteers import volunteer_facts
from registry.sealing import unseal


def _url(folder: str, code: str) -> str:
    return tokens.card_url(keys.code_scheme(), keys.code_host(), folder, code)


def formats() -> dict[str, str]:
    """Code → name of every paper that cards and stickers are printed on."""
    return {one.code: one.label for one in FORMATS.values()}


@dataclass(frozen=True)
class CardsToDraw:
    """Cards whose print is accounted for; draw them once the transaction is over."""

    words: CardSheet
    cards: tuple[Card, ...]
    form: LabelFormat
    at: datetime

    def draw(self) -> bytes:
        """The PDF.  Asks nothing of the database."""
        return card_sheets(self.words, self.cards, created_at=self.at, form=self.form)


@transaction.atomic
def cards_to_draw(
    *, volunteer_ids: Sequence[int], by: Scope, form: str = CARD_10.code,
    why: str = CardPrint.Why.REPRINT,
) -> CardsToDraw:
    """The cards in force of these volunteers in their order, for a format.

    The print is accounted for: who printed which cards when and why.

    Raises:
        Forbidden: somebody else's without ``cards.issue``.
        NotFound: none of them has a card in force.
        Refused: ``unknown_format``; ``missing_glyphs`` for a name that cannot be printed.
    """
    if form not in FORMATS:
        raise Refused("この用紙の形はありません。", code="unknown_format")
    printed = codes_for_printing(by, volunteer_ids=volunteer_ids)
    facts = volunteer_facts(by, volunteer_ids=list(printed), action="cards.print")
    known = rulebook.load()
    shown = [one for one in volunteer_ids if one in printed and one in facts]
    if not shown:
        raise NotFound
    lost = missing_glyphs("".join(facts[one].name + facts[one].kana for one in shown))
    if lost:
        raise MissingGlyphs(lost)
    _account_for(shown, form, why, by)
    return CardsToDraw(
        CardSheet(
            title="ボランティアカード", municipality=settings.CITY_NAME,
            finder=f"ひろった方は 社会福祉協議会 {settings.HELP_PHONE} へ", sample=settings.DEMO,
        ),
        tuple(
            Card(code=_url("C", printed[one]), code_text=codes.grouped(printed[one]),
                 number=facts[one].number, name=facts[one].name, kana=facts[one].kana,
                 programmes=tuple(known.short_of.values()))
            for one in shown
        ),
        FORMATS[form], by.at,
    )


def card_pages(
    *, volunteer_ids: Sequence[int], by: Scope, form: str = CARD_10.code,
    why: str = CardPrint.Why.REPRINT,
) -> bytes:
    """``cards_to_draw`` drawn at once, as PDF; for a few cards.  Raises as it does."""
    return cards_to_draw(volunteer_ids=volunteer_ids, by=by, form=form, why=why).draw()


def _account_for(volunteer_ids: Sequence[int], form: str, why: str, by: Scope) -> None:
    """One row for the print and one for each card, in the order of the paper."""
    held = cards_of(by, volunteer_ids=volunteer_ids)
    with access.system(at=by.at, reason="card print") as wide:
        batch = CardPrint.objects.visible_to(wide).create(
            sheet_format=form, why=why, cards=len(volunteer_ids), printed_at=by.at,
            printed_by_id=actor_id(by=by),
        )
        PrintedCard.objects.visible_to(wide).bulk_create([
            PrintedCard(batch=batch, position=at, card_id=held[one].card_id)
            for at, one in enumerate(volunteer_ids, 1)
        ], batch_size=500)
    audit.note(scope=by, kind="export", action="cards.print", subject_kind="volunteer",
               subject_id=volunteer_ids[0] if len(volunteer_ids) == 1 else None,
               detail={"print": batch.pk, "cards": len(volunteer_ids), "format": form})


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
def attendance_pages(*, session_id: int, by: Scope, empty_lines: int = EMPTY_LINES) -> bytes:
    """A new paper list of a session, its group's members in order, as PDF (P4.5).

    The order is kept with the sheet: it is entered in the order in which it was printed.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
    """
    by.require(Permission.SESSIONS_MANAGE)
    line = session(by, session_id=session_id)
    belong = members(by, organisation_ids=[line.organisation_id], on=line.held_on)
    facts = volunteer_facts(by, volunteer_ids=[one.volunteer_id for one in belong],
                            action="sessions.sheet")
    shown = [facts[one.volunteer_id] for one in belong if one.volunteer_id in facts]
    ring, code = keys.keyring(), sheets.mint_sheet()
    made = PaperSheet.objects.visible_to(by).create(
        session_id=line.id, code=code, key_id=ring.current, empty_lines=empty_lines,
        printed_at=by.at, printed_by_id=actor_id(by=by),
    )
    SheetRow.objects.visible_to(by).bulk_create([
        SheetRow(sheet=made, position=n, volunteer_id=one.id) for n, one in enumerate(shown, 1)
    ])
    sheet = AttendanceSheet(
        sheet_number=f"S{line.id}-{made.pk}", municipality=settings.CITY_NAME,
        programme=line.programme_name, group=line.group_name, activity=line.title,
        held_on=_day(line), time=_time(line), place=line.place,
        members=tuple(
            AttendanceMember(order=n, number=one.number, name=one.name, kana=one.kana,
                             code=sheets.row_code(ring, ring.current, code, n))
            for n, one in enumerate(shown, 1)
        ),
        empty_lines=empty_lines, return_to="社会福祉協議会", code=_url("S", code),
        sample=settings.DEMO,
    )
    audit.note(scope=by, kind="export", action="sessions.sheet", subject_kind="session",
               subject_id=session_id, detail={"members": len(shown), "sheet": made.pk})
    return draw_sheet(sheet, created_at=by.at)


@transaction.atomic
def event_poster(*, session_id: int, by: Scope) -> bytes:
    """The printed event QR of a session, A4, good ±30 minutes around it (P4.3).

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
        Refused: ``session_cancelled``.
    """
    by.require(Permission.SESSIONS_MANAGE)
    line = session(by, session_id=session_id)
    if line.cancelled_at is not None:
        raise Refused("この開催回は中止になりました。", code="session_cancelled")
    opens = (line.starts_at - tokens.PRINTED_MARGIN).astimezone(JAPAN)
    shuts = (line.ends_at + tokens.PRINTED_MARGIN).astimezone(JAPAN)
    audit.note(scope=by, kind="export", action="sessions.poster", subject_kind="session",
               subject_id=session_id)
    return draw_poster(EventPoster(
        municipality=settings.CITY_NAME, programme=line.programme_name, group=line.group_name,
        activity=line.title, held_on=_day(line), time=_time(line), place=line.place,
        window=f"{opens:%H:%M}〜{shuts:%H:%M}",
        code=printed_code(by, session_id=session_id).url,
        contact=f"社会福祉協議会 {settings.HELP_PHONE}", sample=settings.DEMO,
    ), created_at=by.at)


def practice_poster(*, by: Scope) -> bytes:
    """The practice QR for smartphone classes (練習用), A4.  Counts nobody, ever.

    Raises ``Forbidden`` without ``sessions.manage``.
    """
    by.require(Permission.SESSIONS_MANAGE)
    made = tokens.mint(tokens.Kind.PRACTICE, keys=keys.keyring(), host=keys.code_host(),
                       scheme=keys.code_scheme())
    return draw_practice(PracticePoster(
        municipality=settings.CITY_NAME, code=made.url,
        contact=f"社会福祉協議会 {settings.HELP_PHONE}", sample=settings.DEMO,
    ), created_at=by.at)


def _day(line: SessionLine) -> str:
    return f"{line.held_on.year}年{line.held_on.month}月{line.held_on.day}日"


def _time(line: SessionLine) -> str:
    return f"{line.starts_at.astimezone(JAPAN):%H:%M}〜{line.ends_at.astimezone(JAPAN):%H:%M}"
