"""The shapes in which plans enter and leave; supporters and places have their own module.

Owns the serializers of ``evacuation/plans``.  The
content of a step is judged by the operation, which names each input.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from evacuation.domain.plan_items import PlanHazard
from evacuation.domain.planning import PlanState
from evacuation.domain.recipients import RecipientKind

S = s.Serializer
HAZARDS = [hazard.value for hazard in PlanHazard]


class ReasonOut(S[Any]):
    """One reason: mark ○△×, stable code, words."""

    mark = s.CharField()
    code = s.CharField()
    words = s.CharField()

    def to_representation(self, instance: Any) -> dict[str, str]:
        mark, code, words = instance
        return {"mark": mark, "code": code, "words": words}


class MissingOut(S[Any]):
    """What is missing before submission."""

    step = s.IntegerField()
    code = s.CharField()
    message = s.CharField()


class PlansIn(S[Any]):
    """Filters of the list."""

    state = s.MultipleChoiceField(choices=[state.value for state in PlanState], required=False)
    area = s.IntegerField(required=False)
    text = s.CharField(required=False, max_length=80)
    cursor = s.CharField(required=False, max_length=24)
    limit = s.IntegerField(required=False, min_value=1, max_value=200, default=50)


class PlanLineOut(S[Any]):
    """One listed person and the plan, if any (R15)."""

    person_id = s.IntegerField()
    roster_number = s.CharField()
    name = s.CharField()
    kana = s.CharField()
    area_name = s.CharField()
    urgency = s.IntegerField()
    plan_id = s.IntegerField(allow_null=True)
    number = s.CharField()
    state = s.CharField()
    state_label = s.CharField()
    review_due_on = s.DateField(allow_null=True)
    review_label = s.CharField()
    drafter = s.CharField()
    updated_at = s.DateTimeField(allow_null=True)


class PlansOut(S[Any]):
    """A page of the list."""

    results = PlanLineOut(many=True)
    next = s.CharField(allow_null=True)


class PlanIn(S[Any]):
    """Start the plan of a person; an officer may name the drafter."""

    person_id = s.IntegerField()
    drafter_id = s.IntegerField(required=False, allow_null=True)


class StepIn(S[Any]):
    """The values of one step (1–7); a field that is not sent is kept."""

    step = s.IntegerField(min_value=1, max_value=7)
    values = s.DictField()


class StepOut(S[Any]):
    """One step of the hub."""

    number = s.IntegerField()
    label = s.CharField()  # type: ignore[assignment]  # a field
    state = s.CharField()
    words = s.CharField()
    gaps = MissingOut(many=True)


class HelperOut(S[Any]):
    """One supporter of the person."""

    assignment_id = s.IntegerField()
    supporter_id = s.IntegerField()
    position = s.IntegerField()
    name = s.CharField()
    relation = s.CharField()
    role = s.CharField()
    address = s.CharField()
    phone = s.CharField()
    hours = s.CharField()
    state = s.CharField()
    state_label = s.CharField()
    agreed = s.BooleanField()


class PlanOut(S[Any]):
    """One plan; ``edit_version`` is the entity tag that changes ask for."""

    plan_id = s.IntegerField()
    number = s.CharField()
    person_id = s.IntegerField(source="person.id")
    name = s.CharField(source="person.name")
    roster_number = s.CharField()
    state = s.CharField()
    state_label = s.CharField()
    version_number = s.IntegerField()
    edit_version = s.IntegerField()
    approved_versions = s.IntegerField()
    in_work = s.BooleanField()
    may_write = s.BooleanField()
    acts = s.ListField(child=s.CharField())
    steps = StepOut(many=True)
    done_count = s.IntegerField()
    values = s.DictField()
    supporters = HelperOut(many=True)
    making_agreed_at = s.DateTimeField(allow_null=True)
    author = s.CharField()
    saved_at = s.DateTimeField(allow_null=True)
    submitted_at = s.DateTimeField(allow_null=True)
    submitted_by = s.CharField()
    approved_at = s.DateTimeField(allow_null=True)
    approved_by = s.CharField()
    return_reason = s.CharField()
    review_due_on = s.DateField(allow_null=True)
    review_label = s.CharField()
    drafter = s.CharField()


class WhyIn(S[Any]):
    """A reason."""

    reason = s.CharField(max_length=500)


class HazardIn(S[Any]):
    """For which hazard."""

    hazard = s.ChoiceField(choices=HAZARDS)
    text = s.CharField(required=False, max_length=80, default="")


class OptionOut(S[Any]):
    """One shelter to choose."""

    shelter_id = s.IntegerField()
    rank = s.IntegerField()
    name = s.CharField()
    kind_label = s.CharField()
    address = s.CharField()
    longitude = s.FloatField()
    latitude = s.FloatField()
    metres = s.FloatField()
    minutes = s.IntegerField()
    capacity = s.IntegerField(allow_null=True)
    taken = s.IntegerField()
    left = s.IntegerField(allow_null=True)
    capacity_is_sample = s.BooleanField()
    reasons = ReasonOut(many=True)
    refused = s.CharField()
    checked = s.BooleanField()


class OptionsOut(S[Any]):
    """Shelters for one hazard."""

    results = OptionOut(many=True)


class MapOut(S[Any]):
    """GeoJSON, and the same in words."""

    data = s.JSONField()  # type: ignore[assignment]  # a field
    text = s.CharField()
    source = s.CharField()  # type: ignore[assignment]  # a field


class EventOut(S[Any]):
    """One thing that happened."""

    at = s.DateTimeField()
    by = s.CharField()
    event = s.CharField()
    state_label = s.CharField()
    note = s.CharField()


class HistoryOut(S[Any]):
    """The plan's life, newest first."""

    results = EventOut(many=True)


class SheetIn(S[Any]):
    """Which version, and for which kind of recipient (none: the city's own)."""

    version = s.IntegerField(required=False, min_value=1)
    kind = s.ChoiceField(choices=[kind.value for kind in RecipientKind], required=False)
