"""The shapes of registered groups by the machine face (P9).

Owns the serializers of ``points/groups…``.  Refuses nothing by itself beyond sizes: the
operations judge.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

S = serializers.Serializer
_BIG = (1 << 63) - 1


class PlanShape(S[Any]):
    """活動計画の1行."""

    activity_kind = serializers.CharField(max_length=24)
    every = serializers.ChoiceField(["week", "month", "year"])
    times = serializers.IntegerField(min_value=1, max_value=366)
    place = serializers.CharField(max_length=120)
    audience = serializers.CharField(max_length=120)
    expected = serializers.IntegerField(
        allow_null=True, default=None, min_value=1, max_value=5_000
    )


class FilingShape(S[Any]):
    """What a group files."""

    name = serializers.CharField(max_length=120, default="", allow_blank=True)
    activity_kind = serializers.CharField(max_length=24)
    contact_name = serializers.CharField(max_length=80, default="", allow_blank=True)
    contact_phone = serializers.CharField(max_length=24, default="", allow_blank=True)
    contact_address = serializers.CharField(max_length=200, default="", allow_blank=True)
    plan = PlanShape(many=True, default=list, max_length=12)  # type: ignore[call-arg]


class GroupIn(FilingShape):
    """Begin a filing; ``register`` enters a paper one and registers it at once (council)."""

    organisation = serializers.IntegerField(min_value=0, max_value=_BIG)
    programme = serializers.CharField(max_length=16)
    fiscal_year = serializers.IntegerField(min_value=2000, max_value=2200)
    register = serializers.BooleanField(default=False)
    exception = serializers.CharField(max_length=200, default="", allow_blank=True)


class GroupAsked(S[Any]):
    """Filter of the list."""

    fiscal_year = serializers.IntegerField(required=False, min_value=2000, max_value=2200)
    state = serializers.ChoiceField(
        ["draft", "submitted", "registered", "returned", "withdrawn"], required=False
    )


class GroupOut(S[Any]):
    """登録団体. ``warning`` is "" while there are enough members."""

    id = serializers.IntegerField()
    organisation_id = serializers.IntegerField()
    programme = serializers.CharField()
    fiscal_year = serializers.IntegerField()
    name = serializers.CharField()
    activity_kind = serializers.CharField()
    area_id = serializers.IntegerField(allow_null=True)
    state = serializers.CharField()
    reason = serializers.CharField()
    exception = serializers.CharField()
    version = serializers.IntegerField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    registered_at = serializers.DateTimeField(allow_null=True)
    report_state = serializers.CharField()
    counted_on = serializers.DateField()
    members = serializers.IntegerField()
    counted = serializers.IntegerField()
    minimum = serializers.IntegerField(allow_null=True)
    warning = serializers.CharField()
    stops_sessions = serializers.BooleanField()


class ContactOut(S[Any]):
    """連絡先."""

    name = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()


class MemberOut(S[Any]):
    """会員, with why somebody does not count."""

    volunteer_id = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    counts = serializers.BooleanField()
    code = serializers.CharField()
    sentence = serializers.CharField()


class LeaderOut(S[Any]):
    """代表者."""

    volunteer_id = serializers.IntegerField()
    name = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    signs_in = serializers.BooleanField()


class EventOut(S[Any]):
    """経過."""

    kind = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    name = serializers.CharField()
    on = serializers.DateField(allow_null=True)
    note = serializers.CharField()
    members = serializers.IntegerField(allow_null=True)
    counted = serializers.IntegerField(allow_null=True)


class FilingOut(S[Any]):
    """One filing whole."""

    line = GroupOut()
    contact = ContactOut()
    plan = PlanShape(many=True)
    members = MemberOut(many=True)
    joining = MemberOut(many=True)
    leaders = LeaderOut(many=True)
    events = EventOut(many=True)


class ReasonIn(S[Any]):
    """Why."""

    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class AcceptIn(S[Any]):
    """Below the minimum: why it is registered all the same."""

    exception = serializers.CharField(max_length=200, default="", allow_blank=True)


class MemberIn(S[Any]):
    """A card's code, or (council) a volunteer."""

    code = serializers.CharField(max_length=512, default="", allow_blank=True)
    volunteer = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=_BIG
    )
    starts_on = serializers.DateField(allow_null=True, default=None)


class LeaveIn(S[Any]):
    """A member leaves; ``ends_on`` is the first day without."""

    volunteer = serializers.IntegerField(min_value=0, max_value=_BIG)
    ends_on = serializers.DateField(allow_null=True, default=None)
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class LeaderIn(S[Any]):
    """A member leads from a day."""

    volunteer = serializers.IntegerField(min_value=0, max_value=_BIG)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, default=None)
    username = serializers.CharField(max_length=64, default="", allow_blank=True)


class CountOut(S[Any]):
    """What a change of members led to."""

    members = serializers.IntegerField()
    counted = serializers.IntegerField()
    minimum = serializers.IntegerField(allow_null=True)
    warning = serializers.CharField()


class FigureOut(S[Any]):
    """One line of figures."""

    month = serializers.CharField()
    kind = serializers.CharField()
    kind_label = serializers.CharField()
    sessions = serializers.IntegerField()
    people = serializers.IntegerField()
    attendances = serializers.IntegerField()
    points = serializers.IntegerField()


class FiguresOut(S[Any]):
    """A year of figures."""

    lines = FigureOut(many=True)
    kinds = FigureOut(many=True)
    total = FigureOut()


class ReportOut(S[Any]):
    """実績報告. ``figures`` are those kept on acceptance, or today's."""

    state = serializers.CharField()
    text = serializers.CharField()
    reason = serializers.CharField()
    version = serializers.IntegerField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    changed_since = serializers.BooleanField()
    figures = FiguresOut()
    before = FiguresOut(allow_null=True)


class ReportIn(S[Any]):
    """The leader's words."""

    text = serializers.CharField(max_length=2_000, allow_blank=True)


class FileAsked(S[Any]):
    """Which file."""

    kind = serializers.ChoiceField(["pdf", "xlsx"], default="pdf")
