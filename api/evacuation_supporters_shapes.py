"""The shapes in which supporters, proposals, shelters and hazards enter and leave.

Owns the serializers of ``evacuation/supporters``, ``plans/proposals``, ``shelters``, ``hazards``.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from api.evacuation_plans_shapes import HelperOut, ReasonOut

S = s.Serializer
HOURS = ["always", "day", "night"]


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
