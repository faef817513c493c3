"""``evacuation/supporters``, ``plans/…/proposals`` and ``/assignments``, ``shelters``, ``hazards``.

Owns the machine face of supporters and places.  Asking for proposals answers 202: a worker
computes them.  Nobody is contacted by any of these.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import evacuation_supporters_shapes as shapes
from api.base import (
    Endpoint,
    InvalidInput,
    PreconditionFailed,
    entity_tag,
    read,
    required_version,
)
from api.evacuation_plans_shapes import HelperOut
from api.registry_shapes import asked
from evacuation.operations import assignments, matching, places, supporters
from evacuation.queries import hazards, plan_drafts, plans, shelters
from evacuation.queries import supporters as reading
from registry.access import Scope
from registry.domain.roles import Permission as P
from registry.queries import areas

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)


class Supporters(Endpoint):
    """避難支援等実施者."""

    needs: ClassVar = {"get": P.SUPPORTERS_PROPOSE, "post": P.SUPPORTERS_PROPOSE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.SupportersIn], responses=shapes.SupportersOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """The pool by reading, with how many each one helps."""
        given = asked(shapes.SupportersIn, request)
        area = given.get("area")
        found = reading.pool(
            scope, text=given["text"],
            area_ids=None if area is None else areas.neighbourhoods_within(scope, area),
        )
        return Response({"results": shapes.SupporterOut(found, many=True).data})

    @extend_schema(request=shapes.SupporterIn, responses={201: shapes.SupporterOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Register a volunteer who opted in (P11), an organisation, or a person by name."""
        given = read(shapes.SupporterIn, request)
        kinds = [key for key in ("volunteer_id", "organisation_id", "name") if key in given]
        if len(kinds) != 1:
            raise InvalidInput(fields={"name": "登録する人か団体をひとつ選んでください。"})
        if kinds == ["volunteer_id"]:
            row = supporters.register_from_volunteer(
                volunteer_id=given["volunteer_id"], capacity=given.get("capacity", 1), by=scope)
        elif kinds == ["organisation_id"]:
            row = supporters.register_organisation(
                organisation_id=given["organisation_id"], capacity=given.get("capacity", 5),
                availability=given["availability"], skills=given["skills"],
                longitude=given.get("longitude"), latitude=given.get("latitude"), by=scope,
            )
        else:
            known = {key: given[key] for key in given if key != "skills"}
            row = supporters.register(by=scope, supporter=supporters.SupporterInput(
                **known, skills=tuple(given["skills"])))
        return _supporter(scope, row.pk, 201)


def _supporter(scope: Scope, supporter_id: int, status: int = 200) -> Response:
    found = reading.pool(scope, ids=[supporter_id], include_left=True)
    return Response(shapes.SupporterOut(found[0]).data, status=status)


class SupporterConsent(Endpoint):
    """支援者の同意."""

    needs: ClassVar = {"post": P.SUPPORTERS_PROPOSE}

    @extend_schema(request=shapes.ConsentIn, responses=shapes.SupporterOut)
    def post(self, request: Request, scope: Scope, supporter_id: int) -> Response:
        """The supporter's own word on standing in shared plans (R2)."""
        given = read(shapes.ConsentIn, request)
        supporters.record_consent(supporter_id=supporter_id, by=scope, **given)
        return _supporter(scope, supporter_id)


