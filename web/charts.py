"""Server-made SVG charts, and the table from the same numbers.

Owns: columns with a mark for the previous year and hatching for an unfinished month;
horizontal bars; the sentence that states the finding.  Source: screens.md, "Charts".
Refuses: style attributes (the policy forbids them; see ``css/stats.css``), comparing an
unfinished month, drawing a suppressed value (``None`` shows as 「x」, never as zero),
negative values (``ValueError``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10
from typing import Final

from django.utils.safestring import SafeString, mark_safe

SUPPRESSED: Final = "x"
NOT_COMPARED: Final = "－"


@dataclass(frozen=True, slots=True)
class Bar:
    """One category.  ``None`` = suppressed; ``unfinished`` = the month is still running."""

    label: str
    value: int | None
    previous: int | None = None
    unfinished: bool = False

    def __post_init__(self) -> None:
        for name in ("value", "previous"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise ValueError(f"{name} of {self.label!r} is negative: {number}")


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars with their words.  ``title`` is the finding, ``subtitle`` what is measured.

    ``ident`` makes ids on the page unique (letters, digits, hyphen).
    """

    ident: str
    title: str
    subtitle: str
    unit: str
    bars: Sequence[Bar]
    series_label: str = "今年度"
    previous_label: str = "前年度"
    category_label: str = "月"

    @property
    def compares(self) -> bool:
        """Whether any bar has a previous value that may be compared."""
        return any(b.previous is not None and not b.unfinished for b in self.bars)

    @property
    def has_unfinished(self) -> bool:
        """Whether hatching needs a legend entry."""
        return any(b.unfinished for b in self.bars)


