"""The first page of the city's staff: what waits for them, and finding a person.

Owns the work queues.  Refuses to list a queue that the visitor's role could not work on; the
numbers come from the queries that the queue's own page uses.  screens.md, "Who gets which pages".
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from evacuation.domain.planning import PlanState
from evacuation.queries import custody, plans, roster, sharing, supporters
from registry.access import Scope
from registry.domain.calendar import format_date
from registry.domain.roles import Permission, Role
from registry.queries import areas, imports, offices
from web.views import blocks
from web.views.base import Answer, Reply
from web.views.office_page import OfficePage


class Home(OfficePage):
    """Work queues; a care manager sees the own caseload's plans only."""

    needs = {"get": Permission.PLAN_VIEW}
    section = "office-home"
    work = "work.home"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        own = not scope.may(Permission.ROSTER_VIEW)
        return Reply(
            "web/office/home.html",
            {
                "heading": "担当する方の計画" if own else "やること",
                "today_text": format_date(scope.on),
                "queues": queues(scope),
                "search_url": reverse("office-people"),
                "search_hint": "名前・よみ・宛名番号。",
            },
        )


def queues(scope: Scope) -> list[dict[str, Any]]:
    """Every queue of the visitor's roles, the late ones first."""
    found = [
        *_imports(scope),
        *_roster(scope),
        *_plans(scope),
        *_custody(scope),
        *_supporters(scope),
    ]
    return sorted(found, key=lambda one: (not one["late"], not one["count"]))


def _queue(
    title: str, count: int, unit: str, detail: str, url: str, act: str = "開く", late: bool = False
) -> dict[str, Any]:
    return {
        "title": title,
        "count": count,
        "unit": unit,
        "detail": detail,
        "url": url,
        "action": act,
        "late": late and bool(count),
    }


def _imports(scope: Scope) -> list[dict[str, Any]]:
    if not scope.may(Permission.PEOPLE_IMPORT):
        return []
    waiting = [one for one in imports.batches(scope) if one.state == "staged"]
    return [
        _queue(
            "取りこみの確認",
            len(waiting),
            "件",
            "読んだファイルの違いを見て、反映します。",
            reverse("office-imports"),
        )
    ]


def _roster(scope: Scope) -> list[dict[str, Any]]:
    if not scope.may(Permission.ROSTER_MANAGE):
        return []
    counts = roster.counts(scope)
    runs = [one for one in sharing.roster_runs(scope) if one.state == "previewed"]
    waiting = sum(one.new + one.gone + one.reason_changed for one in runs)
    reports = roster.corrections(scope)
    return [
        _queue(
            "名簿の差分",
            waiting,
            "人",
            "要件でつくった差分を見て、反映します。" if runs else "差分は つくっていません。",
            reverse("office-runs"),
        ),
        _queue(
            "同意が未回答",
            counts["unanswered"],
            "人",
            "平常時の提供への答えがまだの方です。",
            reverse("office-unanswered"),
        ),
        _queue(
            "変更の申出",
            len(reports),
            "件",
            "町内会・民生委員が知らせたことです。",
            reverse("office-corrections"),
        ),
    ]


def _plans(scope: Scope) -> list[dict[str, Any]]:
    counts = plans.counts(scope)
    url = "office-plans"
    found = []
    if scope.may(Permission.PLAN_APPROVE):
        found.append(
            _queue(
                "承認を待つ計画",
                counts[PlanState.SUBMITTED],
                "件",
                "書いた人とは別の人が承認します。",
                blocks.link(url, state="submitted"),
            )
        )
    if scope.may(Permission.PLAN_DRAFT):
        todo = counts[PlanState.NOT_STARTED] + counts[PlanState.CONSENT_ASKED]
        found += [
            _queue(
                "差し戻された計画",
                counts[PlanState.RETURNED],
                "件",
                "直して、もう一度出します。",
                blocks.link(url, state="returned"),
            ),
            _queue(
                "書きかけの計画",
                counts[PlanState.DRAFT] + counts[PlanState.ASSIGNED],
                "件",
                "つづきを書きます。",
                blocks.link(url, state="draft"),
            ),
            _queue(
                "見直しの時期",
                counts[PlanState.REVIEW_DUE],
                "件",
                "1年たったか、ようすが変わった方です。",
                blocks.link(url, state="review_due"),
                late=True,
            ),
            _queue(
                "計画がない方",
                todo,
                "人",
                "名簿にのっていて、計画がまだの方です。",
                blocks.link(url, state="not_started"),
            ),
        ]
    return found


