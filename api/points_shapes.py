"""The shapes in which points leave and enter by the machine face.

Owns the serializers of ``points/…`` and the quick reading of scans: 5,000 in a batch, each judged
alone, because one bad item never blocks the rest.  interfaces.md, "HTTP API"; P5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from points.domain.results import Result
from points.domain.rules import Below, Per, Remainder, Source
from points.operations.attendance import ScanRequest

S = serializers.Serializer
_BIG = 1 << 62
RESULTS = [*(one.value for one in Result), "conflict", "invalid"]


def parse_scan(item: Any) -> ScanRequest | dict[str, str]:
    """One scan as sent, or what is wrong with it by field."""
    if not isinstance(item, Mapping):
        return {"": "オブジェクトにしてください。"}
    wrong: dict[str, str] = {}
    number = _uuid(item.get("id"))
    if number is None:
        wrong["id"] = "UUIDにしてください。"
    at = instant(item.get("scanned_at"))
    if at is None:
        wrong["scanned_at"] = "時差のついた日時にしてください。"
    code = item.get("code", "")
    if not isinstance(code, str) or len(code) > 512:
        wrong["code"] = "512文字までの文字列にしてください。"
    method = item.get("method", "")
    if method not in ("", "name_search", "paper"):
        wrong["method"] = "name_search か paper にしてください。"
    numbers = {}
    for name in ("session", "counter", "volunteer"):
        value = item.get(name)
        if value is not None and not (type(value) is int and 0 <= value < _BIG):
            wrong[name] = "0以上の整数にしてください。"
        numbers[name] = value
    if not wrong and not code and numbers["volunteer"] is None:
        wrong["code"] = "コードを入れてください。"
    if wrong or number is None or at is None:
        return wrong
    return ScanRequest(
        number, at, code=code, session_id=numbers["session"], counter=numbers["counter"],
        volunteer_id=numbers["volunteer"], method=method,
    )


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) and len(value) <= 45 else None
    except ValueError:
        return None


def instant(value: Any) -> datetime | None:
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None or found.tzinfo is None or not 1971 <= found.year <= 9000:
        return None
    return found.astimezone(UTC)


class ScanIn(S[Any]):
    """読みとり1件. A card code needs ``session``; an event code takes the bound phone's person."""

    id = serializers.UUIDField()
    code = serializers.CharField(required=False, max_length=512)
    session = serializers.IntegerField(required=False, min_value=0)
    scanned_at = serializers.DateTimeField()
    counter = serializers.IntegerField(required=False, min_value=0)
    volunteer = serializers.IntegerField(required=False, min_value=0)
    method = serializers.ChoiceField(["name_search", "paper"], required=False)


class ScanOut(S[Any]):
    """The answer; a repeat of ``id`` gives the same body."""

    id = serializers.CharField()
    result = serializers.ChoiceField(RESULTS)
    points = serializers.IntegerField()
    reason = serializers.CharField()
    attendance = serializers.IntegerField(allow_null=True)
    balance = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(required=False)


class BatchIn(S[Any]):
    """Up to 5,000 scans with the device's clock."""

    device_time = serializers.DateTimeField()
    scans = ScanIn(many=True, max_length=5000)  # type: ignore[call-arg]  # taken by the list


class BatchOut(S[Any]):
    """Answers in order; counters of this device that never arrived."""

    results = ScanOut(many=True)
    missing_counters = serializers.ListField(child=serializers.IntegerField())


class RateShape(S[Any]):
    """Points of an activity kind."""

    kind = serializers.CharField(max_length=24)
    label = serializers.CharField(max_length=24)  # type: ignore[assignment]  # fields leave the class
    points = serializers.IntegerField(min_value=0, max_value=1000)
    per = serializers.ChoiceField([one.value for one in Per], default="attendance")


class RulesShape(S[Any]):
    """要領."""

    code = serializers.CharField(max_length=40)
    begins_on = serializers.DateField()
    rates = RateShape(many=True, max_length=40)  # type: ignore[call-arg]  # taken by the list
    sources = serializers.ListField(
        child=serializers.ChoiceField([one.value for one in Source]), max_length=3
    )
    points_per_voucher = serializers.IntegerField(max_value=100_000)
    yen_per_voucher = serializers.IntegerField(max_value=1_000_000)
    group_day_cap = serializers.IntegerField(allow_null=True, default=None, max_value=100_000)
    daily_cap = serializers.IntegerField(allow_null=True, default=None, max_value=100_000)
    vouchers_per_year = serializers.IntegerField(allow_null=True, default=None, max_value=10_000)
    minimum_age = serializers.IntegerField(allow_null=True, default=None, max_value=200)
    residence_required = serializers.BooleanField(default=False)
    membership_required = serializers.BooleanField(default=False)
    remainder = serializers.ChoiceField([one.value for one in Remainder], default="void")
    enrolment_required = serializers.BooleanField(default=False)
    group_minimum = serializers.IntegerField(allow_null=True, default=None, max_value=1_000)
    group_counts_eligible = serializers.BooleanField(default=False)
    group_below = serializers.ChoiceField([one.value for one in Below], default="warn")


class YearShape(S[Any]):
    """年度の定め."""

    fiscal_year = serializers.IntegerField(min_value=2000, max_value=2200)
    yen_value = serializers.IntegerField(max_value=1_000_000)
    exchange_from = serializers.DateField()
    exchange_until = serializers.DateField()
    grace_until = serializers.DateField()
    lapses_on = serializers.DateField()
    annual_cap = serializers.IntegerField(allow_null=True, default=None, max_value=1_000_000)
    state = serializers.CharField(read_only=True)


