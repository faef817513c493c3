"""What each step of a plan shows beside its inputs: facts, shelters, map, supporters, gaps.

Owns the context of the step templates.  Refuses to rank or judge: options, reasons and maps
come from the queries, in their order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.urls import reverse

from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.operations.plan_saving import StepConflict
from evacuation.queries import hazards, maps, plan_choices, supporters
from evacuation.queries.plans import PlanHub
from registry.access import Scope
from registry.domain.roles import Permission
from web.forms.plan_steps import StepForm
from web.views import blocks, plan_words
from web.views.base import Reply

LEADS = {
    PlanStep.PERSON: "名簿にある内容です。違うところは、名簿か台帳で直します。",
    PlanStep.NEEDS: "本人か家族に聞いて選びます。病名は書きません。",
    PlanStep.HOME: "どこで、どんな災害に あいやすいかを確かめます。",
    PlanStep.DESTINATION: "災害ごとに避難先を選びます。順番は自動の目安です。"
    "選んだ理由が計画に残ります。",
    PlanStep.SUPPORTERS: "候補は、近さ・できること・ほかの受け持ちから並べた目安です。"
    "決めるのは職員と本人です。",
    PlanStep.SIGNAL: "いつ逃げ始めるかと、持っていくものを決めます。",
    PlanStep.SUBMIT: "書いたことを本人か家族に読んで、確かめてから提出します。",
}
SHOWN = 5  # options before 「ほかの避難所」
STATE_KIND = {"assigned": "soft", "asked": "caution", "consented": "good", "declined": "bad"}


def hazard_of(text: str, hub: PlanHub | None = None) -> PlanHazard:
    """The hazard asked for; by default the first at home without a destination, else 水害."""
    for one in PlanHazard:
        if one.value == text:
            return one
    if hub is not None:
        have = {one["hazard"] for one in hub.values[4].get("destinations", [])}
        for one in _at_home(hub):
            if one.value not in have:
                return one
    return PlanHazard.FLOOD


def draw(
    scope: Scope,
    hub: PlanHub,
    step: PlanStep,
    form: forms.Form,
    *,
    hazard: PlanHazard,
    status: int = 200,
    conflict: StepConflict | None = None,
    chosen: str = "",
) -> Reply:
    """The page of a step with a fresh or bound form."""
    here = reverse("office-plan-step", args=[hub.plan_id, step.value])
    frame = plan_words.frame(scope, hub, step.value)
    before = step.value - 1
    frame["urls"]["previous"] = (
        reverse("office-plan-step", args=[hub.plan_id, before]) if before else None
    )
    after = PlanStep(step.value + 1).label if step is not PlanStep.SUBMIT else ""
    context = {
        **frame,
        "step": {"number": step.value, "title": step.label, "lead": LEADS[step]},
        "action": here,
        "form": form,
        "version": conflict.version if conflict else hub.edit_version,
        "conflict": _conflict(conflict) if conflict else None,
        "saved_text": f"{blocks.moment(hub.saved_at)} 保存" if hub.saved_at else "",
        "autosave_url": reverse("office-plan-autosave", args=[hub.plan_id, step.value]),
        "next_label": f"次へ（{after}）",
        **_PAGES[step](scope, hub, form, hazard, chosen),
    }
    template = {
        PlanStep.DESTINATION: "destination",
        PlanStep.SUPPORTERS: "supporters",
        PlanStep.SUBMIT: "check",
    }.get(step, "form")
    return Reply(f"web/plan/step_{template}.html", context, status=status)


def _conflict(error: StepConflict) -> dict[str, Any]:
    return {
        "by": f"{error.by_name}さん",
        "at_text": blocks.moment(datetime.fromisoformat(error.at)),
        "fields": [
            {"name": one.name, "label": one.label, "mine": one.mine, "theirs": one.theirs}
            for one in error.differences
        ],
    }


def _sections(form: forms.Form) -> list[dict[str, Any]]:
    return form.sections() if isinstance(form, StepForm) else []


def _person(
    scope: Scope, hub: PlanHub, form: forms.Form, hazard: PlanHazard, chosen: str
) -> dict[str, Any]:
    f, person = blocks.fact, hub.person
    notice = (
        ""
        if hub.making_agreed_at
        else (
            "計画をつくることへの同意が まだ ありません。提出するまでに、同意を記録してください。"
        )
    )
    return {
        "sections": _sections(form),
        "notice": notice,
        "facts": [
            f("氏名", f"{person.name}（{person.kana}）"),
            f("生年月日・性別", blocks.about(person.born_on, person.sex, scope.on)),
            f("住所", f"{person.address}{person.building}"),
            f(
                "町内会・班",
                " ".join(
                    filter(None, (person.area_name or "", person.section and f"{person.section}班"))
                ),
            ),
            f("作成の同意", blocks.day(hub.making_agreed_at)),
        ],
    }


def _plain(
    scope: Scope, hub: PlanHub, form: forms.Form, hazard: PlanHazard, chosen: str
) -> dict[str, Any]:
    return {"sections": _sections(form), "facts": [], "notice": ""}


def _home(
    scope: Scope, hub: PlanHub, form: forms.Form, hazard: PlanHazard, chosen: str
) -> dict[str, Any]:
    person = hub.person
    if person.longitude is None or person.latitude is None:
        said = "住まいの位置が分かりません。先に地図で位置を確かめてください。"
    else:
        zones = hazards.zones_at(
            scope,
            longitude=person.longitude,
            latitude=person.latitude,
            uncertainty_m=float(person.location_uncertainty_m),
        )
        said = "\n".join(zone.label for zone in zones) or (
            "区域の外"
            if hazards.datasets(scope)
            else "災害区域の地図が まだ 取りこまれていません。"
        )
    return {
        "sections": _sections(form),
        "notice": "",
        "facts": [
            blocks.fact("住所", f"{person.address}{person.building}"),
            blocks.fact("地図で見た災害リスク", said),
            blocks.fact(
                "位置の誤差",
                f"±{person.location_uncertainty_m}m" if person.location_uncertainty_m else "小さい",
            ),
        ],
    }


def _at_home(hub: PlanHub) -> list[PlanHazard]:
    zones = hub.values[PlanStep.HOME].get("zones", [])
    return [one for one in PlanHazard if one.value in {zone["hazard"] for zone in zones}]


def _destination(
    scope: Scope, hub: PlanHub, form: forms.Form, hazard: PlanHazard, chosen: str
) -> dict[str, Any]:
    found = plan_choices.destinations(scope, plan_id=hub.plan_id, hazard=hazard.value)
    options = [_option(one, chosen) for one in found]
    have = {one["hazard"] for one in hub.values[4].get("destinations", [])}
    needed = set(_at_home(hub))
    shown = maps.plan_map(scope, plan_id=hub.plan_id, options=found, hazard=hazard.value)
    here = reverse("office-plan-step", args=[hub.plan_id, 4])
    near = [one for at, one in enumerate(options) if at < SHOWN or one["checked"]]
    return {
        "hazards": [
            {
                "label": one.label,
                "url": f"{here}?hazard={one.value}",
                "current": one is hazard,
                "badge": {
                    "label": "決定ずみ"
                    if one.value in have
                    else "必要"
                    if one in needed
                    else "任意"
                },
            }
            for one in PlanHazard
        ],
        "hazard_label": hazard.label,
        "hazard_value": hazard.value,
        "field_name": "destination",
        "required": hazard in needed or not have,
        "options": near,
        "more": [one for one in options if one not in near],
        "error": "",
        "map": {
            "data": shown.data,
            "text": shown.text,
            "source": shown.source,
            "layers": [
                {
                    "id": layer.id,
                    "label": layer.label,
                    "checked": layer.checked,
                    "pattern": layer.pattern,
                }
                for layer in shown.layers
            ],
        },
    }


def _option(one: plan_choices.DestinationOption, chosen: str) -> dict[str, Any]:
    left = "枠は未確認" if one.capacity is None else f"残り {one.left}／{one.capacity}人"
    return {
        "id": one.shelter_id,
        "rank": one.rank,
        "name": one.name,
        "kind_label": one.kind_label,
        "taken": one.taken,
        "capacity": one.capacity,
        "left_text": left + ("（見本）" if one.capacity_is_sample else ""),
        "reasons": plan_words.reasons(one.reasons),
        "refused": one.refused,
        "checked": str(one.shelter_id) == chosen if chosen else one.checked,
    }


def _supporters(
    scope: Scope, hub: PlanHub, form: forms.Form, hazard: PlanHazard, chosen: str
) -> dict[str, Any]:
    may = scope.may(Permission.SUPPORTERS_PROPOSE)
    found = supporters.candidates(scope, person_id=hub.person.id) if may else []
    by_id = {one.supporter.id: one for one in found}
    run = supporters.latest_run(scope) if may else None
    gap = (
        next(iter(supporters.gaps(scope, run_id=run.id, person_ids=[hub.person.id])), None)
        if (run is not None)
        else None
    )
    free = [one for one in found if not one.state]
    ideas = [one for one in free if one.proposed]
    others = [one for one in free if not one.proposed]
    unmet = None
    if gap is not None and len(hub.supporters) + len(ideas) < 2:
        shared = f"枠を分け合う方：{'、'.join(gap.people)}" if gap.people else ""
        unmet = {"text": f"いまの案では：{gap.words}", "people_text": shared}
    elif may and run is None:
        unmet = {
            "text": "支援者の案は、まだ作っていません。近くの方から並べています。",
            "people_text": "",
        }
    return {
        "named": [_named(helper, by_id.get(helper.supporter_id), may) for helper in hub.supporters],
        "candidates": [_candidate(one) for one in (*ideas, *others)],
        "can_assign": may,
        "wanted_text": "2人以上をおすすめします",
        "unmet": unmet,
        "neighbours": _neighbours(others, gap, {one.name for one in hub.supporters})
        if unmet
        else [],
        "field_name": "supporters",
        "search_url": reverse("office-plan-supporters", args=[hub.plan_id]) if may else "",
        "notice": ""
        if hub.making_agreed_at
        else "本人が計画づくりに同意するまで、候補の方へは連絡できません。",
    }


def _named(helper: Any, candidate: supporters.Candidate | None, may: bool) -> dict[str, Any]:
    target = helper.assignment_id
    acts = []
    if may:
        if helper.state == "assigned":
            acts.append({"value": f"ask:{target}", "label": "お願いした", "kind": "secondary"})
        if helper.state in ("assigned", "asked"):
            acts += [
                {"value": f"yes:{target}", "label": "引き受けた", "kind": "good"},
                {"value": f"no:{target}", "label": "ことわった", "kind": ""},
            ]
        acts.append({"value": f"end:{target}", "label": "外す", "kind": "danger"})
    return {
        "id": helper.supporter_id,
        "order": helper.position,
        "name": helper.name,
        "about": "・".join(filter(None, (helper.relation, helper.role, helper.hours))),
        "phone": helper.phone,
        "acts": acts,
        "state": {"label": helper.state_label, "kind": STATE_KIND.get(helper.state, "soft")},
        "reasons": plan_words.reasons(candidate.reasons) if candidate else [],
    }


KINDS = {"volunteer": "ボランティア", "organisation": "団体", "person": "知人・家族"}


def _candidate(one: supporters.Candidate) -> dict[str, Any]:
    line = one.supporter
    return {
        "id": line.id,
        "name": line.name,
        "about": KINDS.get(line.kind, ""),
        "group": "　".join(filter(None, (line.area_name, line.hours))),
        "checked": False,
        "load_text": f"受け持ち {line.load}人（{line.capacity}人まで）",
        "reasons": plan_words.reasons(one.reasons),
        "proposal_id": one.proposal_id,
    }


def _neighbours(
    others: list[supporters.Candidate], gap: supporters.GapFact | None, named: set[str]
) -> list[dict[str, str]]:
    """The three nearest to ask next: those in reach, then those whose places are shared."""
    near = [
        {"name": one.supporter.name, "about": next((text for _, _, text in one.reasons), "")}
        for one in others
    ]
    shared = [
        {"name": name, "about": "受け持ちがいっぱいです。もう1人頼めるか聞きます。"}
        for name in (gap.supporters if gap else ())
        if name not in {one["name"] for one in near} | named
    ]
    return (near + shared)[:3]


def _check(
    scope: Scope, hub: PlanHub, form: forms.Form, hazard: PlanHazard, chosen: str
) -> dict[str, Any]:
    gaps = [gap for gap in hub.gaps if gap.step is not PlanStep.SUBMIT]
    parts = [part for part in plan_words.answers(hub) if part["number"] != PlanStep.SUBMIT]
    return {
        "answers": parts,
        "sections": _sections(form),
        "missing": [
            {
                "text": f"{gap.step.value}. {gap.message}",
                "url": reverse("office-plan-step", args=[hub.plan_id, gap.step.value]),
            }
            for gap in gaps
        ],
        "can_submit": not gaps,
        "approver_text": "提出すると、書いた人とは別の承認者が内容を見て、承認するか差し戻します。",
    }


_PAGES = {
    PlanStep.PERSON: _person,
    PlanStep.NEEDS: _plain,
    PlanStep.HOME: _home,
    PlanStep.DESTINATION: _destination,
    PlanStep.SUPPORTERS: _supporters,
    PlanStep.SIGNAL: _plain,
    PlanStep.SUBMIT: _check,
}