def _custody(scope: Scope) -> list[dict[str, Any]]:
    if not scope.may(Permission.CUSTODY_MANAGE):
        return []
    now = custody.overview(scope)
    late = len(now.checks_overdue) + len(now.recalled) + len(now.former_holders)
    url = reverse("office-custody")
    return [
        _queue(
            "期限すぎの写し",
            late,
            "冊",
            "所在の確認・返却・引き継ぎが終わっていません。",
            url,
            late=True,
        ),
        _queue(
            "受領を待つ写し",
            len(now.waiting_receipt),
            "冊",
            "渡したあと、受領の返事がまだです。",
            url,
        ),
    ]


def _supporters(scope: Scope) -> list[dict[str, Any]]:
    if not scope.may(Permission.SUPPORTERS_PROPOSE):
        return []
    run = supporters.latest_run(scope)
    missing = sum(supporters.gap_counts(scope, run_id=run.id).values()) if run else 0
    detail = "近くに頼める人が見つかっていません。" if run else "支援者の案は、まだ作っていません。"
    return [_queue("足りない支援者", missing, "人分", detail, reverse("office-supporters"))]


class Missing(OfficePage):
    """Where supporters are missing, by 町内会, with the nearest reason one can act on."""

    needs = {"get": Permission.SUPPORTERS_PROPOSE}
    section = "office-plans"
    work = "work.supporters"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        run = supporters.latest_run(scope)
        names = {one.id: one.name for one in areas.areas(scope)}
        counts = supporters.gap_counts(scope, run_id=run.id) if run else {}
        gaps = supporters.gaps(scope, run_id=run.id) if run else []
        rows = sorted(counts.items(), key=lambda pair: (-pair[1], names.get(pair[0] or 0, "")))
        return Reply(
            "web/office/detail.html",
            {
                "heading": "足りない支援者",
                "meta": f"{blocks.moment(run.done_at)} の案" if run else "",
                "actions": [
                    blocks.action(
                        "案を作る",
                        reverse("office-supporters-propose"),
                        kind="primary",
                        method="post",
                    )
                ],
                "notices": []
                if run
                else [
                    {
                        "text": "支援者の案は、まだ ありません。「案を作る」をおすと、"
                        "近さと受け持ちから案をつくります。だれにも連絡しません。",
                        "kind": "caution",
                    }
                ],
                "figures": _figures(run) if run else [],
                "tables": [
                    blocks.table(
                        "町内会ごと",
                        ["町内会", "足りない人分"],
                        [
                            blocks.row(names.get(area or 0, "町内会が不明"), str(count))
                            for area, count in rows
                        ],
                        "足りない町内会は ありません。",
                    ),
                    blocks.table(
                        "見つからない方と理由",
                        ["氏名", "町内会", "足りない", "理由", "枠を分け合う方"],
                        [
                            blocks.row(
                                gap.person_name,
                                gap.area_name,
                                f"{gap.missing}人",
                                gap.words,
                                "、".join(gap.people),
                                url=blocks.link("office-person", gap.person_id, purpose="plan"),
                            )
                            for gap in gaps
                        ],
                        "見つからない方は いません。",
                    ),
                ]
                if run
                else [],
                "back_url": reverse("office-home"),
            },
        )


def _figures(run: supporters.RunFact) -> list[dict[str, Any]]:
    return [
        {"label": "さがした方", "value": run.people, "unit": "人", "note": ""},
        {"label": "枠のある支援者", "value": run.supporters, "unit": "人・団体", "note": ""},
        {"label": "必要な枠", "value": run.wanted, "unit": "人分", "note": ""},
        {
            "label": "案がある枠",
            "value": run.filled,
            "unit": "人分",
            "note": "これより多くはできません（証明ずみ）" if run.proven else "",
        },
    ]


def vacant_offices(scope: Scope) -> list[str]:
    """Seats that receive the roster and are held by nobody today."""
    return [
        one.name
        for role in (Role.WELFARE_COMMISSIONER, Role.NEIGHBOURHOOD_ASSOCIATION)
        for one in offices.vacant(scope, role=role)
    ]