class ProgrammeIn(S[Any]):
    """A new programme."""

    code = serializers.CharField(max_length=16)
    name = serializers.CharField(max_length=80)
    short_name = serializers.CharField(max_length=24, default="", allow_blank=True)


class ProgrammeOut(S[Any]):
    """ポイント事業."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    short_name = serializers.CharField()
    rules = RulesShape(many=True)
    years = YearShape(many=True)


class SessionIn(S[Any]):
    """A session of a group, or of a host without one."""

    title = serializers.CharField(max_length=120)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    place = serializers.CharField(max_length=120, default="", allow_blank=True)
    group = serializers.IntegerField(allow_null=True, default=None, min_value=0, max_value=_BIG)
    organisation = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=_BIG
    )
    programme = serializers.CharField(max_length=16, default="", allow_blank=True)
    activity_kind = serializers.CharField(max_length=24, default="", allow_blank=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # fields leave the class
        [one.value for one in Source], default="group"
    )


class SessionOut(S[Any]):
    """開催回."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    organisation_id = serializers.IntegerField()
    group_id = serializers.IntegerField(allow_null=True)
    programme = serializers.CharField()
    activity_kind = serializers.CharField()
    place = serializers.CharField()
    held_on = serializers.DateField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    headcount = serializers.IntegerField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    count = serializers.IntegerField()


class AttendanceOut(S[Any]):
    """参加記録."""

    id = serializers.IntegerField()
    volunteer_id = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.CharField()
    method = serializers.CharField()
    attended_at = serializers.DateTimeField()
    points = serializers.IntegerField()
    sentence = serializers.CharField()
    voided_at = serializers.DateTimeField(allow_null=True)


class SessionDay(S[Any]):
    """Which sessions."""

    on = serializers.DateField(required=False)


class SessionAsked(S[Any]):
    """Of which session."""

    session = serializers.IntegerField(min_value=0, max_value=_BIG)


class VoidIn(S[Any]):
    """Why."""

    reason = serializers.CharField(max_length=160)


class YearAsked(S[Any]):
    """Of which fiscal year; the current one without it."""

    fiscal_year = serializers.IntegerField(required=False, min_value=2000, max_value=2200)


class LineOut(S[Any]):
    """One line of the statement."""

    on = serializers.DateField()
    sentence = serializers.CharField()
    points = serializers.IntegerField()
    balance = serializers.IntegerField()
    kind = serializers.CharField()
    attendance_id = serializers.IntegerField(allow_null=True)
    state = serializers.CharField()


class PartOut(S[Any]):
    """One programme's part."""

    programme = serializers.CharField()
    name = serializers.CharField()
    lines = LineOut(many=True)
    balance = serializers.IntegerField()
    wallet = serializers.IntegerField()
    owed = serializers.IntegerField()


class StatementOut(S[Any]):
    """明細."""

    volunteer_id = serializers.IntegerField()
    fiscal_year = serializers.IntegerField()
    parts = PartOut(many=True)


class ExchangeIn(S[Any]):
    """``id`` is the client's UUID: the same request, the same answer."""

    id = serializers.UUIDField()
    volunteer = serializers.IntegerField(min_value=0, max_value=_BIG)
    programme = serializers.CharField(max_length=16)
    count = serializers.IntegerField(min_value=1, max_value=100)


class VoucherOut(S[Any]):
    """利用券, without its code."""

    serial = serializers.CharField()
    yen = serializers.IntegerField()
    state = serializers.CharField()
    valid_until = serializers.DateField()


class ExchangeOut(S[Any]):
    """交換."""

    id = serializers.UUIDField()
    volunteer_id = serializers.IntegerField()
    programme = serializers.CharField()
    count = serializers.IntegerField()
    points = serializers.IntegerField()
    vouchers = VoucherOut(many=True)


class RedeemIn(S[Any]):
    """A voucher's URL or code."""

    id = serializers.UUIDField()
    code = serializers.CharField(max_length=512)
    shop = serializers.IntegerField(required=False, min_value=0, max_value=_BIG)


class StatisticsAsked(S[Any]):
    """``group_by`` is a comma-separated list; every other dimension may be a filter."""

    fiscal_year = serializers.IntegerField(min_value=2000, max_value=2200)
    group_by = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    month = serializers.CharField(required=False, max_length=7)
    district = serializers.CharField(required=False, max_length=80)
    age_band = serializers.CharField(required=False, max_length=16)
    programme = serializers.CharField(required=False, max_length=16)
    activity_kind = serializers.CharField(required=False, max_length=24)
    group = serializers.CharField(required=False, max_length=120)
    method = serializers.CharField(required=False, max_length=16)


class ExportIn(StatisticsAsked):
    """A table as a file, and why."""

    format = serializers.ChoiceField(["xlsx", "csv", "csv_cp932"], default="xlsx")
    reason = serializers.CharField(max_length=200)


class RowOut(S[Any]):
    """One cell; a figure that does not apply is null."""

    key = serializers.ListField(child=serializers.CharField())
    figures = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    before = serializers.DictField(child=serializers.IntegerField(allow_null=True))


class StatisticsOut(S[Any]):
    """A table; ``before`` is the same period of last year."""

    fiscal_year = serializers.IntegerField()
    group_by = serializers.ListField(child=serializers.CharField())
    until = serializers.DateField()
    rows = RowOut(many=True)
    total = RowOut()