class Proposals(Endpoint):
    """支援者の案."""

    needs: ClassVar = {"get": P.SUPPORTERS_PROPOSE, "post": P.SUPPORTERS_PROPOSE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.RunPageIn], responses=shapes.RunPageOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """The newest run that is done, its proposals and its gaps."""
        return _run_page(request, scope, reading.latest_run(scope))

    @extend_schema(request=shapes.RunIn, responses={202: shapes.RunOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Ask for proposals; a worker computes them."""
        given = read(shapes.RunIn, request)
        row = matching.propose(areas=given.get("areas"), by=scope)
        return Response(shapes.RunOut(reading.run(scope, run_id=row.pk)).data, status=202)


class ProposalRun(Endpoint):
    """One run."""

    needs: ClassVar = {"get": P.SUPPORTERS_PROPOSE}

    @extend_schema(parameters=[shapes.RunPageIn], responses=shapes.RunPageOut)
    def get(self, request: Request, scope: Scope, run_id: int) -> Response:
        """Its figures, proposals and gaps."""
        return _run_page(request, scope, reading.run(scope, run_id=run_id))


def _run_page(request: Request, scope: Scope, run: reading.RunFact | None) -> Response:
    given = asked(shapes.RunPageIn, request)
    if run is None:
        return Response({"run": None, "proposals": [], "gaps": []})
    pairs = reading.proposals(scope, run_id=run.id, **given)
    gaps = reading.gaps(scope, run_id=run.id, **given)
    return Response({
        "run": shapes.RunOut(run).data, "proposals": shapes.ProposalOut(pairs, many=True).data,
        "gaps": shapes.GapOut(gaps, many=True).data,
    })


class ProposalRemoval(Endpoint):
    """候補から外す."""

    needs: ClassVar = {"post": P.SUPPORTERS_PROPOSE}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, scope: Scope, proposal_id: int) -> Response:
        """Leave this pair out, now and in later runs."""
        matching.remove(proposal_id=proposal_id, by=scope)
        return Response(status=204)


class PlanProposals(Endpoint):
    """One person's candidates."""

    needs: ClassVar = {"get": P.SUPPORTERS_PROPOSE}

    @extend_schema(responses=shapes.CandidatesOut)
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Decided ones, the newest proposals, others in reach; ○△× of today."""
        person = plans.visible_plan(scope, plan_id).person_id
        run = reading.latest_run(scope)
        gaps = reading.gaps(scope, run_id=run.id, person_ids=[person]) if run else []
        found = reading.candidates(scope, person_id=person)
        return Response({"results": shapes.CandidateOut(found, many=True).data,
                         "gaps": shapes.GapOut(gaps, many=True).data})


class PlanAssignments(Endpoint):
    """支援者の割り当て."""

    needs: ClassVar = {"get": P.PLAN_VIEW, "post": P.SUPPORTERS_PROPOSE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.HelpersOut)
    def get(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Who helps, in order of calling."""
        return _helpers(scope, plan_id)

    @extend_schema(request=shapes.AssignmentIn, responses={201: shapes.HelpersOut})
    def post(self, request: Request, scope: Scope, plan_id: int) -> Response:
        """Decide who shall be asked; nobody is contacted."""
        person = plans.visible_plan(scope, plan_id).person_id
        assignments.assign(person_id=person, by=scope, **read(shapes.AssignmentIn, request))
        return _helpers(scope, plan_id, 201)


class PlanAssignment(Endpoint):
    """One assignment."""

    needs: ClassVar = {"post": P.SUPPORTERS_PROPOSE}

    @extend_schema(request=shapes.AssignmentActIn, responses=shapes.HelpersOut)
    def post(
        self, request: Request, scope: Scope, plan_id: int, assignment_id: int
    ) -> Response:
        """Asked, answered, or ended."""
        given = read(shapes.AssignmentActIn, request)
        person = plans.visible_plan(scope, plan_id).person_id
        assignments.require_of(assignment_id=assignment_id, person_id=person, by=scope)
        if given["act"] == "ask":
            assignments.ask(assignment_id=assignment_id, by=scope)
        elif given["act"] == "end":
            assignments.end(assignment_id=assignment_id, reason=given["reason"], by=scope)
        else:
            assignments.record_answer(assignment_id=assignment_id, by=scope,
                                      agreed=given["act"] == "consent")
        return _helpers(scope, plan_id)


def _helpers(scope: Scope, plan_id: int, status: int = 200) -> Response:
    found = plan_drafts.helpers_of_plan(scope, plan=plans.visible_plan(scope, plan_id))
    return Response({"results": HelperOut(found, many=True).data}, status=status)


class Shelters(Endpoint):
    """指定避難所."""

    needs: ClassVar = {"get": P.PLACES_VIEW}

    @extend_schema(parameters=[shapes.SheltersIn], responses=shapes.SheltersOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Shelters by name with taken places; ``doubtful=true`` is the queue of joins."""
        found = shelters.shelters(scope, **asked(shapes.SheltersIn, request))
        return Response({"results": shapes.ShelterOut(found, many=True).data})


class Shelter(Endpoint):
    """One shelter."""

    needs: ClassVar = {"get": P.PLACES_VIEW, "patch": P.PLACES_MANAGE}

    @extend_schema(responses=shapes.ShelterOut)
    def get(self, request: Request, scope: Scope, shelter_id: int) -> Response:
        """What is known of it."""
        return _shelter(scope, shelter_id)

    @extend_schema(request=shapes.CapacityIn, responses=shapes.ShelterOut, parameters=[IF_MATCH])
    def patch(self, request: Request, scope: Scope, shelter_id: int) -> Response:
        """Its places for people who need care, and on what terms."""
        version, given = required_version(request), read(shapes.CapacityIn, request)
        try:
            places.set_capacity(shelter_id=shelter_id, version=version, by=scope, **given)
        except places.ShelterChanged as error:
            raise PreconditionFailed(error.message, code=error.code) from error
        return _shelter(scope, shelter_id)


class ShelterJoin(Endpoint):
    """対応づけの確認."""

    needs: ClassVar = {"post": P.PLACES_MANAGE}

    @extend_schema(request=shapes.JoinIn, responses=shapes.ShelterOut)
    def post(self, request: Request, scope: Scope, shelter_id: int) -> Response:
        """A person decides a doubtful pair."""
        given = read(shapes.JoinIn, request)
        places.confirm_join(shelter_id=shelter_id, site_id=given["site_id"], by=scope)
        return _shelter(scope, shelter_id)


def _shelter(scope: Scope, shelter_id: int) -> Response:
    found = shelters.shelter(scope, shelter_id=shelter_id)
    return Response(shapes.ShelterOut(found).data, headers={"ETag": entity_tag(found.version)})


class HazardsAt(Endpoint):
    """災害リスク."""

    needs: ClassVar = {"get": P.PLACES_VIEW}

    @extend_schema(parameters=[shapes.PointIn], responses=shapes.ZonesOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """Zones at a point; an empty answer means outside only where ``covered`` says so."""
        given = asked(shapes.PointIn, request)
        found = hazards.zones_at(scope, longitude=given["lon"], latitude=given["lat"],
                                 uncertainty_m=given["uncertainty"])
        covered = sorted(one.value for one in hazards.in_force().covered)
        return Response({"results": shapes.ZoneOut(found, many=True).data, "covered": covered})


_ONE = "plans/<int:plan_id>"
urlpatterns = [
    path("plans/proposals", Proposals.as_view(), name="evacuation-proposals"),
    path("plans/proposals/<int:run_id>", ProposalRun.as_view(), name="evacuation-proposal-run"),
    path("proposals/<int:proposal_id>/remove", ProposalRemoval.as_view(),
         name="evacuation-proposal-remove"),
    path(f"{_ONE}/proposals", PlanProposals.as_view(), name="evacuation-plan-proposals"),
    path(f"{_ONE}/assignments", PlanAssignments.as_view(), name="evacuation-plan-assignments"),
    path(f"{_ONE}/assignments/<int:assignment_id>", PlanAssignment.as_view(),
         name="evacuation-plan-assignment"),
    path("supporters", Supporters.as_view(), name="evacuation-supporters"),
    path("supporters/<int:supporter_id>/consent", SupporterConsent.as_view(),
         name="evacuation-supporter-consent"),
    path("shelters", Shelters.as_view(), name="evacuation-shelters"),
    path("shelters/<int:shelter_id>", Shelter.as_view(), name="evacuation-shelter"),
    path("shelters/<int:shelter_id>/join", ShelterJoin.as_view(), name="evacuation-shelter-join"),
    path("hazards/at", HazardsAt.as_view(), name="evacuation-hazards-at"),
]
