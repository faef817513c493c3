"""``{% icon "check" %}``: inline SVG pictures, drawn here, no font and no request.

Owns the shapes (24 × 24, ``currentColor``; state icons 64 × 64).  Refuses an unknown
name (``KeyError``).  Icons are hidden from screen readers: words always stand beside them.
"""

from __future__ import annotations

from typing import Final

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_SMALL: Final[dict[str, str]] = {
    "phone": "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 "
    "0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 "
    "3.57a1 1 0 0 1-.25 1z",
    "check": "M9.2 16.6 4.9 12.3l-1.8 1.8 6.1 6.1L21.3 8.1l-1.8-1.8z",
    "warning": "M12 2 1 21h22zm-1.2 7h2.4v6h-2.4zm0 7.6h2.4V19h-2.4z",
    "cross": "M18.4 4 12 10.4 5.6 4 4 5.6l6.4 6.4L4 18.4 5.6 20l6.4-6.4 6.4 6.4 1.6-1.6-6.4-6.4L20 "
    "5.6z",
    "home": "M12 3 3 10.5V21h6.5v-6h5v6H21V10.5z",
    "no_signal": "M3.3 2 2 3.3l3.2 3.2A16 16 0 0 0 1 9.5l2 2a13 13 0 0 1 4.3-2.9l2.2 2.2A10 10 0 0 "
    "0 5 13.5l2 2a7 7 0 0 1 5-2.1l7.7 7.7 1.3-1.3zM12 6c-1 0-2 .1-2.9.3l2.4 2.4A13 13 0 0 1 21 "
    "11.5l2-2A16 16 0 0 0 12 6zm0 11-2.5 2.5L12 22l2.5-2.5z",
    "signal": "M12 6A16 16 0 0 0 1 9.5l2 2a13 13 0 0 1 18 0l2-2A16 16 0 0 0 12 6zm0 5a10 10 0 0 "
    "0-7 2.5l2 2a7 7 0 0 1 10 0l2-2a10 10 0 0 0-7-2.5zm0 6-2.5 2.5L12 22l2.5-2.5z",
    "info": "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.2 8.5h2.4V18h-2.4zm0-4h2.4v2.4h-2.4z",
}

# State icons: 64 × 64. "X" marks the colour of the paper under the figure.
_DISC: Final = '<circle cx="32" cy="32" r="31" fill="currentColor"/>'
_RING: Final = '<circle cx="32" cy="32" r="28" fill="none" stroke="currentColor" stroke-width="5"/>'
_LINE: Final = 'fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round"'
_STATE: Final[dict[str, str]] = {
    "check": _DISC + '<path class="state-icon-ink" d="M17 33l10 10 20-21" fill="none" '
    'stroke="#115a36" stroke-width="8" stroke-linecap="round" stroke-linejoin="round"/>',
    "triangle": '<path d="M32 4 2 58h60z" fill="currentColor"/><path d="M32 24v16M32 48v.5" '
    'stroke="#ffd43d" stroke-width="7" stroke-linecap="round"/>',
    "flag": f'<path d="M14 58V8h36l-8 12 8 12H14" {_LINE}/>',
    "door": f'<path d="M14 57V8h36v49M7 57h50M41 33v.5" {_LINE}/>',
    "question": _RING + f'<path d="M24 25c0-11 17-10 17 0 0 7-9 7-9 14M32 48v.5" {_LINE}/>',
    "no_signal": f'<path d="M8 25a36 36 0 0 1 48 0M17 36a23 23 0 0 1 30 0" {_LINE}/>'
    f'<circle cx="32" cy="49" r="5" fill="currentColor"/><path d="M10 8l44 48" {_LINE}/>',
    "clock": _RING + f'<path d="M32 16v17l11 8" {_LINE}/>',
    "calendar": f'<path d="M9 14h46v42H9zM9 27h46M21 8v11M43 8v11" {_LINE}/>',
    "phone": f'<path d="M19 5h26v54H19zM29 51h6" {_LINE}/>',
    "cross": '<rect x="3" y="3" width="58" height="58" rx="8" fill="currentColor"/>'
    '<path d="M21 21l22 22M43 21L21 43" stroke="#fff" stroke-width="8" stroke-linecap="round"/>',
    "people": f'<circle cx="22" cy="22" r="9" {_LINE}/><path d="M5 54c0-22 34-22 34 0" {_LINE}/>'
    f'<path d="M42 14a9 9 0 0 1 0 17M47 40c8 2 12 7 12 14" {_LINE}/>',
    "info": _RING + f'<path d="M32 30v16M32 19v.5" {_LINE}/>',
    "overlap": f'<path d="M6 6h34v34H6zM24 24h34v34H24z" {_LINE}/>',
    "lock": f'<path d="M12 29h40v28H12zM20 29V19a12 12 0 0 1 24 0v10M32 39v8" {_LINE}/>',
    "card_off": f'<path d="M5 15h54v36H5zM5 26h54M10 59L54 5" {_LINE}/>',
    "qr": '<path d="M7 7h18v18H7zM39 7h18v18H39zM7 39h18v18H7zM40 40v.5M56 40v16M40 56h4" '
    f"{_LINE}/>",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A small picture before or after a word."""
    return mark_safe(  # noqa: S308 - constants of this module
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f'<path d="{_SMALL[name]}"/></svg>'
    )


@register.simple_tag
def state_icon(name: str) -> SafeString:
    """The large picture of a state banner."""
    return mark_safe(  # noqa: S308 - constants of this module
        f'<svg viewBox="0 0 64 64" aria-hidden="true" focusable="false">{_STATE[name]}</svg>'
    )


STATE_ICON_NAMES: Final = tuple(sorted(_STATE))
