"""The evacuation side of a person's page: roster, answers, plan and who received what.

Owns the sections and buttons that ``people.Person`` adds.  Refuses what the visitor's role may
not do: a button that would be refused is not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.urls import reverse

from evacuation.domain.consent import Answer, Means
from evacuation.domain.recipients import RecipientKind
from evacuation.queries import plans, roster
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.facts import PersonFacts
from web.views import blocks

ANSWERS = {Answer.AGREED: "同意する", Answer.REFUSED: "同意しない", Answer.WITHDRAWN: "撤回"}
MEANS = {Means.PAPER: "書面", Means.ORAL: "口頭", Means.ELECTRONIC: "電子"}


@dataclass
class Parts:
    """What is added to ``office/person.html``."""

    badges: list[blocks.Block] = field(default_factory=list)
    sections: list[blocks.Block] = field(default_factory=list)
    tables: list[blocks.Block] = field(default_factory=list)
    actions: list[blocks.Block] = field(default_factory=list)
    number: str = ""  # 名簿番号 of somebody listed


def evacuation_parts(scope: Scope, person: PersonFacts) -> Parts:
    """Everything the evacuation side knows of a visible person."""
    parts = Parts()
    if scope.may(Permission.ROSTER_VIEW):
        _roster(scope, person, parts)
    if scope.may(Permission.PLAN_VIEW):
        _plan(scope, person, parts)
    if scope.may(Permission.CONSENT_RECORD):
        parts.actions.append(
            blocks.action(
                "同意を記録", blocks.link("office-consent", person.id, purpose_code=scope.purpose)
            )
        )
    return parts


def _roster(scope: Scope, person: PersonFacts, parts: Parts) -> None:
    manage = scope.may(Permission.ROSTER_MANAGE)
    if manage:
        parts.actions.append(
            blocks.action("申出・職権", reverse("office-listing", args=[person.id]))
        )
    try:
        page = roster.roster_page(scope, person_id=person.id)
    except NotFound:
        parts.badges.append({"label": "名簿にのっていません", "kind": "soft"})
        return
    listed = page.state == "listed"
    parts.number = page.line.number if listed else ""
    parts.badges.append(
        {"label": "名簿登載" if listed else "名簿から除外", "kind": "good" if listed else "soft"}
    )
    parts.actions.append(blocks.action("どの名簿にのるか", reverse("office-why", args=[person.id])))
    f = blocks.fact
    parts.sections.append(
        {
            "title": "名簿",
            "note": "",
            "url": reverse("office-describe", args=[person.id]) if manage and listed else None,
            "rows": [
                f("名簿番号", page.line.number),
                f("平常時の提供", page.line.consent_label),
                f("該当した要件", "、".join(label for _, label in page.criteria)),
                f("手助けが必要なこと", "、".join(page.line.needs)),
                f("電源が必要な機器", "、".join(page.devices)),
                f("意思の伝え方", page.communication),
                f(
                    "緊急連絡先",
                    " ".join(
                        filter(None, (page.contact_name, page.contact_relation, page.contact_phone))
                    ),
                ),
                f("建物・寝室", page.bedroom),
                f(
                    "優先度",
                    f"{page.line.urgency_label}（{'、'.join(page.priority_reasons)}）"
                    if page.priority_reasons
                    else page.line.urgency_label,
                ),
                *(
                    [f("除外", f"{blocks.day(page.removed_at)} {page.removal_reason}")]
                    if not listed
                    else []
                ),
            ],
        }
    )
    parts.tables.append(
        {
            "caption": "同意の記録（新しい順）",
            "headers": [
                "何への同意か",
                "答え",
                "答えた日",
                "方法",
                "提供先",
                "版",
                "代理人",
                "記録した人",
            ],
            "rows": [
                [
                    one.purpose_label,
                    ANSWERS.get(Answer(one.answer), one.answer),
                    blocks.day(one.answered_at),
                    MEANS.get(Means(one.means), one.means),
                    _kinds(one.kinds),
                    one.form_version,
                    f"{one.proxy_name}（{one.proxy_relation}）" if one.proxy_name else "本人",
                    one.recorded_by,
                ]
                for one in page.answers
            ],
        }
    )


def _kinds(kinds: tuple[str, ...]) -> str:
    if len(kinds) == len(RecipientKind):
        return "すべて"
    return "、".join(RecipientKind(kind).label for kind in kinds) or "－"


def _plan(scope: Scope, person: PersonFacts, parts: Parts) -> None:
    plan_id = plans.plan_of(scope, person_id=person.id)
    if plan_id is None and parts.number:
        parts.actions.append(
            blocks.action(
                "計画を始める", reverse("office-plans"), method="post", q=parts.number
            )
        )
    if plan_id is not None:
        parts.actions.append(
            blocks.action("計画を開く", reverse("office-plan", args=[plan_id]), kind="primary")
        )
