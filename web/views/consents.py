"""Recording an answer about sharing or planning, for one person.

Owns the page of the consent form.  Refuses nothing itself: R4 is judged by the operation, its
sentences stand beside the fields and everything typed stays.  R3, R4, R5.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from evacuation.operations import consents
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from registry.queries.people import person_lines
from web.forms.consents import FIELD_OF, ConsentForm
from web.forms.purposes import purpose_label
from web.views.base import PURPOSE_FIELD, Answer, Reply, status_of
from web.views.blocks import about, link
from web.views.office_page import OfficePage, keeps


class RecordConsent(OfficePage):
    """The consent form of one person."""

    needs = {"get": Permission.CONSENT_RECORD, "post": Permission.CONSENT_RECORD}
    section = "office-roster"
    work = "work.consent"

    def get(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        return _draw(request, scope, person_id, ConsentForm(initial={"answered_on": scope.on}))

    def post(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        form = ConsentForm(request.POST)
        if not form.is_valid():
            return _draw(request, scope, person_id, form, 422)
        consents.record(given=form.given(person_id=person_id, at=scope.at), by=scope)
        messages.success(request, "同意の記録を残しました。")
        return HttpResponseRedirect(_back(request, person_id))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 422:
            return None
        form = keeps(ConsentForm(request.POST), error, FIELD_OF)
        return _draw(request, scope, path["person_id"], form, 422)


def _draw(
    request: HttpRequest, scope: Scope, person_id: int, form: ConsentForm, status: int = 200
) -> Reply:
    found = person_lines(scope, person_ids=[person_id], action="consents.form")
    if person_id not in found:
        raise NotFound
    person = found[person_id]
    return Reply(
        "web/office/form.html",
        {
            "heading": f"{person.name}さんの同意の記録",
            "form": form,
            "sections": form.sections(),
            "meta": about(person.born_on, person.sex, scope.on),
            "lead": "答えは書きかえず、新しい答えを足していきます。最後の答えが有効です。",
            "action": link("office-consent", person_id, purpose_code=_purpose(request)),
            "submit_label": "記録する",
            "back_url": _back(request, person_id),
        },
        status=status,
    )


def _purpose(request: HttpRequest) -> str:
    """The purpose code of the person page that led here, if any."""
    code = request.GET.get("purpose_code", "") or request.GET.get(PURPOSE_FIELD, "")
    return code if purpose_label(code) else ""


def _back(request: HttpRequest, person_id: int) -> str:
    code = _purpose(request)
    if code:
        return link("office-person", person_id, purpose=code)
    return reverse("office-unanswered")
