"""Two records of one person: likely pairs, both side by side, one of them stays (P8).

Owns ``/council/duplicates`` and the compare page.  Refuses to unite by itself: staff choose
which record stays and say why; it cannot be taken back by a button (ADR 9).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import merging
from points.queries.statements import my_points
from points.queries.volunteers import last_seen
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from registry.operations import uniting
from registry.queries.areas import areas
from registry.queries.cards import cards_of
from registry.queries.devices import phones
from registry.queries.duplicates import WORDS, Pair, likely_pairs, signs_of
from registry.queries.organisations import membership_history, organisations
from registry.queries.volunteers import VolunteerFacts, volunteer_facts
from web.forms.unification import PairForm
from web.views import blocks
from web.views.base import Answer, Page, Reply, status_of
from web.views.office_page import keeps

LEAD = (
    "まとめると、参加の記録・ポイント・利用券・会員・スマホは、のこす記録に移ります。"
    "同じ開催回の記録は1つになります。前のカードも そのまま使えます（再発行すると両方止まります）。"
    "災害のときの支援者さがしの同意は、移しません。もとには もどせません。"
)


class Duplicates(Page):
    """``/council/duplicates``"""

    needs = {"get": Permission.VOLUNTEERS_MANAGE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        found = likely_pairs(scope)
        return Reply("web/office/detail.html", {
            "heading": "二重の登録のうたがい", "meta": f"{len(found)}組",
            "tables": [blocks.table(
                "似ている記録", ["氏名", "手帳番号", "もう一方の氏名", "手帳番号", "同じところ"],
                [_line(one) for one in found], "似ている記録は ありません。")],
            "note": "この一覧を開いた記録は残ります。", "back_url": reverse("council-volunteers"),
        })


class Compare(Page):
    """``/council/duplicates/<volunteer>?with=<other>``: compare, then decide."""

    needs = {"get": Permission.VOLUNTEERS_MANAGE, "post": Permission.VOLUNTEERS_MANAGE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope, volunteer_id: int) -> Answer:
        one, other = _pair(request, scope, volunteer_id)
        if one.merged_into or other.merged_into:
            return HttpResponseRedirect(reverse("council-volunteer", args=[
                one.merged_into or other.merged_into]))
        return _drawn(scope, one, other, None)

    def post(self, request: HttpRequest, scope: Scope, volunteer_id: int) -> Answer:
        one, other = _pair(request, scope, volunteer_id)
        form = _form(one, other, request)
        if not form.is_valid():
            return _drawn(scope, one, other, form, 422)
        action, reason = form.cleaned_data["action"], form.cleaned_data["reason"]
        if action == "distinct":
            uniting.say_distinct(one_id=one.id, other_id=other.id, reason=reason, by=scope)
            messages.success(request, "別の人として記録しました。つぎからは出しません。")
            return HttpResponseRedirect(reverse("council-duplicates"))
        kept, gone = (one, other) if action == "first" else (other, one)
        merging.merge(survivor_id=kept.id, merged_id=gone.id, reason=reason, by=scope)
        messages.success(request, f"手帳番号 {gone.number} の記録を、この記録にまとめました。")
        return HttpResponseRedirect(reverse("council-volunteer", args=[kept.id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        one, other = _pair(request, scope, path["volunteer_id"])
        form = keeps(_form(one, other, request), error)
        return _drawn(scope, one, other, form, status_of(error))


def _pair(
    request: HttpRequest, scope: Scope, one_id: int
) -> tuple[VolunteerFacts, VolunteerFacts]:
    other_id = blocks.whole_number(request, "with")
    found = volunteer_facts(scope, volunteer_ids={one_id, other_id}, action="volunteers.compare")
    if one_id == other_id or len(found) != 2:
        raise NotFound
    return found[one_id], found[other_id]


def _address(one: VolunteerFacts, other: VolunteerFacts) -> str:
    return reverse("council-compare", args=[one.id]) + f"?with={other.id}"


def _form(
    one: VolunteerFacts, other: VolunteerFacts, request: HttpRequest | None = None
) -> PairForm:
    names = {"first": f"手帳番号 {one.number}", "second": f"手帳番号 {other.number}"}
    return PairForm(request.POST, **names) if request else PairForm(**names)


def _drawn(
    scope: Scope, one: VolunteerFacts, other: VolunteerFacts, form: PairForm | None,
    status: int = 200,
) -> Reply:
    same = "、".join(signs_of(one, other))
    return Reply("web/office/detail.html", {
        "heading": "二つの記録を くらべる", "meta": f"同じところ：{same}" if same else "",
        "tables": [blocks.table(
            "二つの記録", ["", f"手帳番号 {one.number}", f"手帳番号 {other.number}"],
            _rows(scope, one, other))],
        "form": form or _form(one, other), "form_title": "確認して決める", "form_lead": LEAD,
        "form_action": _address(one, other),
        "form_submit": "決める", "back_url": reverse("council-duplicates"),
    }, status=status)


def _rows(scope: Scope, *two: VolunteerFacts) -> list[blocks.Block]:
    ids = [one.id for one in two]
    places = {one.id: one.name for one in areas(scope)}
    held = cards_of(scope, volunteer_ids=ids)
    groups: dict[int, list[int]] = {one: [] for one in ids}
    for member in membership_history(scope, volunteer_ids=ids):
        if member.ends_on is None or member.ends_on > scope.on:
            groups[member.volunteer_id].append(member.organisation_id)
    named = {one.id: one.name for one in organisations(
        scope, ids={pk for some in groups.values() for pk in some})}
    seen = last_seen(scope, volunteer_ids=ids)
    told = {
        "氏名": [one.name for one in two],
        "よみ": [one.kana for one in two],
        "生年月日": [blocks.day(one.born_on) for one in two],
        "町内会": [places.get(one.area_id or 0, "－") for one in two],
        "住所": [one.address or "－" for one in two],
        "電話": [one.phone or "－" for one in two],
        "登録した日": [blocks.day(one.registered_on) for one in two],
        "入っている団体": ["、".join(named[pk] for pk in groups[one.id]) or "－" for one in two],
        "カード": [f"あり（末尾 {held[one.id].tail}）" if one.id in held else "なし"
                   for one in two],
        "登録したスマホ": [f"{len(phones(scope, volunteer_id=one.id))}台" for one in two],
        "参加の記録": [f"{seen[one.id].count}回" for one in two],
        "さいごの参加": [blocks.day(seen[one.id].last_on) or "－" for one in two],
        "ポイント": ["、".join(
            f"{mine.short_name} {mine.balance}" + (f"（返還待ち {mine.owed}）" if mine.owed else "")
            for mine in my_points(scope, volunteer_id=one.id)) or "－" for one in two],
        "支援者さがしの同意": ["あり" if one.opted_in else "なし" for one in two],
    }
    return [blocks.row(word, *cells) for word, cells in told.items()]


def _line(one: Pair) -> blocks.Block:
    return blocks.row(
        one.first.name, one.first.number, one.second.name, one.second.number,
        "、".join(WORDS[sign] for sign in one.signs),
        url=_address(one.first, one.second),
    )
