"""``evacuation/criteria``, ``roster``, ``consents``, ``corrections``, ``sharing-runs``.

Owns the machine face of the roster thread; editions and copies are in ``evacuation_custody``.
One permission a method, one call an endpoint.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import evacuation_roster_shapes as shapes
from api.base import Endpoint, InvalidInput, PreconditionFailed, entity_tag, read, required_version
from api.registry_shapes import asked
from evacuation.domain.consent import ALL_KINDS, Answer, Means, Proxy, Purpose
from evacuation.domain.recipients import RecipientKind
from evacuation.operations import consents, corrections, criteria, roster, sharing
from evacuation.queries import roster as reading
from evacuation.queries import sharing as runs
from registry.access import Scope
from registry.domain.errors import Conflict
from registry.domain.roles import Permission as P
from registry.queries import areas

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)


class Criteria(Endpoint):
    """登載要件."""

    needs: ClassVar = {"get": P.ROSTER_VIEW, "post": P.ROSTER_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.CriteriaOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Every version, newest first."""
        return Response({"results": shapes.CriteriaOut(runs.criteria(scope), many=True).data})

    @extend_schema(request=shapes.CriteriaIn, responses={201: shapes.IdOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Register a version, or one of the shipped examples."""
        given = read(shapes.CriteriaIn, request)
        if "example" in given:
            row = criteria.load_example(name=given["example"], by=scope)
        elif isinstance(given.get("body"), dict):
            row = criteria.register(body=given["body"], by=scope,
                                    in_force_on=given.get("in_force_on"))
        else:
            raise InvalidInput(fields={"body": "要件か、例の名前を送ってください。"})
        return Response({"id": row.pk}, status=201)


class Roster(Endpoint):
    """避難行動要支援者名簿."""

    needs: ClassVar = {"get": P.ROSTER_VIEW}

    @extend_schema(parameters=[shapes.RosterIn], responses=shapes.RosterOut)
    def get(self, request: Request, scope: Scope) -> Response:
        """The roster by list number; ``answered=false`` is the queue for consent."""
        given = asked(shapes.RosterIn, request)
        area = given.pop("area", None)
        within = None if area is None else areas.neighbourhoods_within(scope, area)
        page = reading.roster(scope, area_ids=within, **given)
        rows = shapes.RosterLineOut(page.items, many=True).data
        return Response({"results": rows, "next": page.next})


class RosterPerson(Endpoint):
    """One person on the roster."""

    needs: ClassVar = {"get": P.ROSTER_VIEW, "patch": P.ROSTER_MANAGE}

    @extend_schema(responses=shapes.RosterPageOut)
    def get(self, request: Request, scope: Scope, person_id: int) -> Response:
        """Criteria, needs, priority with reasons, contacts, answers."""
        return _person(scope, person_id)

    @extend_schema(request=shapes.DescribeIn, responses=shapes.RosterPageOut,
                   parameters=[IF_MATCH])
    def patch(self, request: Request, scope: Scope, person_id: int) -> Response:
        """Write what only people can tell."""
        version, given = required_version(request), read(shapes.DescribeIn, request)
        try:
            roster.describe(person_id=person_id, values=given, by=scope, version=version)
        except Conflict as stale:
            raise PreconditionFailed from stale
        return _person(scope, person_id)


def _person(scope: Scope, person_id: int) -> Response:
    page = reading.roster_page(scope, person_id=person_id)
    return Response(shapes.RosterPageOut(page).data, headers={"ETag": entity_tag(page.version)})


class RosterExplanations(Endpoint):
    """Why somebody is or is not in what the offices of the home's area receive."""

    needs: ClassVar = {"get": P.ROSTER_VIEW}

    @extend_schema(responses=shapes.ExplanationOut(many=True))
    def get(self, request: Request, scope: Scope, person_id: int) -> Response:
        """One line an office, each with code and sentence."""
        found = reading.explain(scope, person_id=person_id)
        return Response({"results": shapes.ExplanationOut(found, many=True).data})


class ProtectionRelease(Endpoint):
    """要照会の方の提供承認 (R11)."""

    needs: ClassVar = {"post": P.ROSTER_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ReleaseIn, responses={201: shapes.IdOut})
    def post(self, request: Request, scope: Scope, person_id: int) -> Response:
        """Let one protected person be shared with some kinds of recipient."""
        given = read(shapes.ReleaseIn, request)
        kinds = frozenset(RecipientKind(kind) for kind in given["kinds"])
        row = roster.release_protection(
            person_id=person_id, kinds=kinds, reason=given["reason"], by=scope
        )
        return Response({"id": row.pk}, status=201)


class ListingRequests(Endpoint):
    """申出・職権による登載と除外."""

    needs: ClassVar = {"post": P.ROSTER_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ListingIn, responses={201: shapes.IdOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """The next run reads it."""
        given = read(shapes.ListingIn, request)
        row = roster.request_listing(
            person_id=given["person"], kind=given["kind"], reason=given["reason"], by=scope
        )
        return Response({"id": row.pk}, status=201)


class RosterRuns(Endpoint):
    """名簿の更新."""

    needs: ClassVar = {"get": P.ROSTER_VIEW, "post": P.ROSTER_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.RunOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Runs, newest first."""
        return Response({"results": shapes.RunOut(runs.roster_runs(scope), many=True).data})

    @extend_schema(request=shapes.RunIn, responses={201: shapes.RunOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Preview: the difference, nothing applied."""
        given = read(shapes.RunIn, request)
        run = roster.rebuild_preview(by=scope, criteria_set_id=given.get("criteria_set"))
        return _run(scope, run.pk, 201)


def _run(scope: Scope, run_id: int, status: int = 200) -> Response:
    found = runs.roster_runs(scope, run_id=run_id)[0]
    return Response(shapes.RunOut(found).data, status=status)


class RosterRunPage(Endpoint):
    needs: ClassVar = {"get": P.ROSTER_VIEW}

    @extend_schema(responses=shapes.RunOut)
    def get(self, request: Request, scope: Scope, run_id: int) -> Response:
        """The sums of one run."""
        return _run(scope, run_id)


class RosterChanges(Endpoint):
    needs: ClassVar = {"get": P.ROSTER_VIEW}

    @extend_schema(parameters=[shapes.ChangesIn], responses=shapes.ChangesOut)
    def get(self, request: Request, scope: Scope, run_id: int) -> Response:
        """Whom a run concerns."""
        runs.roster_runs(scope, run_id=run_id)
        page = runs.roster_changes(scope, run_id=run_id, **asked(shapes.ChangesIn, request))
        rows = shapes.ChangeOut(page.items, many=True).data
        return Response({"results": rows, "next": page.next})


class RosterApply(Endpoint):
    needs: ClassVar = {"post": P.ROSTER_MANAGE}

    @extend_schema(request=shapes.EmptyIn, responses=shapes.RunOut)
    def post(self, request: Request, scope: Scope, run_id: int) -> Response:
        """Write the difference; again gives the same."""
        roster.apply(run_id=run_id, by=scope)
        return _run(scope, run_id)


class Consents(Endpoint):
    """同意の記録 (R3, R4)."""

    needs: ClassVar = {"get": P.ROSTER_VIEW, "post": P.CONSENT_RECORD}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.PersonIn], responses=shapes.AnswerOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Every answer of one person on the roster, newest first."""
        person = asked(shapes.PersonIn, request)["person"]
        page = reading.roster_page(scope, person_id=person)
        return Response({"results": shapes.AnswerOut(page.answers, many=True).data})

    @extend_schema(request=shapes.ConsentIn, responses={201: shapes.IdOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Append one answer; a withdrawal makes the strike-outs due (R5)."""
        row = consents.record(given=_given(read(shapes.ConsentIn, request)), by=scope)
        return Response({"id": row.pk}, status=201)


def _given(data: dict[str, Any]) -> consents.AnswerGiven:
    proxy = data.get("proxy")
    kinds = data.get("kinds")
    return consents.AnswerGiven(
        person_id=data["person"], purpose=Purpose(data["purpose"]), answer=Answer(data["answer"]),
        answered_at=data["answered_at"], means=Means(data["means"]),
        form_version=data["form_version"],
        kinds=ALL_KINDS if kinds is None else frozenset(RecipientKind(kind) for kind in kinds),
        explained_normal=data["explained_normal"], explained_disaster=data["explained_disaster"],
        proxy=Proxy(**proxy) if proxy else None,
    )


class Corrections(Endpoint):
    """変更の申出 (R12)."""

    needs: ClassVar = {"get": P.ROSTER_VIEW, "post": P.EDITION_HOLD}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.CorrectionOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """What waits for an officer."""
        found = reading.corrections(scope)
        return Response({"results": shapes.CorrectionOut(found, many=True).data})

    @extend_schema(request=shapes.CorrectionIn, responses={201: shapes.IdOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Say what has changed about one person of the own edition."""
        given = read(shapes.CorrectionIn, request)
        row = corrections.report(edition_row_id=given["row"], sentence=given["sentence"], by=scope)
        return Response({"id": row.pk}, status=201)


class CorrectionDecision(Endpoint):
    needs: ClassVar = {"post": P.ROSTER_MANAGE}

    @extend_schema(request=shapes.DecisionIn, responses=shapes.IdOut)
    def post(self, request: Request, scope: Scope, correction_id: int) -> Response:
        """Close one."""
        given = read(shapes.DecisionIn, request)
        row = corrections.decide(correction_id=correction_id, by=scope, **given)
        return Response({"id": row.pk})


class SharingRuns(Endpoint):
    """定期提供."""

    needs: ClassVar = {"get": P.SHARING_RUN, "post": P.SHARING_RUN}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.SharingRunOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Runs with their sums, newest first."""
        found = runs.sharing_runs(scope)
        return Response({"results": shapes.SharingRunOut(found, many=True).data})

    @extend_schema(request=shapes.PeriodIn, responses={202: shapes.SharingRunOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Open the run of a period; the workers do the rest.  Again changes nothing."""
        period = read(shapes.PeriodIn, request)["period"]
        sharing.open_run(period=period, by=scope)
        found = runs.sharing_runs(scope, period=period)[0]
        return Response(shapes.SharingRunOut(found).data, status=202)


class SharingTasks(Endpoint):
    needs: ClassVar = {"get": P.SHARING_RUN}

    @extend_schema(responses=shapes.TaskOut(many=True))
    def get(self, request: Request, scope: Scope, period: str) -> Response:
        """Every recipient of a run: waiting, issued, or held back with the reason."""
        found = runs.tasks(scope, period=period)
        return Response({"results": shapes.TaskOut(found, many=True).data})


class TaskDespite(Endpoint):
    needs: ClassVar = {"post": P.CUSTODY_MANAGE}

    @extend_schema(request=shapes.ReasonIn, responses={202: shapes.IdOut})
    def post(self, request: Request, scope: Scope, task_id: int) -> Response:
        """Issue although the old copy is not back, with a reason."""
        reason = read(shapes.ReasonIn, request)["reason"]
        row = sharing.issue_despite_outstanding(task_id=task_id, reason=reason, by=scope)
        return Response({"id": row.pk}, status=202)


class TaskRetry(Endpoint):
    needs: ClassVar = {"post": P.SHARING_RUN}

    @extend_schema(request=shapes.EmptyIn, responses={202: shapes.IdOut})
    def post(self, request: Request, scope: Scope, task_id: int) -> Response:
        """Try a recipient held back once more."""
        return Response({"id": sharing.retry(task_id=task_id, by=scope).pk}, status=202)
