"""The shapes in which editions, cards and copies leave and enter.

Owns the serializers of the ``editions`` and ``copies`` endpoints.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

S = s.Serializer


class EditionOut(S[Any]):
    """版."""

    id = s.IntegerField()
    number = s.CharField()
    period = s.CharField()
    office_id = s.IntegerField()
    office_name = s.CharField()
    recipient_kind = s.CharField()
    recipient_label = s.CharField()
    holder_name = s.CharField()
    people = s.IntegerField()
    as_of = s.DateTimeField()
    issued_at = s.DateTimeField()
    has_xlsx = s.BooleanField()
    has_difference = s.BooleanField()
    content_digest = s.CharField()


class EditionsIn(S[Any]):
    period = s.CharField(required=False, max_length=7)
    office = s.IntegerField(required=False)


class CardValuesOut(S[Any]):
    """What this office may read of one person; empty means: not for this recipient."""

    number = s.CharField()
    name = s.CharField()
    kana = s.CharField()
    sex = s.CharField()
    birth = s.CharField()
    age = s.CharField()
    household = s.CharField()
    group = s.CharField()
    address = s.CharField()
    whereabouts = s.CharField()
    phone = s.CharField()
    reason = s.CharField()
    needs = s.ListField(child=s.CharField())
    devices = s.ListField(child=s.CharField())
    communication = s.CharField()
    commissioner = s.CharField()
    contacts = s.ListField(child=s.ListField(child=s.CharField()))
    supporters = s.CharField()
    destination = s.CharField()
    priority = s.CharField()
    internal = s.ListField(child=s.CharField())


class CardOut(S[Any]):
    """One card."""

    row_id = s.IntegerField()
    position = s.IntegerField()
    mark = s.CharField()
    changed = s.ListField(child=s.CharField())
    values = CardValuesOut()


class WatermarkOut(S[Any]):
    """What stands across the page (R9)."""

    holder = s.CharField()
    edition = s.CharField()
    shown_at = s.DateTimeField()
    notice = s.CharField()
    sample = s.BooleanField()


class OfficeRosterOut(S[Any]):
    """The newest edition of one office held today."""

    edition = EditionOut()
    cards = CardOut(many=True)
    left_out = s.IntegerField()
    watermark = WatermarkOut()


class RemovedOut(S[Any]):
    name = s.CharField()


class DifferenceOut(S[Any]):
    """変更一覧."""

    edition = EditionOut()
    previous_number = s.CharField()
    new = CardOut(many=True)
    changed = CardOut(many=True)
    removed = RemovedOut(many=True)
    unchanged = s.IntegerField()


class CopyOut(S[Any]):
    """副本."""

    id = s.IntegerField()
    number = s.CharField()
    medium = s.CharField()
    medium_label = s.CharField()
    state = s.CharField()
    state_label = s.CharField()
    state_at = s.DateTimeField()
    office_id = s.IntegerField()
    office_name = s.CharField()
    holder_name = s.CharField()
    holder_current = s.BooleanField()
    edition_id = s.IntegerField()
    edition_number = s.CharField()
    period = s.CharField()
    people = s.IntegerField()
    next_check_on = s.DateField(allow_null=True)
    check_overdue = s.BooleanField()
    version = s.IntegerField()


class EventOut(S[Any]):
    """副本の記録."""

    sequence = s.IntegerField()
    act = s.CharField()
    word = s.CharField()
    at = s.DateTimeField()
    by_name = s.CharField()
    office_name = s.CharField()
    note = s.CharField()


class CopyPageOut(S[Any]):
    copy = CopyOut()
    events = EventOut(many=True)


class NoteIn(S[Any]):
    note = s.CharField(required=False, allow_blank=True, max_length=240, default="")


class CertificateIn(S[Any]):
    """廃棄証明: way and witness."""

    note = s.CharField(max_length=240)


class HandOverIn(S[Any]):
    """To another office, or to the successor in the same one."""

    to_office = s.IntegerField(required=False)
    to_user = s.IntegerField(required=False)
    note = s.CharField(required=False, allow_blank=True, max_length=240, default="")


class LossIn(S[Any]):
    """紛失の届."""

    discovered_on = s.DateField()
    circumstances = s.CharField(max_length=500)
    malicious = s.BooleanField(default=False)


class LossOut(S[Any]):
    """What follows from a loss."""

    copy_id = s.IntegerField()
    people_count = s.IntegerField()
    first_target_on = s.DateField()
    first_due_on = s.DateField()
    final_due_on = s.DateField()


class StrikeOutOut(S[Any]):
    """削除依頼."""

    id = s.IntegerField()
    copy_id = s.IntegerField()
    copy_number = s.CharField()
    position = s.IntegerField()
    number = s.CharField()
    name = s.CharField()
    sentence = s.CharField()
    made_at = s.DateTimeField()
    done_at = s.DateTimeField(allow_null=True)
    letter_id = s.IntegerField(allow_null=True)


class FileIn(S[Any]):
    format = s.ChoiceField(["pdf", "xlsx", "difference"])
