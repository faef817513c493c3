"""What the plan pages say: the frame of a plan, its answers in words, what happens next.

Owns the values of ``plan/base_step.html`` and ``plan/hub.html``.  Refuses to judge: gaps, acts
and states come from ``queries.plans``.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.domain.plan_steps import FIELDS, Shape, words
from evacuation.domain.planning import PlanState
from evacuation.queries.plans import PlanHub
from registry.access import Scope
from registry.domain.roles import Permission
from web.views import blocks

KINDS: dict[str, str] = {
    PlanState.APPROVED: "good",
    PlanState.SHARED: "good",
    PlanState.RETURNED: "bad",
    PlanState.REVIEW_DUE: "bad",
    PlanState.WITHDRAWN: "soft",
}
SIGNS = {"○": "yes", "△": "maybe", "×": "no"}
NEXT: dict[str, str] = {
    PlanState.CONSENT_ASKED: "計画をつくることへの同意を確かめています。"
    "同意を記録してから、「作成を始める」をおしてください。",
    PlanState.CONSENTED: "同意がとれました。作成を受け持つ人を決めます。",
    PlanState.ASSIGNED: "作成を受け持つ人が決まりました。"
    "その人が「作成を始める」をおすと、書けるようになります。",
    PlanState.DRAFT: "下書きです。7つの手順を書いて、提出してください。",
    PlanState.SUBMITTED: "提出ずみです。書いた人とは別の人が、内容を見て承認します。",
    PlanState.RETURNED: "差し戻されました。理由を見て、直してから、もう一度 提出してください。",
    PlanState.APPROVED: "承認ずみです。この版は もう変わりません。直すときは新しい版をつくります。",
    PlanState.SHARED: "承認ずみで、同意した提供先に渡しました。直すときは新しい版をつくります。",
    PlanState.REVIEW_DUE: "見直しの時期です。新しい版をつくって、ようすを確かめてください。",
    PlanState.WITHDRAWN: "取り下げられた計画です。",
}


def reasons(found: tuple[tuple[str, str, str], ...]) -> list[dict[str, str]]:
    """○△× as ``components/reasons.html`` draws them."""
    return [{"sign": SIGNS.get(mark, "maybe"), "text": text} for mark, _, text in found]


def frame(scope: Scope, hub: PlanHub, current: int = 0) -> dict[str, Any]:
    """``plan``, ``steps``, ``done_count``, ``summary`` and the addresses of every plan page."""
    person = hub.person
    return {
        "plan": {
            "id": hub.plan_id,
            "person_name": person.name,
            "person_kana": person.kana,
            "state_label": hub.state_label,
            "state_kind": KINDS.get(hub.state, "caution"),
            "about_text": "　".join(
                filter(
                    None,
                    (
                        blocks.about(person.born_on, person.sex, scope.on),
                        f"名簿番号 {hub.roster_number}",
                        person.area_name or "",
                    ),
                )
            ),
        },
        "steps": [
            {
                "number": one.number,
                "label": one.label,
                "note": one.words,
                "state": "done" if one.state == "done" else "todo",
                "current": one.number == current,
                "url": reverse("office-plan-step", args=[hub.plan_id, one.number])
                if hub.may_write
                else None,
            }
            for one in hub.steps
        ],
        "done_count": hub.done_count,
        "summary": summary(scope, hub),
        "urls": {
            "hub": reverse("office-plan", args=[hub.plan_id]),
            "print": reverse("office-plan-sheet", args=[hub.plan_id]),
            "history": reverse("office-plan-history", args=[hub.plan_id]),
        },
    }


def summary(scope: Scope, hub: PlanHub) -> list[dict[str, Any]]:
    """What the sheet says so far, one row an item."""
    one, two, three, _, _, six, _ = (hub.values[n] for n in range(1, 8))
    person = hub.person
    rows: list[tuple[str, str]] = [
        ("対象の方", f"{person.name}（{person.kana}）\n{person.address}{person.building}"),
        ("必要な支援", _said(PlanStep.NEEDS, "needs", two)),
        ("配慮すること", two.get("care_note", "")),
        ("災害リスク", zone_words(three)),
        ("避難先", destinations_words(hub)),
    ]
    made: list[dict[str, Any]] = [
        {"label": label, "value": value or "まだ", "badges": []} for label, value in rows
    ]
    made.append(
        {
            "label": "避難支援をする人",
            "value": "" if hub.supporters else "まだ",
            "badges": [
                {
                    "label": f"{h.position} {h.name}：{h.state_label}",
                    "kind": "good" if h.agreed else "caution",
                }
                for h in hub.supporters
            ],
        }
    )
    for label, value in (
        ("緊急連絡先", _said(PlanStep.PERSON, "emergency_contacts", one)),
        ("逃げる合図", f"警戒レベル{six['trigger_level']}" if six.get("trigger_level") else ""),
        ("持ち物", "、".join(six.get("carry", []))),
    ):
        made.append(
            {"label": label, "value": "まだ" if value in ("", "（なし）") else value, "badges": []}
        )
    return made


def zone_words(home: dict[str, Any]) -> str:
    """The zones frozen into the plan, in words."""
    if not home.get("hazards_checked"):
        return ""
    return "\n".join(zone["label"] for zone in home.get("zones", [])) or "区域の外"


def destinations_words(hub: PlanHub) -> str:
    """「水害：鶴城小学校（北へ…、徒歩、約14分）」, a line each."""
    lines = []
    for one in hub.values[PlanStep.DESTINATION].get("destinations", []):
        way = "、".join(
            filter(
                None,
                (
                    one.get("route", "").rstrip("。"),
                    one.get("transport", "").rstrip("。"),
                    f"約{one['minutes']}分" if one.get("minutes") else "",
                ),
            )
        )
        lines.append(
            f"{PlanHazard(one['hazard']).label}：{one.get('place', '')}"
            + (f"（{way}）" if way else "")
        )
    return "\n".join(lines)


def answers(hub: PlanHub) -> list[dict[str, Any]]:
    """Every step as it was filled in, for checking and for the approver."""
    made = []
    for step in PlanStep:
        rows = [
            blocks.fact(field.label, words(field, hub.values[step].get(field.name)))
            for field in FIELDS[step]
            if field.shape is not Shape.DESTINATIONS
        ]
        if step is PlanStep.PERSON:
            rows.insert(
                0, blocks.fact("計画をつくることへの同意", blocks.day(hub.making_agreed_at))
            )
        if step is PlanStep.HOME:
            rows.append(blocks.fact("自宅の災害リスク", zone_words(hub.values[step])))
        if step is PlanStep.DESTINATION:
            rows.insert(0, blocks.fact("避難先", destinations_words(hub)))
        if step is PlanStep.SUPPORTERS:
            rows = [
                blocks.fact(
                    f"{h.position}番目", f"{h.name}（{h.relation}）{h.phone}　{h.state_label}"
                )
                for h in hub.supporters
            ] + (rows if not hub.supporters else [])
        made.append(
            {
                "title": f"{step.value}. {step.label}",
                "rows": rows,
                "number": step.value,
                "url": reverse("office-plan-step", args=[hub.plan_id, step.value])
                if hub.may_write
                else "",
            }
        )
    return made


def _said(step: PlanStep, name: str, values: dict[str, Any]) -> str:
    field = next(one for one in FIELDS[step] if one.name == name)
    said = words(field, values.get(name))
    return "" if said == "（なし）" else said


def acts(scope: Scope, hub: PlanHub) -> list[dict[str, Any]]:
    """The buttons of the hub: only what this visitor can do now."""
    found = []
    plan = hub.plan_id
    start = blocks.action(
        "作成を始める",
        reverse("office-plan-start", args=[hub.person.id]),
        kind="primary",
        method="post",
    )
    if hub.state == PlanState.CONSENT_ASKED:
        if scope.may(Permission.CONSENT_RECORD) and hub.making_agreed_at is None:
            found.append(
                blocks.action(
                    "同意を記録",
                    blocks.link("office-consent", hub.person.id, purpose_code="plan"),
                    kind="primary",
                )
            )
        if hub.making_agreed_at is not None and scope.may(Permission.PLAN_DRAFT):
            found.append(start)
    if "assign" in hub.acts:
        found.append(blocks.action("受け持ちを決める", reverse("office-plan-assign", args=[plan])))
    if hub.state == PlanState.ASSIGNED and "begin" in hub.acts:
        mine = hub.drafter_id in (None, scope.user_id)
        found += [start] if mine else []
    if hub.may_write:
        todo = next((one.number for one in hub.steps if one.state != "done"), 7)
        found.append(
            blocks.action(
                "つづきを書く", reverse("office-plan-step", args=[plan, todo]), kind="primary"
            )
        )
    if "approve" in hub.acts:
        found.append(
            blocks.action(
                "承認する",
                reverse("office-plan-approve", args=[plan]),
                kind="primary",
                method="post",
                version=hub.edit_version,
            )
        )
        found.append(
            blocks.action("差し戻す", reverse("office-plan-return", args=[plan]), kind="danger")
        )
    if "revise" in hub.acts:
        found.append(
            blocks.action("新しい版", reverse("office-plan-revise", args=[plan]), method="post")
        )
    return found
