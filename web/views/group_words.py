"""What the pages about groups say in the same way: states, events, figures, choices.

Owns the words for the leader's and the council's pages.  Refuses nothing; it reads values.
"""

from __future__ import annotations

from typing import Any

from points.domain.rules import Source
from points.queries import rulebook
from points.queries.group_figures import Figure, Figures
from points.queries.groups import EventLine, FilingLine
from registry.access import Scope
from web.presenting import year_text
from web.views.blocks import Block, moment, row, short_day, table

#: State → what it is called, the badge's kind, what the leader can do about it.
STATES: dict[str, tuple[str, str, str]] = {
    "draft": ("作成中", "soft", "まだ社協に出していません。"),
    "submitted": ("審査まち", "caution", "社協が たしかめています。"),
    "registered": ("登録ずみ", "good", "この年度の活動ができます。"),
    "returned": ("差しもどし", "bad", "直して、もう一度出してください。"),
    "withdrawn": ("とりやめ", "soft", "この年度の活動は ありません。"),
}
REPORTS: dict[str, tuple[str, str]] = {
    "": ("なし", "soft"), "draft": ("作成中", "soft"), "submitted": ("審査まち", "caution"),
    "returned": ("差しもどし", "bad"), "accepted": ("受理ずみ", "good"),
}
EVENTS = {
    "applied": "届け出をはじめた", "submitted": "届け出を出した", "returned": "差しもどし",
    "registered": "登録", "withdrawn": "とりやめ", "joined": "入会", "left": "退会",
    "leader": "代表者の交代", "report_written": "実績報告を書いた",
    "report_submitted": "実績報告を出した", "report_returned": "実績報告の差しもどし",
    "report_accepted": "実績報告の受理",
}


def kinds_of(scope: Scope, *, programme: str) -> list[tuple[str, str]]:
    """The kinds of activity that the programme's rules know today or first."""
    found = rulebook.programme(scope, code=programme)
    rules = found.rule or (found.rules[0] if found.rules else None)
    return [(rate.kind, rate.label) for rate in rules.rates] if rules else []


def programmes_for_groups(scope: Scope) -> list[rulebook.ProgrammeFact]:
    """Programmes whose rules count activities of groups."""
    return [one for one in rulebook.programmes(scope)
            if any(Source.GROUP in rules.sources for rules in one.rules)]


def year_choices(scope: Scope) -> list[tuple[str, str]]:
    """Years that are opened and not closed, newest first."""
    years = {terms.fiscal_year for one in programmes_for_groups(scope)
             for terms in one.years if terms.state != "closed"}
    return [(str(one), year_text(one)) for one in sorted(years, reverse=True)]


def people_text(line: FilingLine) -> str:
    """「会員12人（数えられる会員11人）」"""
    said = f"会員{line.members}人"
    return said if line.counted == line.members else f"{said}（数えられる会員{line.counted}人）"


def figure_rows(found: Figures) -> list[dict[str, Any]]:
    """Lines, totals by kind and the total, for a table."""
    def shown(one: Figure, label: str, total: bool = False) -> dict[str, Any]:
        return {"label": label, "kind": one.kind_label, "sessions": one.sessions,
                "people": one.people, "attendances": one.attendances, "points": one.points,
                "total": total}

    return [*(shown(one, f"{int(one.month[5:])}月") for one in found.lines),
            *(shown(one, "年度計", True) for one in found.kinds),
            shown(found.total, "合計", True)]


def figure_table(found: Figures, caption: str) -> Block:
    """The same as an office table."""
    return table(caption, ["月", "活動の種類", "開催", "実人数", "のべ", "ポイント"], [
        row(one["label"], one["kind"], f"{one['sessions']}回", f"{one['people']}人",
            f"{one['attendances']}人", f"{one['points']:,}")
        for one in figure_rows(found)
    ])


def event_table(events: tuple[EventLine, ...]) -> Block:
    """The history, newest first."""
    return table("経過", ["できごと", "いつ", "だれが", "だれの", "その日から", "理由・人数"], [
        row(EVENTS.get(one.kind, one.kind), moment(one.at), one.by, one.name,
            short_day(one.on), "　".join(filter(None, (one.note, _counted(one)))))
        for one in reversed(events)
    ], "まだありません。")


def _counted(one: EventLine) -> str:
    return "" if one.members is None else f"会員{one.members}人・数えられる会員{one.counted}人"
