"""What stands on top of an edition and of every letter about a copy (R9).

Owns numbers, the words of dates, the check code and the header.  A copy's number follows from
period, office and medium, so that a repeat finds the same; the check code is a keyed digest of
it, which nobody can make up.
"""

from __future__ import annotations

import base64
from datetime import date, datetime

from django.conf import settings

from evacuation.documents.values import BookletHeader
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Copy, SharingRun
from registry import sealing
from registry.access import Scope, day_of
from registry.domain.calendar import format_date
from registry.queries import offices
from registry.queries.offices import OfficeFact


def day(on: date) -> str:
    """「2026年（令和8年）11月23日」."""
    return format_date(on)


def edition_number(period: str, office_id: int) -> str:
    """「202610-0042」: the same period and office give the same number."""
    return f"{period.replace('-', '')}-{office_id:04d}"


def copy_number(edition: str, medium: str) -> str:
    """「202610-0042-P1」 for the booklet, 「…-F1」 for the file."""
    return f"{edition}-{'P' if medium == Copy.Medium.PAPER else 'F'}1"


def check_code(copy: str) -> str:
    """Ten letters and digits for the scan at enclosing; not to be guessed from the number."""
    return base64.b32encode(sealing.digest(copy, purpose="copy-check"))[:10].decode()


def area_words(office: OfficeFact) -> str:
    """「城東町、南町（3班）」."""
    return "、".join(
        f"{one.area_name}（{one.section}）" if one.section else one.area_name
        for one in office.areas
    )


def header(
    *, run: SharingRun, office: OfficeFact, kind: RecipientKind, holder_name: str, edition: str,
    copy: str, issued_at: datetime,
) -> BookletHeader:
    """The header of one numbered copy."""
    year, _, month = run.period.partition("-")
    return BookletHeader(
        municipality=settings.CITY_NAME,
        recipient=office.name,
        recipient_kind=kind.label,
        holder=holder_name,
        storage=office.storage_place,
        area=area_words(office),
        edition=f"{year}年{int(month)}月期 版{edition}",
        copy_number=copy,
        as_of=f"{day(day_of(run.as_of))} 現在",
        issued_on=day(day_of(issued_at)),
        ground=run.citation,
        office=settings.ROSTER_OFFICE,
        phone=settings.HELP_PHONE,
        check_code=check_code(copy),
        sample=settings.DEMO,
    )


def of_copy(wide: Scope, copy: Copy) -> BookletHeader:
    """The header of a copy that exists (``copy.edition.run`` loaded)."""
    edition = copy.edition
    office = offices.offices(wide, ids=[copy.office_id])[0]
    return header(
        run=edition.run, office=office, kind=RecipientKind(edition.recipient_kind),
        holder_name=edition.holder_name, edition=edition.number, copy=copy.number,
        issued_at=edition.issued_at,
    )
