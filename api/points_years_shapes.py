"""The shapes of fiscal years by the machine face: states, previews, exceptions, corrections.

Owns the serializers of ``points/years…``.  Volunteers are ids here: names are asked for where
looking them up leaves a record.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.points_shapes import YearShape
from points.domain.years import ExceptionKind

S = serializers.Serializer


class EventOut(S[Any]):
    """年度の経過."""

    kind = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    reason = serializers.CharField()
    figures = serializers.DictField()


class ExceptionOut(S[Any]):
    """年度の特例."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    exchange_until = serializers.DateField(allow_null=True)
    lapses_on = serializers.DateField(allow_null=True)
    ends = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    authority = serializers.CharField()
    decided_on = serializers.DateField()
    made_at = serializers.DateTimeField()
    made_by = serializers.CharField()
    in_force = serializers.BooleanField()


class YearStateOut(S[Any]):
    """年度の状態: what comes next, and why not yet."""

    programme = serializers.CharField()
    name = serializers.CharField()
    fiscal_year = serializers.IntegerField()
    state = serializers.CharField()
    terms = YearShape()
    carries_all = serializers.BooleanField()
    closing_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    lapsed_at = serializers.DateTimeField(allow_null=True)
    step = serializers.CharField()
    not_yet = serializers.CharField()
    waiting = serializers.IntegerField()


class YearWholeOut(YearStateOut):
    """年度の状態 with its history."""

    events = EventOut(many=True)
    exceptions = ExceptionOut(many=True)


class ClosingPreviewOut(S[Any]):
    """What closing would leave behind."""

    year = YearStateOut()
    figures = serializers.DictField(child=serializers.IntegerField())
    next_year_open = serializers.BooleanField()
    version = serializers.IntegerField()


class CloseIn(S[Any]):
    """Why the year is closed, or a record corrected."""

    reason = serializers.CharField(max_length=160)


class DecisionIn(S[Any]):
    """決裁: why, by whom, when."""

    reason = serializers.CharField(max_length=160)
    authority = serializers.CharField(max_length=80)
    decided_on = serializers.DateField()


class ExceptionIn(DecisionIn):
    """A new exception; both dates for a postponement, none for carrying everything."""

    kind = serializers.ChoiceField([ExceptionKind.POSTPONE.value, ExceptionKind.CARRY.value])
    exchange_until = serializers.DateField(allow_null=True, default=None)
    lapses_on = serializers.DateField(allow_null=True, default=None)


class LateOut(S[Any]):
    """A record that came after the close."""

    attendance_id = serializers.IntegerField()
    volunteer_id = serializers.IntegerField()
    session_title = serializers.CharField()
    held_on = serializers.DateField()
    method = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class CorrectionOut(S[Any]):
    """A closed year that would change."""

    id = serializers.IntegerField()
    volunteer_id = serializers.IntegerField()
    stands = serializers.IntegerField()
    would_be = serializers.IntegerField()
    noticed_at = serializers.DateTimeField()


class WaitingOut(S[Any]):
    """What waits for a named correction."""

    late = LateOut(many=True)
    corrections = CorrectionOut(many=True)
    more = serializers.BooleanField()


class CorrectedOut(S[Any]):
    """How a correction was decided."""

    id = serializers.IntegerField()
    volunteer_id = serializers.IntegerField()
    outcome = serializers.CharField()
    reason = serializers.CharField()
    resolved_at = serializers.DateTimeField()


class LateCorrectedOut(S[Any]):
    """A late record that counts now."""

    id = serializers.IntegerField()
    correction = serializers.CharField()
    corrected_at = serializers.DateTimeField()
