"""Finding a person and the person's page, for the city's staff and care managers.

Owns the search and the page that says everything staff may know of one person.  Refuses to
open anybody outside a work queue without a purpose code: the access log carries it
(trust.md, "Data").  Not visible reads like not there.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from evacuation.domain.facts import CareLevel
from registry.access import Scope
from registry.domain.calendar import format_date
from registry.domain.roles import Permission
from registry.queries.facts import PersonFacts, PersonLine
from registry.queries.people import person_page, search_people
from web.forms.purposes import PurposeForm, purpose_label
from web.views import blocks
from web.views.base import Answer, Reply
from web.views.office_page import PAGE, OfficePage
from web.views.people_evacuation import evacuation_parts


class People(OfficePage):
    """Search by name, reading or 宛名番号; every person shown is on record."""

    needs = {"get": Permission.PEOPLE_VIEW, "post": Permission.PEOPLE_VIEW}
    section = "office-people"
    work = "work.search"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._found(scope, "", None)

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        """A search changes nothing; it is posted so that no name stands in an address."""
        text = request.POST.get("q", "").strip()[:60]
        return self._found(scope, text, request.POST.get("after") or None)

    @staticmethod
    def _found(scope: Scope, text: str, cursor: str | None) -> Reply:
        page = (
            search_people(scope, text=text, cursor=cursor, limit=PAGE)
            if text
            else None
        )
        items = page.items if page else ()
        return Reply(
            "web/office/people.html",
            {
                "heading": "人をさがす",
                "q": text,
                "action": reverse("office-people"),
                "caption": f"「{text}」の検索結果",
                "headers": ["氏名", "よみ", "生年月日", "住所", "町内会・班", "注意"],
                "rows": [_line(one, scope) for one in items],
                "next_page": blocks.action(
                    "つぎの一覧", reverse("office-people"), method="post", q=text, after=page.next
                )
                if page and page.next
                else None,
                "searched": page is not None,
            },
        )


class Person(OfficePage):
    """One person; asks for the purpose first."""

    needs = {"get": Permission.PEOPLE_VIEW}
    section = "office-people"

    def get(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        if not purpose_label(scope.purpose):
            return _ask(request, person_id)
        person = person_page(scope, person_id=person_id, action="office.person")
        return Reply("web/office/person.html", _page(scope, person))


def _ask(request: HttpRequest, person_id: int) -> Reply:
    form = PurposeForm(request.GET) if "purpose" in request.GET else PurposeForm()
    return Reply(
        "web/office/purpose.html",
        {
            "heading": "開く目的を えらんでください",
            "form": form,
            "action": reverse("office-person", args=[person_id]),
            "back_url": reverse("office-people"),
        },
        status=422 if form.is_bound else 200,
    )


def _line(one: PersonLine, scope: Scope) -> blocks.Block:
    protected = one.protected_until is not None and one.protected_until >= scope.on
    return blocks.row(
        one.name,
        one.kana,
        blocks.day(one.born_on),
        f"{one.address}{one.building}",
        f"{one.area_name or ''}{_section(one.section)}",
        blocks.cell("支援措置", "bad") if protected else "",
        url=reverse("office-person", args=[one.id]),
    )


def _section(section: str) -> str:
    return f"　{section}班" if section else ""


def _page(scope: Scope, person: PersonFacts) -> dict[str, Any]:
    protected = person.protected_on(scope.on)
    parts = evacuation_parts(scope, person)
    badges = [{"label": "転出・死亡", "kind": "soft"}] if person.gone_on(scope.on) else []
    return {
        "person": {
            "name": person.name,
            "kana": person.kana,
            "badges": badges + parts.badges,
            "about_text": blocks.about(person.born_on, person.sex, scope.on),
        },
        "sections": [*_sections(scope, person), *parts.sections],
        "tables": parts.tables,
        "actions": parts.actions,
        "protected": protected,
        "purpose_text": f"開いた目的：{purpose_label(scope.purpose)}（記録しました）",
    }


def _sections(scope: Scope, person: PersonFacts) -> list[dict[str, Any]]:
    f = blocks.fact
    living = [
        f("住所", f"{person.address}{person.building}"),
        f("町内会・班", f"{person.area_name or ''}{_section(person.section)}"),
        f("電話", person.phone),
        f("世帯の人数", f"{len(person.household_births)}人"),
        f("宛名番号", person.number),
    ]
    dates = [
        (person.moved_in_on, "転入"),
        (person.moved_out_on, "転出"),
        (person.died_on, "死亡"),
        (person.facility_since, "施設入所"),
        (person.protected_until, "支援措置の期限"),
    ]
    living += [f(word, format_date(on)) for on, word in dates if on is not None]
    state = [
        f("要介護度", _care(person.care_level)),
        f("身体障害者手帳", f"{person.physical_grade}級" if person.physical_grade else ""),
        f("療育手帳", person.intellectual_label),
        f("精神障害者保健福祉手帳", f"{person.mental_grade}級" if person.mental_grade else ""),
        f("指定難病", "あり" if person.intractable_disease else ""),
    ]
    return [
        {"title": "住まい・連絡先", "rows": living, "url": None, "note": ""},
        {
            "title": "介護・手帳",
            "rows": state,
            "url": None,
            "note": "市の中だけで使います。名簿の提供先には出しません。",
        },
    ]


def _care(level: str) -> str:
    return CareLevel(level).label if level in set(CareLevel) else level
