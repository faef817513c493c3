"""The seven saved steps of a plan, and their autosave.

Owns reading the inputs of a step, saving them, and drawing the step again with what was typed
when the operation refuses: a gap beside its input, a conflict with both sides to choose from
(screens.md, "Forms").  What each step shows beside its inputs is ``plan_step_pages``.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.operations import assignments, matching, plan_saving, plans
from evacuation.operations.plan_saving import StepConflict
from evacuation.queries import plans as queries
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from web.forms.plan_steps import DestinationForm, StepForm, initial, kept_parts, place
from web.views.base import Answer, status_of
from web.views.blocks import clock
from web.views.plan_step_pages import draw, hazard_of
from web.views.plans import PlanPage

#: Named in a conflict: the posted choice 「相手」 leaves the field as it is stored.
KEEP = "keep_"


def step_of(number: int) -> PlanStep:
    """The step.  Raises ``NotFound``."""
    if number not in set(PlanStep):
        raise NotFound
    return PlanStep(number)


def bound(request: HttpRequest, step: PlanStep) -> forms.Form:
    """The posted form of a step."""
    if step is PlanStep.DESTINATION:
        return DestinationForm(hazard_of(request.POST.get("hazard", "")), request.POST)
    return StepForm(step, request.POST)


def fresh(step: PlanStep, hub: queries.PlanHub, hazard: PlanHazard) -> forms.Form:
    """The form with what is stored."""
    stored = hub.values[step]
    if step is not PlanStep.DESTINATION:
        return StepForm(step, initial=initial(step, stored))
    mine: dict[str, Any] = next(
        (one for one in stored.get("destinations", []) if one["hazard"] == hazard.value), {}
    )
    return DestinationForm(hazard, initial={**initial(step, stored), **mine})


def values(request: HttpRequest, step: PlanStep, form: Any, hub: queries.PlanHub) -> dict[str, Any]:
    """What the operation gets; fields that a conflict left to the other side are not sent."""
    if step is PlanStep.DESTINATION:
        chosen = request.POST.get("destination", "")
        others = [
            kept_parts(one)
            for one in hub.values[step].get("destinations", [])
            if one["hazard"] != form.hazard.value
        ]
        sent: dict[str, Any] = form.values(int(chosen) if chosen.isdigit() else None, others)
    else:
        sent = form.values()
    return {
        name: value for name, value in sent.items() if request.POST.get(KEEP + name) != "theirs"
    }


class Step(PlanPage):
    """One step: look, write, save."""

    needs = {"get": Permission.PLAN_VIEW, "post": Permission.PLAN_DRAFT}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int, number: int) -> Answer:
        step = step_of(number)
        hub = queries.hub(scope, plan_id=plan_id, action="plans.step")
        if not hub.may_write:
            return HttpResponseRedirect(reverse("office-plan", args=[plan_id]))
        hazard = hazard_of(request.GET.get("hazard", ""), hub)
        return draw(scope, hub, step, fresh(step, hub, hazard), hazard=hazard)

    def post(self, request: HttpRequest, scope: Scope, plan_id: int, number: int) -> Answer:
        step = step_of(number)
        hub = queries.hub(scope, plan_id=plan_id, action="plans.step")
        form: Any = bound(request, step)
        if not form.is_valid():
            return draw(
                scope,
                hub,
                step,
                form,
                status=422,
                hazard=hazard_of(request.POST.get("hazard", ""), hub),
            )
        saved = plan_saving.save_step(
            plan_id=plan_id,
            step=number,
            values=values(request, step, form, hub),
            version=_version(request),
            by=scope,
        )
        here = reverse("office-plan-step", args=[plan_id, number])
        if step is PlanStep.SUPPORTERS and _supporters(request, scope, hub):
            return HttpResponseRedirect(here)
        return self._then(request, scope, plan_id, step, saved.edit_version)

    def _then(
        self, request: HttpRequest, scope: Scope, plan_id: int, step: PlanStep, version: int
    ) -> Answer:
        then = request.POST.get("then", "next")
        if then == "submit" and step is PlanStep.SUBMIT:
            plans.submit(plan_id=plan_id, version=version, by=scope)
        if then != "next" or step is PlanStep.SUBMIT:
            return HttpResponseRedirect(reverse("office-plan", args=[plan_id]))
        return HttpResponseRedirect(reverse("office-plan-step", args=[plan_id, step.value + 1]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        step = step_of(path["number"])
        hub = queries.hub(scope, plan_id=path["plan_id"], action="plans.step")
        form = bound(request, step)
        conflict = error if isinstance(error, StepConflict) else None
        if conflict is None:
            place(form, error)
        return draw(
            scope,
            hub,
            step,
            form,
            status=status_of(error),
            conflict=conflict,
            hazard=hazard_of(request.POST.get("hazard", ""), hub),
            chosen=request.POST.get("destination", ""),
        )


class Autosave(PlanPage):
    """The same values without leaving the page; answers the new version."""

    needs = {"post": Permission.PLAN_DRAFT}

    def post(self, request: HttpRequest, scope: Scope, plan_id: int, number: int) -> Answer:
        step = step_of(number)
        hub = queries.hub(scope, plan_id=plan_id, action="plans.autosave")
        form: Any = bound(request, step)
        if not form.is_valid():
            return JsonResponse({"code": "plan_values_invalid"}, status=422)
        saved = plan_saving.save_step(
            plan_id=plan_id,
            step=number,
            values=values(request, step, form, hub),
            version=_version(request),
            by=scope,
        )
        return JsonResponse(
            {"version": saved.edit_version, "saved_text": f"{clock(scope.at)} 自動で保存しました"}
        )

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        status = status_of(error)
        if status not in (409, 422):
            return None
        words = error.message
        if isinstance(error, StepConflict):
            words = (
                f"{error.by_name}さんが先に保存しました。「保存して一覧へ」をおすと、"
                "両方を見くらべられます。"
            )
        return JsonResponse({"code": error.code, "message": words}, status=status)


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _supporters(request: HttpRequest, scope: Scope, hub: queries.PlanHub) -> bool:
    """Assign the candidates chosen and do what a button says; True when something was done."""
    person, done = hub.person.id, False
    if not scope.may(Permission.SUPPORTERS_PROPOSE):
        return False
    act, _, target = request.POST.get("act", "").partition(":")
    for chosen in request.POST.getlist("supporters"):
        if chosen.isdigit():
            assignments.assign(person_id=person, supporter_id=int(chosen), by=scope)
            done = True
    if target.isdigit():
        _act(act, int(target), scope)
        done = True
    return done


def _act(act: str, target: int, by: Scope) -> None:
    if act == "remove":
        matching.remove(proposal_id=target, by=by)
    elif act == "ask":
        assignments.ask(assignment_id=target, by=by)
    elif act in ("yes", "no"):
        assignments.record_answer(assignment_id=target, agreed=act == "yes", by=by)
    elif act == "end":
        assignments.end(assignment_id=target, reason="計画の見直しで外した", by=by)
    else:
        raise NotFound
