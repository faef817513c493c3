"""The shapes in which plans, supporters, shelters and hazards enter and leave.

Owns the serializers of ``evacuation/plans``, ``supporters``, ``shelters``, ``hazards``.  The
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
HOURS = ["always", "day", "night"]


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


class SupporterOut(S[Any]):
    """One supporter."""

    id = s.IntegerField()
    kind = s.CharField()
    name = s.CharField()
    kana = s.CharField()
    address = s.CharField()
    phone = s.CharField()
    area_id = s.IntegerField(allow_null=True)
    area_name = s.CharField()
    capacity = s.IntegerField()
    load = s.IntegerField()
    places = s.IntegerField()
    availability = s.CharField()
    skills = s.ListField(child=s.CharField())
    consented_at = s.DateTimeField(allow_null=True)
    left_on = s.DateField(allow_null=True)
    located = s.BooleanField()


class SupportersIn(S[Any]):
    """Filters of the pool."""

    area = s.IntegerField(required=False)
    text = s.CharField(required=False, max_length=80, default="")


class SupportersOut(S[Any]):
    """The pool."""

    results = SupporterOut(many=True)


class SupporterIn(S[Any]):
    """A volunteer who opted in, an organisation, or a person by name: exactly one of them."""

    volunteer_id = s.IntegerField(required=False)
    organisation_id = s.IntegerField(required=False)
    name = s.CharField(required=False, max_length=120)
    kana = s.CharField(required=False, max_length=160, default="")
    address = s.CharField(required=False, max_length=240, default="")
    phone = s.CharField(required=False, max_length=24, default="")
    area_id = s.IntegerField(required=False, allow_null=True)
    longitude = s.FloatField(required=False, allow_null=True)
    latitude = s.FloatField(required=False, allow_null=True)
    capacity = s.IntegerField(required=False, min_value=1, max_value=5)
    availability = s.ChoiceField(choices=HOURS, required=False, default="always")
    skills = s.ListField(child=s.CharField(max_length=24), required=False, default=list,
                         max_length=20)


class ConsentIn(S[Any]):
    """The supporter's own word, given or taken back."""

    agreed = s.BooleanField()
    address = s.CharField(required=False, max_length=240, default="", allow_blank=True)
    phone = s.CharField(required=False, max_length=24, default="", allow_blank=True)


class CandidateOut(S[Any]):
    """A candidate for one person."""

    supporter = SupporterOut()
    reasons = ReasonOut(many=True)
    tenths = s.IntegerField(allow_null=True)
    proposed = s.BooleanField()
    proposal_id = s.IntegerField(allow_null=True)
    assignment_id = s.IntegerField(allow_null=True)
    position = s.IntegerField(allow_null=True)
    state = s.CharField()
    state_label = s.CharField()


class GapOut(S[Any]):
    """Why somebody stays without."""

    person_id = s.IntegerField()
    person_name = s.CharField()
    area_name = s.CharField()
    missing = s.IntegerField()
    kind = s.CharField()
    words = s.CharField()
    people = s.ListField(child=s.CharField())
    supporters = s.ListField(child=s.CharField())
    wanted = s.IntegerField()
    places = s.IntegerField()
    nearest_m = s.IntegerField(allow_null=True)


class CandidatesOut(S[Any]):
    """Candidates, and the gap when the newest run found too few."""

    results = CandidateOut(many=True)
    gaps = GapOut(many=True)


class RunIn(S[Any]):
    """Areas (町内会 or 地区) to look at; none is the whole city."""

    areas = s.ListField(child=s.IntegerField(), required=False, allow_null=True, max_length=500)


class RunOut(S[Any]):
    """One run of the matching."""

    id = s.IntegerField()
    state = s.CharField()
    state_label = s.CharField()
    areas = s.ListField(child=s.IntegerField(), allow_null=True)
    asked_at = s.DateTimeField()
    done_at = s.DateTimeField(allow_null=True)
    people = s.IntegerField()
    supporters = s.IntegerField()
    wanted = s.IntegerField()
    filled = s.IntegerField()
    kept = s.IntegerField()
    cost_tenths = s.IntegerField()
    proven = s.BooleanField()


