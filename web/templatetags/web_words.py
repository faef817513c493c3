"""Words on pages: names with kana, dates a neighbour reads, phrase breaks, error lists.

Owns presentation only; 和暦 and ages come from the registry's calendar as text.
Refuses markup in its input: everything is escaped before marks are added.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import budoux
from django import template
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from web.states import STATES, State, state

register = template.Library()

_DAYS = "月火水木金土日"


def _hiragana(text: str) -> str:
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)


@register.simple_tag
def ruby(name: str, kana: str = "") -> SafeString:
    """``山田 花子`` with its kana above, part by part where the parts agree.

    A part written in kana gets no ruby.  Where the numbers of parts differ, the whole
    kana stands above the whole name.
    """
    parts, readings = name.split(), _hiragana(kana or "").split()
    if not readings:
        return format_html("{}", name)
    if len(parts) != len(readings):
        return format_html("<ruby>{}<rt>{}</rt></ruby>", name, " ".join(readings))
    pieces = [
        escape(part)
        if _hiragana(part) == reading
        else format_html("<ruby>{}<rt>{}</rt></ruby>", part, reading)
        for part, reading in zip(parts, readings, strict=True)
    ]
    return format_html_join(" ", "{}", ((piece,) for piece in pieces))


@register.filter
def jdate(value: dt.date) -> str:
    """11月23日（月）"""
    return f"{value.month}月{value.day}日（{_DAYS[value.weekday()]}）"


@register.filter
def jtime(value: dt.time | dt.datetime) -> str:
    """午前10時5分; noon is 午後0時."""
    half, hour = ("午前", value.hour) if value.hour < 12 else ("午後", value.hour - 12)
    return f"{half}{hour}時{value.minute}分" if value.minute else f"{half}{hour}時"


@register.filter
def jclock(value: dt.time | dt.datetime) -> str:
    """10時5分 (24 hours), for staff."""
    return f"{value.hour}時{value.minute}分" if value.minute else f"{value.hour}時"


@register.filter
def spaced(value: object, size: int = 3) -> str:
    """``204118`` as ``204 118``: groups are easier to read aloud."""
    text = str(value)
    return " ".join(text[i : i + size] for i in range(0, len(text), size))


@lru_cache(maxsize=1)
def _parser() -> Any:
    return budoux.load_default_japanese_parser()


@lru_cache(maxsize=2048)
def _phrases(text: str) -> tuple[str, ...]:
    return tuple(_parser().parse(text)) if text else ()


@register.filter
def phrases(value: str) -> SafeString:
    """Mark where a line may break (``<wbr>``); use inside ``class="phrases"``.

    Only for fixed words of the service: results are kept in memory, so names do not
    belong here.
    """
    text = str(conditional_escape(value))
    if "&" in text or "<" in text:
        return mark_safe(text)  # noqa: S308 - escaped above
    return mark_safe("<wbr>".join(_phrases(text)))  # noqa: S308 - escaped above


@register.simple_tag
def state_for(code: str) -> State:
    """``{% state_for result as state %}``; unknown codes raise ValueError."""
    return state(code)


@register.simple_tag
def all_states() -> list[State]:
    """Every state, for the kiosk's icon templates."""
    return list(STATES.values())


@dataclass(frozen=True, slots=True)
class ErrorLink:
    """One line of the error summary: ``href`` is ``#id`` of the field, or empty."""

    href: str
    message: str


@register.simple_tag
def form_errors(form: Any) -> list[ErrorLink]:
    """Errors of a Django form in field order, form-wide ones first."""
    if form is None or not getattr(form, "errors", None):
        return []
    links = [ErrorLink("", message) for message in form.non_field_errors()]
    for field in form:
        links += [ErrorLink(f"#{_target(field)}", message) for message in field.errors]
    return links


def _target(field: Any) -> str:
    """The id that takes the focus: of the first radio or part where there are several."""
    return str(field.id_for_label or field.auto_id)


@register.filter
def widget_kind(field: Any) -> str:
    """``input``, ``group`` (radios, checkboxes), ``check`` or ``parts`` (several inputs)."""
    name = type(field.field.widget).__name__
    if name in {"RadioSelect", "CheckboxSelectMultiple"}:
        return "group"
    if name == "CheckboxInput":
        return "check"
    return "parts" if hasattr(field.field.widget, "widgets") else "input"