@dataclass(frozen=True, slots=True)
class ChartTable:
    """The same numbers as cells, already formatted."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(default=())


def number(value: int | None) -> str:
    """``1310`` → ``1,310``; suppressed → ``x``."""
    return SUPPRESSED if value is None else f"{value:,}"


def table(chart: Chart) -> ChartTable:
    """Label, value, previous year (not for an unfinished month) and its state in words."""
    headers: tuple[str, ...] = (chart.category_label, f"{chart.series_label}（{chart.unit}）")
    if chart.compares:
        headers += (f"{chart.previous_label}（{chart.unit}）",)
    rows = []
    for bar in chart.bars:
        label = f"{bar.label}（途中）" if bar.unfinished else bar.label
        row: tuple[str, ...] = (label, number(bar.value))
        if chart.compares:
            row += (
                NOT_COMPARED if bar.unfinished or bar.previous is None else number(bar.previous),
            )
        rows.append(row)
    return ChartTable(headers, tuple(rows))


def peak_finding(bars: Sequence[Bar], unit: str = "人", verb: str = "参加しました") -> str:
    """「10月が今年度で最も多く、1,310人が参加しました」 from the finished bars."""
    finished = [b for b in bars if not b.unfinished and b.value is not None]
    if not finished:
        return "まだ比べられる月がありません"
    top = max(b.value or 0 for b in finished)
    if top == 0:
        return f"{finished[0].label}から{finished[-1].label}まで、まだ記録がありません"
    names = "・".join(b.label for b in finished if b.value == top)
    return f"{names}が今年度で最も多く、{top:,}{unit}が{verb}"


def share_finding(bars: Sequence[Bar], noun: str = "地区", most: int = 3) -> str:
    """「河東・北会津・鶴城の3地区で全体の約7割」: the fewest bars that reach about two thirds.

    Suppressed bars count for nothing, so the sentence is only made when none is hidden;
    otherwise it names the largest alone and gives no share.
    """
    known = sorted((b for b in bars if b.value), key=lambda b: (-(b.value or 0), b.label))
    if not known:
        return "まだ記録がありません"
    if any(b.value is None for b in bars):
        return f"最も多いのは{known[0].label}です"
    total = sum(b.value or 0 for b in known)
    running, chosen = 0, []
    for bar in known[:most]:
        chosen.append(bar.label.removesuffix(noun))
        running += bar.value or 0
        if running * 3 >= total * 2:
            break
    tenths = floor(running * 10 / total + 0.5)
    share = "全部" if running == total else f"約{tenths}割"
    names = "・".join(chosen)
    return f"{names}の{len(chosen)}{noun}で全体の{share}"


def ticks(top: int, count: int = 7) -> list[int]:
    """Round steps (1, 2, 5 × 10ⁿ) from 0 to at least ``top``."""
    if top <= 0:
        return [0, 1]
    raw = top / count
    base = 10 ** floor(log10(raw)) if raw >= 1 else 1
    step = next(int(base * m) for m in (1, 2, 5, 10) if base * m >= raw)
    return [step * i for i in range(ceil(top / step) + 1)]


def columns(chart: Chart, width: int = 760, height: int = 300) -> SafeString:
    """Vertical bars with previous-year marks.  ``width``/``height`` are viewBox units."""
    left, right, top, bottom = 56, 8, 28, 28
    scale = ticks(max((max(b.value or 0, b.previous or 0) for b in chart.bars), default=0))
    inner_w, inner_h = width - left - right, height - top - bottom
    slot = inner_w / max(len(chart.bars), 1)
    bar_w = min(slot * 0.58, 72.0)

    def y(value: int) -> float:
        return top + inner_h * (1 - value / scale[-1])

    parts = [_defs(chart)] if chart.has_unfinished else []
    for tick in scale:
        parts.append(_line(left, y(tick), width - right, y(tick), "chart-grid"))
        parts.append(_text(left - 8, y(tick) + 5, f"{tick:,}", "chart-label", "end"))
    for index, bar in enumerate(chart.bars):
        middle = left + slot * (index + 0.5)
        parts.append(_text(middle, height - 8, bar.label, "chart-label", "middle"))
        if bar.value is None:
            parts.append(_text(middle, y(0) - 8, SUPPRESSED, "chart-value", "middle"))
            continue
        head = y(bar.value)
        fill = f' fill="url(#{escape(chart.ident)}-hatch)"' if bar.unfinished else ""
        css = "chart-open" if bar.unfinished else "chart-bar"
        parts.append(
            f'<rect class="{css}" x="{middle - bar_w / 2:.1f}" y="{head:.1f}" '
            f'width="{bar_w:.1f}" height="{y(0) - head:.1f}"{fill}/>'
        )
        label_at = head
        if bar.previous is not None and not bar.unfinished:
            mark, reach = y(bar.previous), bar_w / 2 + 6
            parts.append(_line(middle - reach, mark, middle + reach, mark, "chart-mark-edge"))
            parts.append(_line(middle - reach, mark, middle + reach, mark, "chart-mark"))
            label_at = min(head, mark - 2) if mark - head < 14 and mark < head + 14 else head
        parts.append(_text(middle, label_at - 8, number(bar.value), "chart-value", "middle"))
    parts.append(_line(left, y(0), width - right, y(0), "chart-base"))
    return _svg(chart, width, height, parts)


def rows(chart: Chart, width: int = 520, highlight: int = 1) -> SafeString:
    """Horizontal bars; the first ``highlight`` bars take the main colour."""
    step, thick, right, left = 42, 24, 92, 104
    longest = max((len(b.label) for b in chart.bars), default=0)
    left = max(left, longest * 14 + 14)
    top = max((b.value or 0 for b in chart.bars), default=0) or 1
    parts = []
    for index, bar in enumerate(chart.bars):
        y = index * step + 9
        parts.append(_text(left - 8, y + thick / 2 + 5, bar.label, "chart-label", "end"))
        if bar.value is None:
            parts.append(_text(left + 6, y + thick / 2 + 5, SUPPRESSED, "chart-value", "start"))
            continue
        length = (width - left - right) * bar.value / top
        css = "chart-bar" if index < highlight else "chart-bar-other"
        parts.append(
            f'<rect class="{css}" x="{left}" y="{y}" width="{length:.1f}" height="{thick}"/>'
        )
        parts.append(
            _text(
                left + length + 8,
                y + thick / 2 + 5,
                f"{number(bar.value)}{chart.unit}",
                "chart-value",
                "start",
            )
        )
    return _svg(chart, width, max(len(chart.bars), 1) * step, parts)


def _svg(chart: Chart, width: int, height: int, parts: Sequence[str]) -> SafeString:
    body = "".join(parts)
    words = escape(f"{chart.title}。{chart.subtitle}。同じ数字の表が下にあります。")
    return mark_safe(  # noqa: S308 - every text above went through escape()
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{words}">{body}</svg>'
    )


def _defs(chart: Chart) -> str:
    ident = escape(chart.ident)
    return (
        f'<defs><pattern id="{ident}-hatch" width="10" height="10" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="chart-hatch-ground" width="10" height="10"/>'
        '<line class="chart-hatch-line" x1="2" y1="0" x2="2" y2="10"/></pattern></defs>'
    )


def _text(x: float, y: float, words: str, css: str, anchor: str) -> str:
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
