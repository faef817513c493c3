"""The copies that a holder has: receipt, possession check, hand-over, destruction, loss.

Owns the pages under ``/roster/copies``.  Refuses nothing itself: every step is judged by
``domain.custody``; a copy of another office is not there (R5, R9).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from evacuation.operations import custody, losses, strikes
from evacuation.queries import custody as queries
from evacuation.queries import editions
from evacuation.queries.disclosing import KIND_OF
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.queries import offices
from web.forms.custody import HandOverForm, LossForm
from web.views.base import Answer, Reply, file_response, status_of
from web.views.blocks import day, moment, short_day
from web.views.office_page import CityHelpPage, keeps


class Copies(CityHelpPage):
    """Every copy in the hands of the offices held today, with what is to be done."""

    needs = {"get": Permission.EDITION_HOLD}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        strikes_by: dict[int, list[queries.StrikeOutFact]] = {}
        for one in queries.strike_outs(scope):
            strikes_by.setdefault(one.copy_id, []).append(one)
        made = {one.id: one for one in editions.editions(scope)}
        return Reply(
            "web/roster/copies.html",
            {
                "copies": [
                    _copy(one, strikes_by.get(one.id, []), made.get(one.edition_id))
                    for one in queries.my_copies(scope)
                ],
                "back_url": reverse("roster"),
            },
        )


class Receive(CityHelpPage):
    """The holder has the copy and knows the duty of confidence: one button, one record."""

    needs = {"post": Permission.EDITION_HOLD}

    def post(self, request: HttpRequest, scope: Scope, copy_id: int) -> Answer:
        custody.acknowledge_receipt(copy_id=copy_id, by=scope)
        messages.success(request, "受けとりを記録しました。")
        return HttpResponseRedirect(reverse("roster-copies"))


class Check(CityHelpPage):
    """The copy was seen in its place (所在確認)."""

    needs = {"post": Permission.EDITION_HOLD}

    def post(self, request: HttpRequest, scope: Scope, copy_id: int) -> Answer:
        custody.check_possession(copy_id=copy_id, by=scope)
        messages.success(request, "保管の確認を記録しました。")
        return HttpResponseRedirect(reverse("roster-copies"))


class Strike(CityHelpPage):
    """The holder has struck somebody out of the booklet (R5)."""

    needs = {"post": Permission.EDITION_HOLD}

    def post(self, request: HttpRequest, scope: Scope, strike_id: int) -> Answer:
        strikes.confirm(strike_out_id=strike_id, by=scope)
        messages.success(request, "消したことを記録しました。ありがとうございました。")
        return HttpResponseRedirect(reverse("roster-copies"))


class FormPage(CityHelpPage):
    """A page with one form about one copy; errors keep what was typed."""

    needs = {"get": Permission.EDITION_HOLD, "post": Permission.EDITION_HOLD}

    def form(self, request: HttpRequest, scope: Scope, copy: queries.CopyFact, bound: bool) -> Any:
        raise NotImplementedError

    def words(self, copy: queries.CopyFact) -> dict[str, str]:
        raise NotImplementedError

    def act(self, request: HttpRequest, scope: Scope, copy_id: int, data: dict[str, Any]) -> str:
        raise NotImplementedError

    def get(self, request: HttpRequest, scope: Scope, copy_id: int) -> Answer:
        copy = queries.copy_fact(scope, copy_id=copy_id)
        return self._drawn_form(copy, self.form(request, scope, copy, False))

    def post(self, request: HttpRequest, scope: Scope, copy_id: int) -> Answer:
        copy = queries.copy_fact(scope, copy_id=copy_id)
        form = self.form(request, scope, copy, True)
        if not form.is_valid():
            return self._drawn_form(copy, form, 422)
        messages.success(request, self.act(request, scope, copy_id, form.cleaned_data))
        return HttpResponseRedirect(reverse("roster-copies"))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 422:
            return None
        copy = queries.copy_fact(scope, copy_id=path["copy_id"])
        return self._drawn_form(copy, keeps(self.form(request, scope, copy, True), error), 422)

    def _drawn_form(self, copy: queries.CopyFact, form: Any, status: int = 200) -> Reply:
        return Reply(
            "web/volunteer/form.html",
            {
                "form": form,
                "back_url": reverse("roster-copies"),
                **self.words(copy),
            },
            status=status,
        )


class Lost(FormPage):
    """One minute of input; the city follows up at once."""

    def form(self, request: HttpRequest, scope: Scope, copy: queries.CopyFact, bound: bool) -> Any:
        return LossForm(request.POST) if bound else LossForm(initial={"discovered_on": scope.on})

    def words(self, copy: queries.CopyFact) -> dict[str, str]:
        return {
            "question": f"なくした名簿（副本 {copy.number}）を 知らせる",
            "lead": "まず、下の電話で市へ知らせてください。書いたことは、すぐ市に届きます。",
            "action": reverse("roster-copy-lost", args=[copy.id]),
            "submit_label": "届け出る",
        }

    def act(self, request: HttpRequest, scope: Scope, copy_id: int, data: dict[str, Any]) -> str:
        losses.report_loss(copy_id=copy_id, by=scope, **data)
        return "紛失を市へ届けました。市から電話します。"


class HandOver(FormPage):
    """Pass the copy on to the successor or another office of the same area."""

    def form(self, request: HttpRequest, scope: Scope, copy: queries.CopyFact, bound: bool) -> Any:
        choices = _successors(scope, copy)
        return (
            HandOverForm(request.POST, choices=choices) if bound else HandOverForm(choices=choices)
        )

    def words(self, copy: queries.CopyFact) -> dict[str, str]:
        return {
            "question": f"副本 {copy.number} を 引き継ぐ",
            "lead": "名簿を手わたしてから記録します。"
            "相手が受けとりを知らせると、引き継ぎが終わります。",
            "action": reverse("roster-copy-hand-over", args=[copy.id]),
            "submit_label": "引き継ぐ",
        }

    def act(self, request: HttpRequest, scope: Scope, copy_id: int, data: dict[str, Any]) -> str:
        kind, _, number = str(data["to"]).partition(":")
        if kind == "user":
            custody.hand_over(copy_id=copy_id, to_user_id=int(number), by=scope)
        else:
            custody.hand_over(copy_id=copy_id, to_office_id=int(number), by=scope)
        return "引き継ぎを記録しました。"


class CopyFile(CityHelpPage):
    """The spreadsheet of a file copy, or the difference sheet; each download is on record."""

    needs = {"get": Permission.EDITION_HOLD}

    def get(self, request: HttpRequest, scope: Scope, edition_id: int, file: str) -> HttpResponse:
        found = editions.edition_file(scope, edition_id=edition_id, file=file)
        return file_response(found.body, name=found.name, kind=found.content_type)


def _successors(scope: Scope, copy: queries.CopyFact) -> list[tuple[str, str]]:
    """Whoever holds the office besides the visitor, then other offices of the same areas."""
    now = offices.holders(scope, office_ids=[copy.office_id]).get(copy.office_id, [])
    found = [
        (f"user:{one.user_id}", f"{one.display_name}（{copy.office_name}）")
        for one in now
        if one.user_id != scope.user_id
    ]
    own = next(iter(offices.offices(scope, ids=[copy.office_id])), None)
    areas = {one.area_id for one in own.areas} if own else set()
    for role in KIND_OF:
        for seat in offices.offices(scope, role=role):
            if seat.id != copy.office_id and areas & {one.area_id for one in seat.areas}:
                found.append((f"office:{seat.id}", f"{seat.name}（{seat.organisation_name}）"))
    return found


def _copy(
    one: queries.CopyFact,
    open_strikes: list[queries.StrikeOutFact],
    edition: editions.EditionFact | None,
) -> dict[str, Any]:
    kinds = {"issued": "caution", "received": "good", "recalled": "bad"}
    return {
        "number": one.number,
        "medium": one.medium_label,
        "office": one.office_name,
        "state": one.state_label,
        "kind": kinds.get(one.state, "soft"),
        "people": one.people,
        "since": short_day(one.state_at),
        "check": day(one.next_check_on),
        "check_due": one.check_overdue,
        "recalled": one.state == "recalled",
        "receive_url": reverse("roster-copy-receive", args=[one.id])
        if one.state == "issued"
        else "",
        "check_url": reverse("roster-copy-check", args=[one.id])
        if one.state in ("received", "recalled")
        else "",
        "hand_over_url": reverse("roster-copy-hand-over", args=[one.id])
        if one.state == "received"
        else "",
        "lost_url": reverse("roster-copy-lost", args=[one.id]),
        "file_url": reverse("roster-file", args=[one.edition_id, "xlsx"])
        if one.medium == "file" and one.state == "received"
        else "",
        "difference_url": reverse("roster-file", args=[one.edition_id, "difference"])
        if edition
        and edition.has_difference
        and one.medium == "paper"
        and one.state in ("issued", "received")
        else "",
        "strikes": [
            {
                "name": each.name,
                "sentence": each.sentence,
                "made": moment(each.made_at),
                "url": reverse("roster-strike", args=[each.id]),
            }
            for each in open_strikes
        ],
    }
