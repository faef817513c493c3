"""Facts turned into the words and numbers of a template, without a query of its own.

Owns the shapes that the points pages share (person, session, balance) and the signed mark that
makes a staff entry the same entry when it is sent again.  Refuses to decide: what may be
exchanged and why something counted is said by operations and queries.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.core import signing

from points.queries.sessions import SessionLine
from points.queries.statements import MyPoints
from registry.access import JAPAN
from registry.domain.errors import Refused
from web.templatetags.web_words import jclock, jdate

_ENTRY = "tsunagari.entry"
ENTRY_LIFE = 24 * 3600  # seconds a drawn entry page may be sent


class EntryTooOld(Refused):
    """The page was drawn a day ago, or its mark is not ours."""

    code = "entry_too_old"
    message = "画面を開いてから時間がたちました。画面を開きなおしてください。"


def local(at: datetime) -> datetime:
    """The instant as a clock in Japan shows it."""
    return at.astimezone(JAPAN)


def when_text(starts_at: datetime, ends_at: datetime) -> str:
    """「11月23日（月） 10時〜11時30分」"""
    starts, ends = local(starts_at), local(ends_at)
    return f"{jdate(starts.date())} {jclock(starts)}〜{jclock(ends)}"


def year_text(fiscal_year: int) -> str:
    """「令和8年度」; years before Reiwa in Western numbers."""
    return f"令和{fiscal_year - 2018}年度" if fiscal_year >= 2019 else f"{fiscal_year}年度"


def person(facts: Any) -> dict[str, str]:
    """Name and kana of somebody's facts."""
    return {"name": facts.name, "kana": facts.kana}


def session_words(line: SessionLine) -> dict[str, Any]:
    """What a page says about a session."""
    return {
        "id": line.id, "title": line.title, "place": line.place, "group": line.group_name,
        "starts_at": local(line.starts_at), "ends_at": local(line.ends_at),
        "when_text": when_text(line.starts_at, line.ends_at),
    }


def balance(mine: MyPoints) -> dict[str, Any]:
    """``components/balance.html``"""
    price = mine.points_per_voucher
    return {
        "total": mine.balance, "per_voucher": price,
        "towards": price if mine.vouchers_now else mine.balance % price,
        "remaining": mine.to_next, "can_exchange": mine.vouchers_now > 0,
    }


def balance_of(points: Sequence[MyPoints], programme: str) -> dict[str, Any] | None:
    """The balance of one programme among a volunteer's, or None."""
    return next((balance(one) for one in points if one.programme == programme), None)


def until_text(mine: MyPoints) -> str:
    """「交換できるのは、2027年6月30日までです。」 or ""."""
    last: date | None = mine.exchange_until
    if last is None:
        return ""
    return f"交換できるのは、{last.year}年{last.month}月{last.day}日までです。"


def entry_mark(at: datetime) -> str:
    """The mark of one drawn entry page: its number and its time, signed."""
    return signing.dumps([uuid.uuid4().hex, int(at.timestamp())], salt=_ENTRY)


def read_mark(mark: str) -> tuple[uuid.UUID, datetime]:
    """Number and time of a mark.

    Raises:
        EntryTooOld: forged, or older than a day.
    """
    try:
        number, at = signing.loads(mark, salt=_ENTRY, max_age=ENTRY_LIFE)
    except signing.BadSignature as error:
        raise EntryTooOld from error
    return uuid.UUID(hex=number), datetime.fromtimestamp(at, JAPAN)
