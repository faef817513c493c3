"""What the city's pages share: the purpose of a look, and a form that keeps what was typed.

Owns ``OfficePage`` (the purpose code that the work itself gives; page sizes) and ``keeps``:
the errors of an operation beside the fields of a form.  Refuses to invent a field: a sentence
for an unknown name stands at the top of the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from registry import access
from registry.access import Scope
from registry.domain.errors import TsunagariError
from web.forms.purposes import purpose_label
from web.views.base import PURPOSE_FIELD, Answer, Page, Reply, status_of

PAGE = 50
F = TypeVar("F", bound=forms.Form)


class CityHelpPage(Page):
    """A page whose visitor calls the city's roster office, not the volunteers' desk."""

    def _drawn(
        self, request: HttpRequest, answer: Answer, frame: Mapping[str, Any]
    ) -> HttpResponseBase:
        return super()._drawn(request, answer, {**frame, "help_office": settings.ROSTER_OFFICE})


class OfficePage(CityHelpPage):
    """A page of the city's staff or of a care manager."""

    #: The purpose of every look on this page, unless the visitor named one (access log).
    work: ClassVar[str] = ""

    def _scope(
        self, request: HttpRequest, user: Any, at: datetime
    ) -> AbstractContextManager[Scope]:
        if user is None:
            return access.nobody(at=at)
        given = request.POST if request.method == "POST" else request.GET
        named = str(given.get(PURPOSE_FIELD, ""))
        return access.scope(user, at=at, purpose=named if purpose_label(named) else self.work)


def keeps(form: F, error: TsunagariError, names: Mapping[str, str] = MappingProxyType({})) -> F:
    """The bound form with the operation's sentences beside its fields.

    ``names`` maps the operation's field to the form's where they differ.
    """
    form.is_valid()
    placed = False
    for name, sentence in error.fields.items():
        target = names.get(name, name)
        if target in form.fields:
            form.add_error(target, sentence)
        else:
            form.add_error(None, sentence)
        placed = True
    if not placed:
        form.add_error(None, error.message)
    return form


def form_reply(
    form: forms.Form,
    *,
    heading: str,
    url: str,
    submit: str,
    back: str = "",
    status: int = 200,
    **more: Any,
) -> Reply:
    """``office/form.html`` with a form."""
    return Reply(
        "web/office/form.html",
        {
            "heading": heading,
            "form": form,
            "action": url,
            "submit_label": submit,
            "back_url": back,
            **more,
        },
        status=status,
    )


def form_again(form: forms.Form, error: TsunagariError, **more: Any) -> Reply:
    """The same with the operation's refusal, and its status."""
    return form_reply(keeps(form, error), status=status_of(error), **more)
