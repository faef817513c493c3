"""``evacuation/plans``: list, steps, destinations, map, submission, approval, sheet.

Owns the machine face of plans.  Changes of the version in work ask for ``If-Match`` with its
``edit_version`` (428 without, 412 when stale).  Sheets are rendered after the transaction.
interfaces.md, "HTTP API"; supporters and places are in ``evacuation_places``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api import evacuation_plans_shapes as shapes
from api import evacuation_supporters as helping
from api.base import Endpoint, PreconditionFailed, entity_tag, read, required_version
from api.errors import problem, status_of
from api.registry_shapes import asked
from evacuation.domain.recipients import RecipientKind
from evacuation.operations import plan_saving, plans
from evacuation.operations.plan_rows import PlanChanged
from evacuation.operations.plan_sheets import rendered
from evacuation.queries import maps, plan_choices, plan_sheets
from evacuation.queries import plans as reading
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission as P
from registry.queries import areas

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)


def _plan(scope: Scope, plan_id: int, status: int = 200) -> Response:
    found = reading.hub(scope, plan_id=plan_id, action="api.plans")
    body = {**shapes.PlanOut(found).data, "values": {str(k): v for k, v in found.values.items()}}
    return Response(body, status=status, headers={"ETag": entity_tag(found.edit_version)})


class Plans(Endpoint):
    """個別避難計画."""

    needs: ClassVar = {"get": P.PLAN_VIEW, "post": P.PLAN_DRAFT}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.PlansIn], responses=shapes.PlansOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Listed people with the state of their plan, those without one too (R15)."""
        given = asked(shapes.PlansIn, request)
        area = given.get("area")
        page = reading.plan_list(
            scope, states=sorted(given["state"]) if given.get("state") else None,
            area_ids=None if area is None else areas.neighbourhoods_within(scope, area),
            text=given.get("text", ""), cursor=given.get("cursor"), limit=given["limit"],
        )
        rows = shapes.PlanLineOut(page.items, many=True).data
        return Response({"results": rows, "next": page.next})

    @extend_schema(request=shapes.PlanIn, responses={201: shapes.PlanOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Start a plan, or go on with it as far as the facts allow (R3)."""
        given = read(shapes.PlanIn, request)
        row = plans.start(person_id=given["person_id"], drafter_id=given.get("drafter_id"),
                          by=scope)
        return _plan(scope, row.pk, 201)


class Plan(Endpoint):
    """One plan."""

    needs: ClassVar = {"get": P.PLAN_VIEW, "patch": P.PLAN_DRAFT}

    @extend_schema(responses=shapes.PlanOut)
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """The seven steps, what is missing, who helps; leaves a view record."""
        return _plan(scope, plan_id)

    @extend_schema(request=shapes.StepIn, responses=shapes.PlanOut, parameters=[IF_MATCH])
    def patch(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Save one step; 412 when somebody else wrote the same step meanwhile."""
        version, given = required_version(request), read(shapes.StepIn, request)
        try:
            plan_saving.save_step(plan_id=plan_id, step=given["step"], values=given["values"],
                                  version=version, by=scope)
        except PlanChanged as error:
            raise PreconditionFailed(error.message, code=error.code) from error
        return _plan(scope, plan_id)


class _Act(Endpoint):
    """A step of a plan's life that names the version it is about."""

    def _done(self, act: Any, scope: Scope, plan_id: int, **values: Any) -> Response:
        try:
            act(plan_id=plan_id, by=scope, **values)
        except PlanChanged as error:
            raise PreconditionFailed(error.message, code=error.code) from error
        return _plan(scope, plan_id)


class PlanSubmit(_Act):
    """承認へ提出."""

    needs: ClassVar = {"post": P.PLAN_DRAFT}

    @extend_schema(request=None, responses=shapes.PlanOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Hand it in; refused while anything is missing."""
        return self._done(plans.submit, scope, plan_id, version=required_version(request))


class PlanReturn(_Act):
    """差し戻し."""

    needs: ClassVar = {"post": P.PLAN_APPROVE}

    @extend_schema(request=shapes.WhyIn, responses=shapes.PlanOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Send it back with a reason."""
        return self._done(plans.return_, scope, plan_id, version=required_version(request),
                          reason=read(shapes.WhyIn, request)["reason"])


class PlanApprove(_Act):
    """承認."""

    needs: ClassVar = {"post": P.PLAN_APPROVE}

    @extend_schema(request=None, responses=shapes.PlanOut, parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Approve; never what one has written."""
        return self._done(plans.approve, scope, plan_id, version=required_version(request))


class PlanRevise(_Act):
    """見直し."""

    needs: ClassVar = {"post": P.PLAN_DRAFT}

    @extend_schema(request=None, responses=shapes.PlanOut)
    def post(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Open the next version of an approved plan."""
        return self._done(plans.revise, scope, plan_id)


class PlanWithdraw(_Act):
    """取り下げ."""

    needs: ClassVar = {"post": P.PLAN_DRAFT}

    @extend_schema(request=shapes.WhyIn, responses=shapes.PlanOut)
    def post(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Take it back with a reason."""
        return self._done(plans.withdraw, scope, plan_id,
                          reason=read(shapes.WhyIn, request)["reason"])


class PlanDestinations(Endpoint):
    """避難先の候補."""

    needs: ClassVar = {"get": P.PLAN_VIEW}

    @extend_schema(parameters=[shapes.HazardIn], responses=shapes.OptionsOut)
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Shelters for one hazard with ○△× and places left."""
        given = asked(shapes.HazardIn, request)
        found = plan_choices.destinations(scope, plan_id=plan_id, hazard=given["hazard"],
                                          text=given["text"])
        return Response({"results": shapes.OptionOut(found, many=True).data})


class PlanMap(Endpoint):
    """計画の地図."""

    needs: ClassVar = {"get": P.PLAN_VIEW}

    @extend_schema(responses=shapes.MapOut)
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """GeoJSON of home, destinations, zones and consenting supporters; the same in words."""
        return Response(shapes.MapOut(maps.plan_map(scope, plan_id=plan_id)).data)


class PlanHistory(Endpoint):
    """変更の記録."""

    needs: ClassVar = {"get": P.PLAN_VIEW}

    @extend_schema(responses=shapes.HistoryOut)
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """What happened, newest first."""
        found = reading.history(scope, plan_id=plan_id)
        return Response({"results": shapes.EventOut(found, many=True).data})


class Pdf(BaseRenderer):
    """Renders a sheet after the view's transaction is over; a refusal becomes a problem."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        context = renderer_context or {}
        if not isinstance(data, plan_sheets.Sheet):
            return json.dumps(data, ensure_ascii=False).encode()
        try:
            return rendered(data)
        except TsunagariError as error:
            answer, response = problem(error, {}), context["response"]
            response.status_code = status_of(error)
            response["Content-Type"] = "application/problem+json"
            del response["Content-Disposition"]
            return JSONRenderer().render(answer.data if answer is not None else {})


class PlanSheet(Endpoint):
    """計画書."""

    needs: ClassVar = {"get": P.PLAN_VIEW}
    renderer_classes = [Pdf]

    @extend_schema(parameters=[shapes.SheetIn],
                   responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """The two-page sheet; for a kind of recipient only where R2 and R8 allow."""
        given = asked(shapes.SheetIn, request)
        kind = given.get("kind")
        found = plan_sheets.sheet(
            scope, plan_id=plan_id, version=given.get("version"),
            kind=None if kind is None else RecipientKind(kind),
        )
        name = f"plan-{found.plan_id}-v{found.version}.pdf"
        return Response(found, headers={
            "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
        })


_ONE = "plans/<int:plan_id>"
urlpatterns = [
    path("plans", Plans.as_view(), name="evacuation-plans"),
    path(_ONE, Plan.as_view(), name="evacuation-plan"),
    path(f"{_ONE}/submit", PlanSubmit.as_view(), name="evacuation-plan-submit"),
    path(f"{_ONE}/return", PlanReturn.as_view(), name="evacuation-plan-return"),
    path(f"{_ONE}/approve", PlanApprove.as_view(), name="evacuation-plan-approve"),
    path(f"{_ONE}/revise", PlanRevise.as_view(), name="evacuation-plan-revise"),
    path(f"{_ONE}/withdraw", PlanWithdraw.as_view(), name="evacuation-plan-withdraw"),
    path(f"{_ONE}/destinations", PlanDestinations.as_view(), name="evacuation-plan-destinations"),
    path(f"{_ONE}/map", PlanMap.as_view(), name="evacuation-plan-map"),
    path(f"{_ONE}/history", PlanHistory.as_view(), name="evacuation-plan-history"),
    path(f"{_ONE}/sheet.pdf", PlanSheet.as_view(), name="evacuation-plan-sheet"),
    *helping.urlpatterns,
]
