"""The shapes of programmes, rule sets, drafts, years and yearly registrations.

Owns the serializers of ``points/programmes/…``.  Refuses an input that no rule set has: a rule
that nobody knows must not be dropped silently (P2).
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.points_shapes import ProgrammeIn, RulesShape, YearShape
from points.domain import rule_forms

S = serializers.Serializer
_BIG = 1 << 62


class _Strict(S[Any]):
    """Refuses unknown inputs by name."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError(
                {str(name)[:40]: ["この項目はありません。"] for name in sorted(map(str, unknown))}
            )
        return super().to_internal_value(data)


class ProgrammeNew(_Strict, ProgrammeIn):
    """A new programme."""


class RuleSetIn(_Strict, RulesShape):
    """要領, with where it is written and why."""

    citation = serializers.CharField(max_length=160, default="", allow_blank=True)
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class PreviewIn(_Strict, RulesShape):
    """要領, as if it had held from ``since`` (the same period of an earlier year without)."""

    since = serializers.DateField(allow_null=True, default=None)
    until = serializers.DateField(allow_null=True, default=None)


class PeriodIn(_Strict):
    """The period of a preview."""

    since = serializers.DateField(allow_null=True, default=None)
    until = serializers.DateField(allow_null=True, default=None)


class ReasonIn(_Strict):
    """Why."""

    reason = serializers.CharField(max_length=200)


class YearIn(_Strict, YearShape):
    """年度の定め, with where it is written and why."""

    citation = serializers.CharField(max_length=160, default="", allow_blank=True)
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class YearChangeIn(_Strict):
    """Other terms for a year that has no points."""

    yen_value = serializers.IntegerField(max_value=1_000_000)
    exchange_from = serializers.DateField()
    exchange_until = serializers.DateField()
    grace_until = serializers.DateField()
    lapses_on = serializers.DateField()
    annual_cap = serializers.IntegerField(allow_null=True, default=None, max_value=1_000_000)
    citation = serializers.CharField(max_length=160, default="", allow_blank=True)
    reason = serializers.CharField(max_length=200)


class LineOut(S[Any]):
    """One sentence of a rule set."""

    topic = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # fields leave the class
    text = serializers.CharField()


class RuleSetOut(S[Any]):
    """要領 with its standing: ``planned``, ``in_force``, ``ended``, ``withdrawn``."""

    id = serializers.IntegerField()
    rules = RulesShape()
    standing = serializers.CharField()
    used = serializers.BooleanField()
    ends_on = serializers.DateField(allow_null=True)
    citation = serializers.CharField()
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    withdrawn_reason = serializers.CharField()
    sentences = LineOut(many=True)


class DifferentOut(S[Any]):
    """Where it differs from the one before."""

    topic = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # fields leave the class
    was = serializers.CharField()
    becomes = serializers.CharField()


class RuleSetDetailOut(RuleSetOut):
    """One rule set, with the difference from the one before it."""

    difference = DifferentOut(many=True)


class DraftNew(_Strict):
    """Begin a draft: empty, a copy of a rule set, or to take the place of an unused one."""

    based_on = serializers.IntegerField(allow_null=True, default=None, min_value=0, max_value=_BIG)
    replace = serializers.BooleanField(default=False)


class RateRow(_Strict):
    """One kind of activity as typed."""

    kind = serializers.CharField(max_length=24, default="", allow_blank=True)
    label = serializers.CharField(max_length=40, default="", allow_blank=True)  # type: ignore[assignment]  # fields leave the class
    points = serializers.CharField(max_length=12, default="", allow_blank=True)
    per = serializers.CharField(max_length=24, default="", allow_blank=True)


class DraftForm(_Strict):
    """What is typed so far, as strings; nothing is required yet."""

    rates = RateRow(many=True, default=list, max_length=rule_forms.RATES)  # type: ignore[call-arg]  # taken by the list
    sources = serializers.ListField(
        child=serializers.CharField(max_length=24), default=list, max_length=8
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        texts = {
            name: serializers.CharField(max_length=200, default="", allow_blank=True)
            for name in rule_forms.TEXTS
        }
        return {**super().get_fields(), **texts}


class DraftOut(S[Any]):
    """要領の案.  ``version`` is its entity tag."""

    id = serializers.IntegerField()
    programme = serializers.CharField()
    form = DraftForm()
    version = serializers.IntegerField()
    based_on = serializers.IntegerField(allow_null=True)
    replaces = serializers.IntegerField(allow_null=True)
    saved_at = serializers.DateTimeField()
    outcome = serializers.CharField()


class KindChangeOut(S[Any]):
    """One of the largest changes."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # fields leave the class
    was = serializers.CharField()
    becomes = serializers.CharField()
    attendances = serializers.IntegerField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class PreviewOut(S[Any]):
    """What would change; nobody is named and nothing was written."""

    since = serializers.DateField()
    until = serializers.DateField()
    attendances = serializers.IntegerField()
    people = serializers.IntegerField()
    more = serializers.IntegerField()
    fewer = serializers.IntegerField()
    same = serializers.IntegerField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()
    largest_gain = serializers.IntegerField()
    largest_loss = serializers.IntegerField()
    changes = KindChangeOut(many=True)
    rest = serializers.IntegerField()
    ahead = serializers.IntegerField()


class YearOut(S[Any]):
    """年度の定め.  ``fixed``: it has points; ``version`` is its entity tag."""

    terms = YearShape()
    version = serializers.IntegerField()
    fixed = serializers.BooleanField()
    citation = serializers.CharField()
    reason = serializers.CharField()


class EnrolmentsAsked(S[Any]):
    """Which registrations."""

    fiscal_year = serializers.IntegerField(min_value=2000, max_value=2200)
    cursor = serializers.CharField(required=False, max_length=19)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class EnrolmentsIn(_Strict):
    """Register volunteers for a year, all or none."""

    volunteers = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=_BIG), min_length=1, max_length=1_000
    )
    fiscal_year = serializers.IntegerField(min_value=2000, max_value=2200)
    starts_on = serializers.DateField(allow_null=True, default=None)


class EnrolmentOut(S[Any]):
    """年度登録."""

    id = serializers.IntegerField()
    volunteer_id = serializers.IntegerField()
    number = serializers.CharField()
    name = serializers.CharField()
    starts_on = serializers.DateField()


class EnrolmentsOut(S[Any]):
    """A page of registrations."""

    results = EnrolmentOut(many=True)
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
