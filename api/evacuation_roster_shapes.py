"""The shapes in which rosters, consents, editions and copies leave and enter.

Owns the serializers of ``evacuation/…`` roster endpoints.  Refuses an unknown value at the door;
the rules themselves are the operations'.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from evacuation.domain.consent import Answer, Means, Purpose
from evacuation.domain.custody import CopyState
from evacuation.domain.recipients import RecipientKind

S = s.Serializer
KINDS = [kind.value for kind in RecipientKind]


def _text(size: int, **more: Any) -> s.CharField:
    return s.CharField(max_length=size, **more)


def _words() -> s.ListField:
    return s.ListField(child=s.CharField())


class CriteriaIn(S[Any]):
    """A shipped example by name (a, b, c), or a rule set as data."""

    example = _text(40, required=False)
    body = s.JSONField(required=False)
    in_force_on = s.DateField(required=False)


class CriteriaOut(S[Any]):
    """登載要件."""

    id = s.IntegerField()
    version = s.CharField()
    title = s.CharField()
    citation = s.CharField()
    in_force_on = s.DateField()
    body = s.JSONField()


class RunIn(S[Any]):
    """Which criteria to run; without it the version in force."""

    criteria_set = s.IntegerField(required=False)


class RunOut(S[Any]):
    """名簿の更新: the sums of a run."""

    id = s.IntegerField()
    state = s.CharField()
    criteria_version = s.CharField()
    reference_on = s.DateField()
    examined = s.IntegerField()
    new = s.IntegerField()
    gone = s.IntegerField()
    reason_changed = s.IntegerField()
    same = s.IntegerField()
    unsure = s.IntegerField()
    made_at = s.DateTimeField()
    applied_at = s.DateTimeField(allow_null=True)


class PageIn(S[Any]):
    """Where a page begins and how long it is."""

    cursor = _text(24, required=False)
    limit = s.IntegerField(required=False, default=50, min_value=1, max_value=200)


class ChangesIn(PageIn):
    change = s.ChoiceField(["new", "gone", "reason", "unsure"], required=False)


class ChangeOut(S[Any]):
    """名簿の差分: one person of a run."""

    id = s.IntegerField()
    person_id = s.IntegerField()
    name = s.CharField()
    kana = s.CharField()
    change = s.CharField()
    before = _words()
    after = _words()


class ChangesOut(S[Any]):
    results = ChangeOut(many=True)
    next = s.CharField(allow_null=True)


class RosterIn(PageIn):
    """Narrow the roster; ``answered=false`` is the queue for consent."""

    area = s.IntegerField(required=False)
    urgency = s.IntegerField(required=False, min_value=0, max_value=3)
    answered = s.BooleanField(required=False, allow_null=True, default=None)
    include_removed = s.BooleanField(required=False, default=False)


class RosterLineOut(S[Any]):
    """名簿登載者の1行."""

    person_id = s.IntegerField()
    number = s.CharField()
    name = s.CharField()
    kana = s.CharField()
    born_on = s.DateField(allow_null=True)
    area_id = s.IntegerField(allow_null=True)
    area_name = s.CharField()
    section = s.CharField()
    needs = _words()
    urgency = s.IntegerField()
    urgency_label = s.CharField()
    score = s.IntegerField()
    consent = s.DictField(child=s.CharField())
    consent_label = s.CharField()
    protected = s.BooleanField()


class RosterOut(S[Any]):
    results = RosterLineOut(many=True)
    next = s.CharField(allow_null=True)


class AnswerOut(S[Any]):
    """同意の記録 (R4)."""

    id = s.IntegerField()
    purpose = s.CharField()
    answer = s.CharField()
    answered_at = s.DateTimeField()
    means = s.CharField()
    kinds = _words()
    form_version = s.CharField()
    explained_normal = s.BooleanField()
    explained_disaster = s.BooleanField()
    proxy_name = s.CharField()
    proxy_relation = s.CharField()
    proxy_reason = s.CharField()
    recorded_by = s.CharField()
    recorded_at = s.DateTimeField()


class RosterPageOut(S[Any]):
    """One person on the roster."""

    line = RosterLineOut()
    state = s.CharField()
    criteria = s.ListField(child=_words())
    priority_reasons = _words()
    devices = _words()
    communication = s.CharField()
    contact_name = s.CharField()
    contact_relation = s.CharField()
    contact_phone = s.CharField()
    bedroom = s.CharField()
    listed_at = s.DateTimeField()
    removed_at = s.DateTimeField(allow_null=True)
    removal_reason = s.CharField()
    answers = AnswerOut(many=True)
    version = s.IntegerField()


class DescribeIn(S[Any]):
    """What only people can tell."""

    devices = s.ListField(child=_text(80), required=False, max_length=20)
    communication = _text(120, required=False, allow_blank=True)
    contact_name = _text(120, required=False, allow_blank=True)
    contact_relation = _text(24, required=False, allow_blank=True)
    contact_phone = _text(24, required=False, allow_blank=True)
    bedroom = _text(120, required=False, allow_blank=True)


class ExplanationOut(S[Any]):
    """Why somebody is or is not in what an office receives."""

    office_id = s.IntegerField()
    office_name = s.CharField()
    include = s.BooleanField()
    code = s.CharField()
    reason = s.CharField()
    in_newest_edition = s.BooleanField()


class ListingIn(S[Any]):
    """申出・職権."""

    person = s.IntegerField()
    kind = s.ChoiceField(["self_nominated", "third_party", "manual_include", "manual_exclude"])
    reason = _text(240)


class ReleaseIn(S[Any]):
    """要照会の方の提供承認 (R11)."""

    kinds = s.ListField(child=s.ChoiceField(KINDS), min_length=1)
    reason = _text(240)


class ProxyIn(S[Any]):
    """代理人."""

    name = _text(120)
    relation = _text(24)
    reason = _text(120)


class ConsentIn(S[Any]):
    """One answer (R3, R4)."""

    person = s.IntegerField()
    purpose = s.ChoiceField([one.value for one in Purpose])
    answer = s.ChoiceField([one.value for one in Answer])
    answered_at = s.DateTimeField()
    means = s.ChoiceField([one.value for one in Means])
    form_version = _text(24)
    kinds = s.ListField(child=s.ChoiceField(KINDS), required=False)
    explained_normal = s.BooleanField(default=False)
    explained_disaster = s.BooleanField(default=False)
    proxy = ProxyIn(required=False, allow_null=True)


class PersonIn(S[Any]):
    """Whose answers."""

    person = s.IntegerField()


class IdOut(S[Any]):
    id = s.IntegerField()


class CorrectionIn(S[Any]):
    """変更の申出: a sentence about one card of the own edition."""

    row = s.IntegerField()
    sentence = _text(500)


class CorrectionOut(S[Any]):
    """変更の申出 (R12)."""

    id = s.IntegerField()
    office_name = s.CharField()
    person_id = s.IntegerField()
    name = s.CharField()
    sentence = s.CharField()
    state = s.CharField()
    state_label = s.CharField()
    reported_at = s.DateTimeField()
    reported_by = s.CharField()
    decided_at = s.DateTimeField(allow_null=True)
    note = s.CharField()


class DecisionIn(S[Any]):
    accepted = s.BooleanField()
    note = _text(240, required=False, allow_blank=True, default="")


class PeriodIn(S[Any]):
    """「2026-10」."""

    period = _text(7)


class SharingRunOut(S[Any]):
    """定期提供: recipients = waiting + issued + held_back."""

    id = s.IntegerField()
    period = s.CharField()
    as_of = s.DateTimeField()
    mode = s.CharField()
    citation = s.CharField()
    recipients = s.IntegerField()
    waiting = s.IntegerField()
    issued = s.IntegerField()
    held_back = s.IntegerField()
    people = s.IntegerField()
    next_on = s.DateField()


class TaskOut(S[Any]):
    """One recipient of a run."""

    id = s.IntegerField()
    office_id = s.IntegerField()
    office_name = s.CharField()
    recipient_kind = s.CharField()
    state = s.CharField()
    state_label = s.CharField()
    code = s.CharField()
    reason = s.CharField()
    decided_at = s.DateTimeField(allow_null=True)
    edition_id = s.IntegerField(allow_null=True)
    edition_number = s.CharField()
    people = s.IntegerField()
    withheld = s.DictField(child=s.IntegerField())
    override_reason = s.CharField()


class ReasonIn(S[Any]):
    reason = _text(240)


class StateIn(S[Any]):
    period = _text(7, required=False)
    office = s.IntegerField(required=False)
    state = s.ChoiceField([one.value for one in CopyState], required=False)


class EmptyIn(S[Any]):
    """No body."""
