"""The holder's roster on a phone: one card a person, the difference, a change to report.

Owns the pages of 民生委員 and 町内会.  Refuses nothing itself: the edition is judged anew at
every opening (``editions.my_roster``), each person shown is on record, nothing may be kept by
the browser, and the watermark says who looked and when (R5, R7, R8, R9, R12).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from evacuation.operations import corrections
from evacuation.queries import custody, editions
from evacuation.queries import roster as roster_queries
from evacuation.queries.editions import OfficeRoster, PersonCard
from evacuation.queries.sealed_rows import COMPARED, CardValues
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from web.forms.custody import CorrectionForm
from web.views.base import Answer, Reply, status_of
from web.views.blocks import link, moment, short_day, whole_number
from web.views.office_page import CityHelpPage, keeps

PRIORITY = {"最優先": "high", "優先 高": "high", "優先 中": "middle", "優先 低": "low"}
KEEP = "外に出さないでください。画面の写真をとらないでください。"


class Roster(CityHelpPage):
    """Everybody of one edition, or (``?show=changed``) what is different from the last one."""

    needs = {"get": Permission.EDITION_HOLD}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        copies = custody.my_copies(scope)
        found = editions.my_roster(scope)
        if not found:
            return Reply("web/roster/empty.html", {"tasks": _tasks(scope, copies)})
        wanted = whole_number(request, "office")
        shown = next((one for one in found if one.edition.office_id == wanted), found[0])
        context = _page(scope, shown, changed=request.GET.get("show") == "changed")
        context["tasks"] = _tasks(scope, copies)
        context["offices"] = (
            [
                {
                    "label": one.edition.office_name,
                    "current": one is shown,
                    "url": link("roster", office=one.edition.office_id),
                }
                for one in found
            ]
            if len(found) > 1
            else []
        )
        return Reply("web/roster/roster.html", context)


class ReportChange(CityHelpPage):
    """What changed with one person; it waits for the city (R12)."""

    needs = {"get": Permission.EDITION_HOLD, "post": Permission.EDITION_HOLD}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return _report(request, scope, CorrectionForm())

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = CorrectionForm(request.POST)
        if not form.is_valid():
            return _report(request, scope, form, 422)
        corrections.report(
            edition_row_id=whole_number(request, "person"),
            sentence=form.cleaned_data["sentence"],
            by=scope,
        )
        messages.success(request, "市へ知らせました。市が確かめてから、名簿に反映します。")
        return HttpResponseRedirect(reverse("roster-reports"))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 422:
            return None
        return _report(request, scope, keeps(CorrectionForm(request.POST), error), 422)


class Reports(CityHelpPage):
    """What this office has reported, and what the city made of it."""

    needs = {"get": Permission.EDITION_HOLD}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        found = roster_queries.corrections(scope, waiting_only=False)
        return Reply(
            "web/roster/reports.html",
            {
                "reports": [
                    {
                        "sentence": one.sentence,
                        "at_text": moment(one.reported_at),
                        "state": one.state_label,
                        "kind": _STATE.get(one.state, "soft"),
                        "note": one.note,
                        "decided_text": short_day(one.decided_at),
                    }
                    for one in reversed(found)
                ],
                "back_url": reverse("roster"),
            },
        )


_STATE = {"waiting": "caution", "accepted": "good", "declined": "soft"}


def _report(request: HttpRequest, scope: Scope, form: CorrectionForm, status: int = 200) -> Reply:
    row_id = whole_number(request, "person")
    if not row_id:
        raise NotFound
    card, _ = editions.card(scope, row_id=row_id)
    return Reply(
        "web/volunteer/form.html",
        {
            "question": f"{card.values.name} さんのことで、変わったこと",
            "form": form,
            "lead": "書いたことは、市が確かめてから名簿に反映します。",
            "action": link("roster-report", person=row_id),
            "submit_label": "知らせる",
            "back_url": reverse("roster"),
        },
        status=status,
    )


def _tasks(scope: Scope, copies: list[custody.CopyFact]) -> list[dict[str, str]]:
    """What the holder is asked to do, in the words of one line."""
    url = reverse("roster-copies")
    found = []
    if any(one.state == "issued" for one in copies):
        found.append("名簿を受けとったことを知らせる")
    if any(one.check_overdue for one in copies):
        found.append("名簿がいつもの場所にあるか確かめる")
    if any(one.state == "recalled" for one in copies):
        found.append("名簿を市へ返す")
    strikes = custody.strike_outs(scope)
    if strikes:
        found.append(f"冊子から消していただく方があります（{len(strikes)}名）")
    return [{"label": label, "url": url} for label in found]


def _page(scope: Scope, one: OfficeRoster, *, changed: bool) -> dict[str, Any]:
    edition, office = one.edition, one.edition.office_id
    context: dict[str, Any] = {
        "heading": f"わたしの担当 名簿（{len(one.cards)}人）",
        "edition": {
            "date_text": short_day(edition.as_of),
            "copy_text": f"版 {edition.number}",
            "keep_text": KEEP,
        },
        "counts": {"all": len(one.cards), "open": 0, "done": 0},
        "filter": "changed" if changed else "all",
        "urls": {
            "all": link("roster", office=office),
            "changed": link("roster", office=office, show="changed"),
        },
        "emergency": False,
        "change_url": reverse("roster-report"),
        "holder": {
            "office": one.watermark.holder,
            "name": "",
            "at_text": f"{moment(one.watermark.shown_at)}に表示",
        },
        "notice": one.watermark.notice,
        "left_out": one.left_out,
        "copies_url": reverse("roster-copies"),
        "reports_url": reverse("roster-reports"),
    }
    if not changed:
        marks = [card.mark for card in one.cards]
        context["people"] = [_person(card) for card in one.cards]
        if any(marks):
            context["difference_text"] = (
                f"前回から：新しい方{marks.count('新')}人・変わった方{marks.count('変')}人"
            )
        return context
    new = editions.difference(scope, edition_id=edition.id)
    context["removed"] = [gone.name for gone in new.removed]
    context["people"] = (
        [_person(card) for card in (*new.new, *new.changed)] if (new.previous_number) else []
    )
    context["difference_text"] = (
        f"前回から：新しい方{len(new.new)}人・変わった方{len(new.changed)}人・"
        f"いなくなった方{len(new.removed)}人"
        if new.previous_number
        else "はじめての名簿です。前回とくらべるものがありません。"
    )
    return context


def _person(card: PersonCard) -> dict[str, Any]:
    """The card of ``components/person_card.html``: only what the edition says (R8)."""
    values = card.values
    return {
        "id": card.row_id,
        "name": values.name,
        "kana": values.kana,
        "priority": PRIORITY.get(values.priority, "low"),
        "priority_label": values.priority,
        "address": _address(values),
        "about": "・".join(filter(None, (values.age, values.sex, values.household))),
        "needs": list(dict.fromkeys([*values.needs, *values.devices])),
        "communication": values.communication,
        "supporter": values.supporters or None,
        "destination": values.destination or None,
        "phones": _phones(values),
        "change": {"新": "new", "変": "changed"}.get(card.mark, ""),
        "change_text": "・".join(COMPARED.get(name, name) for name in card.changed),
        "safety": None,
    }


def _address(values: CardValues) -> str:
    return f"{values.address}（{values.whereabouts}）" if values.whereabouts else values.address


def _phones(values: CardValues) -> list[dict[str, str]]:
    found = [{"label": "本人", "href": _tel(values.phone)}] if values.phone else []
    for name, relation, phone in values.contacts:
        if phone:
            found.append({"label": relation or name, "href": _tel(phone)})
    return found


def _tel(phone: str) -> str:
    return "tel:" + "".join(c for c in phone if c.isdigit() or c == "+")