class ProposalOut(S[Any]):
    """One proposed pair."""

    id = s.IntegerField()
    person_id = s.IntegerField()
    person_name = s.CharField()
    area_name = s.CharField()
    supporter_id = s.IntegerField()
    supporter_name = s.CharField()
    position = s.IntegerField()
    minutes = s.IntegerField()
    reasons = ReasonOut(many=True)
    removed = s.BooleanField()


class RunPageOut(S[Any]):
    """A run with a page of its proposals and gaps."""

    run = RunOut(allow_null=True)
    proposals = ProposalOut(many=True)
    gaps = GapOut(many=True)


class RunPageIn(S[Any]):
    """Which part."""

    start = s.IntegerField(required=False, min_value=0, default=0)
    limit = s.IntegerField(required=False, min_value=1, max_value=500, default=100)


class AssignmentIn(S[Any]):
    """Who shall be asked, as which helper."""

    supporter_id = s.IntegerField()
    position = s.IntegerField(required=False, min_value=1, max_value=3, allow_null=True)
    role = s.CharField(required=False, max_length=40, default="", allow_blank=True)


class AssignmentActIn(S[Any]):
    """ask · consent · decline · end (with a reason)."""

    act = s.ChoiceField(choices=["ask", "consent", "decline", "end"])
    reason = s.CharField(required=False, max_length=120, default="", allow_blank=True)


class HelpersOut(S[Any]):
    """The supporters of a person in order of calling."""

    results = HelperOut(many=True)


class ShelterOut(S[Any]):
    """One shelter."""

    id = s.IntegerField()
    source_id = s.CharField()
    name = s.CharField()
    address = s.CharField()
    longitude = s.FloatField()
    latitude = s.FloatField()
    is_welfare = s.BooleanField()
    admits_text = s.CharField()
    safe_for = s.ListField(child=s.CharField(), allow_null=True)
    join_state = s.CharField()
    join_candidates = s.JSONField()
    capacity = s.IntegerField(allow_null=True)
    capacity_is_sample = s.BooleanField()
    special_places = s.DictField(child=s.IntegerField())
    companions = s.IntegerField()
    direct_evacuation = s.BooleanField()
    confirmation = s.CharField()
    closed_on = s.CharField(allow_null=True)
    source = s.CharField()  # type: ignore[assignment]  # a field
    version = s.IntegerField()
    taken = s.DictField(child=s.IntegerField())


class SheltersIn(S[Any]):
    """Filters."""

    welfare = s.BooleanField(required=False, allow_null=True, default=None)
    doubtful = s.BooleanField(required=False, default=False)
    text = s.CharField(required=False, max_length=80, default="")


class SheltersOut(S[Any]):
    """Shelters by name."""

    results = ShelterOut(many=True)


class CapacityIn(S[Any]):
    """要配慮者の枠 and its terms; null is unknown."""

    capacity = s.IntegerField(allow_null=True, min_value=0, max_value=100_000)
    special_places = s.DictField(child=s.IntegerField(min_value=0), required=False, default=dict)
    companions = s.IntegerField(required=False, min_value=0, max_value=8, default=0)
    direct_evacuation = s.BooleanField(required=False, default=False)
    confirmation = s.ChoiceField(choices=["none", "asked", "confirmed"], required=False,
                                 default="none")
    is_sample = s.BooleanField(required=False, default=False)


class JoinIn(S[Any]):
    """The site at the same place, or null for none."""

    site_id = s.IntegerField(allow_null=True)


class PointIn(S[Any]):
    """A point in degrees, JGD2011."""

    lon = s.FloatField(min_value=-180, max_value=180)
    lat = s.FloatField(min_value=-90, max_value=90)
    uncertainty = s.FloatField(required=False, min_value=0, max_value=50_000, default=0)


class ZoneOut(S[Any]):
    """One zone at a point."""

    hazard = s.CharField()
    kind = s.CharField()
    rank = s.IntegerField()
    label = s.CharField()  # type: ignore[assignment]  # a field
    special = s.BooleanField()
    designated = s.BooleanField()
    source = s.CharField()  # type: ignore[assignment]  # a field


class ZonesOut(S[Any]):
    """Zones at a point; ``covered`` are the hazards that were checked at all."""

    results = ZoneOut(many=True)
    covered = s.ListField(child=s.CharField())
