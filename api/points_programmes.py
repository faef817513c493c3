"""``points/programmes`` with rule sets, drafts, previews, years and yearly registrations.

Owns the machine face of rules.  Changes of a draft and of a year's terms ask for ``If-Match``
with the version (428 without, 412 when stale).  Refuses by the operations' rules; nothing of a
refused request is kept.  interfaces.md, "HTTP API"; P2.
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import points_programmes_shapes as shapes
from api.base import Endpoint, PreconditionFailed, entity_tag, read, required_version
from api.points_shapes import ProgrammeOut
from api.registry_shapes import asked
from points.domain.rule_sentences import Line, difference, sentences
from points.domain.rules import Below, Per, Rate, Remainder, RuleSet, Source, YearTerms
from points.operations import enrolments, programmes, rules
from points.queries import enrolments as enrolled
from points.queries import rule_preview, rulebook
from points.queries import rules as written
from registry.access import Scope
from registry.domain.errors import Conflict
from registry.domain.roles import Permission as P

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True)
_STALE = ("draft_changed", "changed_meanwhile")


class Programmes(Endpoint):
    """ポイント事業."""

    needs: ClassVar = {"get": (P.SESSIONS_VIEW, P.OWN_POINTS), "post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=ProgrammeOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Every programme with its rules and years."""
        return Response([ProgrammeOut(one).data for one in rulebook.programmes(scope)])

    @extend_schema(request=shapes.ProgrammeNew, responses={201: ProgrammeOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Make a programme."""
        given = read(shapes.ProgrammeNew, request)
        programmes.create(**given, by=scope)
        return _programme(scope, given["code"], 201)


class Programme(Endpoint):
    """One programme."""

    needs: ClassVar = {"get": (P.SESSIONS_VIEW, P.OWN_POINTS)}

    @extend_schema(responses=ProgrammeOut)
    def get(self, request: Request, scope: Scope, code: str) -> Response:
        """Its rules and years."""
        return _programme(scope, code)


class RuleSets(Endpoint):
    """要領."""

    needs: ClassVar = {"get": P.RULES_MANAGE, "post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.RuleSetOut(many=True))
    def get(self, request: Request, scope: Scope, code: str) -> Response:
        """Every rule set, the latest first, withdrawn ones too."""
        found = written.history(scope, code=code)
        return Response([_rule_set(scope, one) for one in found.rule_sets])

    @extend_schema(request=shapes.RuleSetIn, responses={201: ProgrammeOut})
    def post(self, request: Request, scope: Scope, code: str) -> Response:
        """Add a rule set that holds from its date."""
        given = read(shapes.RuleSetIn, request)
        citation, reason = given.pop("citation"), given.pop("reason")
        programmes.add_rules(rules=_meant(code, given), citation=citation, reason=reason, by=scope)
        return _programme(scope, code, 201)


class RuleSetOne(Endpoint):
    """One rule set."""

    needs: ClassVar = {"get": P.RULES_MANAGE}

    @extend_schema(responses=shapes.RuleSetDetailOut)
    def get(self, request: Request, scope: Scope, code: str, rule_set_id: int) -> Response:
        """What it says, and where it differs from the one before."""
        found = written.history(scope, code=code)
        one = found.rule_set(rule_set_id)
        before: list[Line] = []
        for other in found.rule_sets:
            if other.withdrawn_at is None and other.rules.begins_on < one.rules.begins_on:
                before = list(sentences(other.rules))
                break
        parts = difference(before, sentences(one.rules)) if before else ()
        return Response({**_rule_set(scope, one),
                         "difference": [shapes.DifferentOut(part).data for part in parts]})


class RuleSetWithdraw(Endpoint):
    """取りやめ."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ReasonIn, responses=shapes.RuleSetOut)
    def post(self, request: Request, scope: Scope, code: str, rule_set_id: int) -> Response:
        """Withdraw a rule set that has not decided anything."""
        reason = read(shapes.ReasonIn, request)["reason"]
        written.history(scope, code=code).rule_set(rule_set_id)
        programmes.withdraw_rules(rule_set_id=rule_set_id, reason=reason, by=scope)
        found = written.history(scope, code=code).rule_set(rule_set_id)
        return Response(_rule_set(scope, found))


class Preview(Endpoint):
    """ためし計算."""

    needs: ClassVar = {"post": P.RULES_MANAGE}

    @extend_schema(request=shapes.PreviewIn, responses=shapes.PreviewOut)
    def post(self, request: Request, scope: Scope, code: str) -> Response:
        """What a rule set would change; nothing is written."""
        given = read(shapes.PreviewIn, request)
        since, until = given.pop("since"), given.pop("until")
        found = rule_preview.preview(scope, rules=_meant(code, given), since=since, until=until)
        return Response(shapes.PreviewOut(found).data)


class Drafts(Endpoint):
    """要領の案."""

    needs: ClassVar = {"get": P.RULES_MANAGE, "post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.DraftOut(many=True))
    def get(self, request: Request, scope: Scope, code: str) -> Response:
        """Drafts that are being written."""
        found = written.history(scope, code=code).drafts
        return Response([shapes.DraftOut(one).data for one in found])

    @extend_schema(request=shapes.DraftNew, responses={201: shapes.DraftOut})
    def post(self, request: Request, scope: Scope, code: str) -> Response:
        """Begin a draft."""
        made = rules.begin(programme=code, **read(shapes.DraftNew, request), by=scope)
        return _draft(scope, made.pk, 201)


class Draft(Endpoint):
    """One draft."""

    needs: ClassVar = {"get": P.RULES_MANAGE, "put": P.RULES_MANAGE, "delete": P.RULES_MANAGE}

    @extend_schema(responses=shapes.DraftOut)
    def get(self, request: Request, scope: Scope, draft_id: int) -> Response:
        """What is typed so far."""
        return _draft(scope, draft_id)

    @extend_schema(request=shapes.DraftForm, responses=shapes.DraftOut, parameters=[IF_MATCH])
    def put(self, request: Request, scope: Scope, draft_id: int) -> Response:
        """Keep what is typed, however incomplete."""
        version, given = required_version(request), read(shapes.DraftForm, request)
        _current(lambda: rules.save(draft_id=draft_id, form=given, version=version, by=scope))
        return _draft(scope, draft_id)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, scope: Scope, draft_id: int) -> Response:
        """Give it up."""
        rules.drop(draft_id=draft_id, by=scope)
        return Response(status=204)


class DraftPreview(Endpoint):
    """ためし計算 of a draft."""

    needs: ClassVar = {"post": P.RULES_MANAGE}

    @extend_schema(request=shapes.PeriodIn, responses=shapes.PreviewOut)
    def post(self, request: Request, scope: Scope, draft_id: int) -> Response:
        """What it would change; nothing is written."""
        given = read(shapes.PeriodIn, request)
        meant = rules.meant(draft_id=draft_id, by=scope)
        one = written.draft(scope, draft_id=draft_id)
        past = written.history(scope, code=one.programme)
        replaces = past.rule_set(one.replaces).rules.code if one.replaces else ""
        found = rule_preview.preview(scope, rules=meant, replaces=replaces, **given)
        return Response(shapes.PreviewOut(found).data)


class DraftAdopt(Endpoint):
    """定める."""

    needs: ClassVar = {"post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ReasonIn, responses={201: shapes.RuleSetOut},
                   parameters=[IF_MATCH])
    def post(self, request: Request, scope: Scope, draft_id: int) -> Response:
        """Make the rule set."""
        version, given = required_version(request), read(shapes.ReasonIn, request)
        code = written.draft(scope, draft_id=draft_id).programme
        made = _current(lambda: rules.adopt(draft_id=draft_id, version=version, **given, by=scope))
        found = written.history(scope, code=code).rule_set(made.pk)
        return Response(_rule_set(scope, found), status=201)


class ProgrammeYears(Endpoint):
    """年度."""

    needs: ClassVar = {"get": P.RULES_MANAGE, "post": P.RULES_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(responses=shapes.YearOut(many=True))
    def get(self, request: Request, scope: Scope, code: str) -> Response:
        """Every year, the latest first."""
        found = written.history(scope, code=code).years
        return Response([shapes.YearOut(one).data for one in found])

    @extend_schema(request=shapes.YearIn, responses={201: ProgrammeOut})
    def post(self, request: Request, scope: Scope, code: str) -> Response:
        """Open a fiscal year."""
        given = read(shapes.YearIn, request)
        citation, reason = given.pop("citation"), given.pop("reason")
        terms = YearTerms(programme=code, **given)
        programmes.open_year(terms=terms, citation=citation, reason=reason, by=scope)
        return _programme(scope, code, 201)


class ProgrammeYear(Endpoint):
    """One year."""

    needs: ClassVar = {"get": P.RULES_MANAGE, "put": P.RULES_MANAGE}

    @extend_schema(responses=shapes.YearOut)
    def get(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """Its terms, and whether they may still change."""
        return _year(scope, code, fiscal_year)

    @extend_schema(request=shapes.YearChangeIn, responses=shapes.YearOut, parameters=[IF_MATCH])
    def put(self, request: Request, scope: Scope, code: str, fiscal_year: int) -> Response:
        """Other terms, while nobody has points of the year."""
        version, given = required_version(request), read(shapes.YearChangeIn, request)
        citation, reason = given.pop("citation"), given.pop("reason")
        written.history(scope, code=code).year(fiscal_year)
        terms = YearTerms(programme=code, fiscal_year=fiscal_year, **given)
        _current(lambda: programmes.change_year(
            terms=terms, version=version, citation=citation, reason=reason, by=scope
        ))
        return _year(scope, code, fiscal_year)


class Enrolments(Endpoint):
    """年度登録."""

    needs: ClassVar = {"get": P.VOLUNTEERS_MANAGE, "post": P.VOLUNTEERS_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(parameters=[shapes.EnrolmentsAsked], responses=shapes.EnrolmentsOut)
    def get(self, request: Request, scope: Scope, code: str) -> Response:
        """Who is registered for a year; leaves a view record."""
        given = asked(shapes.EnrolmentsAsked, request)
        page = enrolled.enrolments(scope, programme=code, **given)
        rows = [shapes.EnrolmentOut(one).data for one in page.items]
        return Response({"results": rows, "count": page.count, "next": page.next})

    @extend_schema(request=shapes.EnrolmentsIn, responses={201: shapes.EnrolmentsOut})
    def post(self, request: Request, scope: Scope, code: str) -> Response:
        """Register volunteers for a year; their points are counted again."""
        given = read(shapes.EnrolmentsIn, request)
        enrolments.enrol(volunteer_ids=given.pop("volunteers"), programme=code, **given, by=scope)
        page = enrolled.enrolments(scope, programme=code, fiscal_year=given["fiscal_year"])
        rows = [shapes.EnrolmentOut(one).data for one in page.items]
        return Response({"results": rows, "count": page.count, "next": page.next}, status=201)


class EnrolmentCancel(Endpoint):
    """年度登録の取消."""

    needs: ClassVar = {"post": P.VOLUNTEERS_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=shapes.ReasonIn, responses={204: None})
    def post(self, request: Request, scope: Scope, enrolment_id: int) -> Response:
        """Take it back; what it made count is taken back too."""
        reason = read(shapes.ReasonIn, request)["reason"]
        enrolments.cancel(enrolment_id=enrolment_id, reason=reason, by=scope)
        return Response(status=204)


def _meant(code: str, given: dict[str, Any]) -> RuleSet:
    """The rule set of a validated body."""
    given["rates"] = tuple(
        Rate(r["kind"], r["label"], r["points"], Per(r["per"])) for r in given["rates"]
    )
    given["sources"] = frozenset(map(Source, given["sources"]))
    given["remainder"] = Remainder(given["remainder"])
    given["group_below"] = Below(given["group_below"])
    return RuleSet(programme=code, **given)


def _current(change: Any) -> Any:
    """Do it; a version that is not the latest is a failed precondition."""
    try:
        return change()
    except Conflict as error:
        if error.code in _STALE:
            raise PreconditionFailed from error
        raise


def _programme(scope: Scope, code: str, status: int = 200) -> Response:
    return Response(ProgrammeOut(rulebook.programme(scope, code=code)).data, status=status)


def _rule_set(scope: Scope, one: written.RuleSetFact) -> dict[str, Any]:
    told = [shapes.LineOut(line).data for line in sentences(one.rules)]
    plain = {name: getattr(one, name) for name in (
        "id", "rules", "used", "ends_on", "citation", "reason", "made_at", "withdrawn_at",
        "withdrawn_reason",
    )}
    return dict(shapes.RuleSetOut(
        {**plain, "standing": one.standing(scope.on), "sentences": told}
    ).data)


def _draft(scope: Scope, draft_id: int, status: int = 200) -> Response:
    found = written.draft(scope, draft_id=draft_id)
    return Response(shapes.DraftOut(found).data, status=status,
                    headers={"ETag": entity_tag(found.version)})


def _year(scope: Scope, code: str, fiscal_year: int) -> Response:
    found = written.history(scope, code=code).year(fiscal_year)
    return Response(shapes.YearOut(found).data, headers={"ETag": entity_tag(found.version)})
