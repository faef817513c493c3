"""Small shapes that the office templates draw: rows, cells, facts, actions, words for dates.

Owns the dictionaries of ``office/list.html`` and ``office/detail.html``, so that every staff
page says dates, links and buttons in the same way.  Refuses markup: everything is text.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from registry.access import JAPAN
from registry.domain.calendar import age_at, format_date

Block = dict[str, Any]


def cell(text: object, badge: str = "") -> Block:
    """One cell; ``badge`` is good, caution, bad, soft or empty."""
    return {"text": "" if text is None else str(text), "badge_kind": badge}


def row(label: str, *cells: Block | str, url: str = "", post: Block | None = None) -> Block:
    """One row of a list; ``post`` is an ``action`` drawn as a button in the last column."""
    made = [one if isinstance(one, dict) else cell(one) for one in cells]
    return {"label": label, "url": url, "cells": made, "post": post}


def fact(label: str, value: object) -> Block:
    """One label with its value; nothing known says so."""
    text = "" if value is None else str(value)
    return {"label": label, "value": text or "（記録なし）"}


def action(label: str, url: str, *, kind: str = "", method: str = "get", **fields: object) -> Block:
    """A link, or a button that posts ``fields``."""
    return {"label": label, "url": url, "kind": kind, "method": method, "fields": fields}


def table(caption: str, headers: Iterable[str], rows: Iterable[Block], empty: str = "") -> Block:
    """A table of ``row``s with its heading."""
    return {"caption": caption, "headers": list(headers), "rows": list(rows), "empty": empty}


def link(name: str, *arguments: object, **query: object) -> str:
    """The path of a route with a query string."""
    path = reverse(name, args=arguments)
    given = {key: value for key, value in query.items() if value not in (None, "")}
    return path + ("?" + urlencode(given) if given else "")


def day(value: date | datetime | None) -> str:
    """「令和8年11月23日」の西暦・和暦; empty when there is none."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(JAPAN).date()
    return format_date(value)


def short_day(value: date | datetime | None) -> str:
    """「11月23日」."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(JAPAN).date()
    return f"{value.month}月{value.day}日"


def moment(value: datetime | None) -> str:
    """「11月23日 10時5分」 of Japan."""
    if value is None:
        return ""
    local = value.astimezone(JAPAN)
    minutes = f"{local.minute}分" if local.minute else ""
    return f"{local.month}月{local.day}日 {local.hour}時{minutes}"


def clock(value: datetime) -> str:
    """「10時32分」 of Japan."""
    local = value.astimezone(JAPAN)
    return f"{local.hour}時{local.minute}分"


SEX = {"male": "男性", "female": "女性"}


def about(born_on: date | None, sex: str, on: date) -> str:
    """「1938年（昭和13年）5月3日生・88歳・女性」, of what is known."""
    parts = []
    if born_on is not None:
        parts += [f"{format_date(born_on)}生", f"{age_at(born_on, on)}歳"]
    if SEX.get(sex):
        parts.append(SEX[sex])
    return "・".join(parts)


def whole_number(request: HttpRequest, name: str, default: int = 0) -> int:
    """A number of the address; what is none counts as the default."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else default
