"""The shapes in which the registry leaves and enters by the machine face.

Owns the serializers of ``registry/…`` endpoints and the reading of query strings.  Refuses an
unknown value at the door; the rules themselves are the operations'.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from api.base import InvalidInput, flatten
from registry.domain.importing.classifying import Verdict
from registry.domain.roles import Role

S = serializers.Serializer


def asked(serializer: type[S[Any]], request: Request) -> dict[str, Any]:
    """The validated query string.

    Raises:
        InvalidInput: naming each parameter that is wrong.
    """
    form = serializer(data=request.query_params)
    if not form.is_valid():
        raise InvalidInput(fields=flatten(form.errors))
    return dict(form.validated_data)


class AreaOut(S[Any]):
    """区域; degrees WGS 84."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    kana = serializers.CharField()
    parent_id = serializers.IntegerField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)


class OrganisationOut(S[Any]):
    """団体."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    kana = serializers.CharField()
    area_id = serializers.IntegerField(allow_null=True)
    address = serializers.CharField()
    phone = serializers.CharField()


class KindIn(S[Any]):
    """Narrow a list to one kind."""

    kind = serializers.CharField(required=False, max_length=16)


class HolderOut(S[Any]):
    """A term of office; ``ends_on`` is the first day without it."""

    appointment_id = serializers.IntegerField()
    user_id = serializers.IntegerField()
    display_name = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)


class OfficeAreaOut(S[Any]):
    """A piece of responsibility; ``section`` is one 班, or empty for all."""

    area_id = serializers.IntegerField()
    area_code = serializers.CharField()
    area_name = serializers.CharField()
    section = serializers.CharField()


class OfficeOut(S[Any]):
    """役職 with its areas and who holds it today (empty: 欠員)."""

    id = serializers.IntegerField()
    role = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    organisation_id = serializers.IntegerField()
    organisation_name = serializers.CharField()
    areas = OfficeAreaOut(many=True)
    holders = HolderOut(many=True)


class OfficesIn(S[Any]):
    """Which offices."""

    role = serializers.ChoiceField(choices=[one.value for one in Role], required=False)
    vacant = serializers.BooleanField(required=False, default=False)


class AppointmentIn(S[Any]):
    """委嘱・任命."""

    office = serializers.IntegerField()
    user = serializers.IntegerField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True, default=None)


class AppointmentOut(S[Any]):
    """The term as recorded."""

    id = serializers.IntegerField()
    office_id = serializers.IntegerField()
    user_id = serializers.IntegerField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)


class EndIn(S[Any]):
    """The first day on which it no longer holds."""

    ends_on = serializers.DateField()


class PageIn(S[Any]):
    """Where a page begins and how long it is; ``area`` is an area's id, with all below it."""

    cursor = serializers.CharField(required=False, max_length=24)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)
    area = serializers.IntegerField(required=False)


class SearchIn(PageIn):
    """A search stands in a body, so that no name stands in an address or a log."""

    text = serializers.CharField(max_length=80)


class PersonLineOut(S[Any]):
    """住民, one line."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    name = serializers.CharField()
    kana = serializers.CharField()
    born_on = serializers.DateField(allow_null=True)
    sex = serializers.CharField()
    address = serializers.CharField()
    building = serializers.CharField()
    area_id = serializers.IntegerField(allow_null=True)
    area_name = serializers.CharField(allow_null=True)
    section = serializers.CharField()
    phone = serializers.CharField()
    protected_until = serializers.DateField(allow_null=True)


class PersonOut(PersonLineOut):
    """住民 with everything the register knows; reading it leaves a record."""

    born_precision = serializers.CharField()
    postcode = serializers.CharField()
    town = serializers.CharField()
    koaza = serializers.CharField()
    longitude = serializers.FloatField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)
    location_source = serializers.CharField()
    location_uncertainty_m = serializers.IntegerField()
    moved_in_on = serializers.DateField(allow_null=True)
    moved_out_on = serializers.DateField(allow_null=True)
    died_on = serializers.DateField(allow_null=True)
    facility_since = serializers.DateField(allow_null=True)
    facility_name = serializers.CharField()
    household_number = serializers.CharField(allow_null=True)
    care_level = serializers.CharField()
    physical_grade = serializers.IntegerField(allow_null=True)
    physical_parts = serializers.ListField(child=serializers.CharField())
    physical_class = serializers.IntegerField(allow_null=True)
    intellectual_label = serializers.CharField()
    mental_grade = serializers.IntegerField(allow_null=True)
    intractable_disease = serializers.BooleanField()
    needs = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()


class PersonChangeIn(S[Any]):
    """What staff record by hand; the register owns the rest."""

    phone = serializers.CharField(required=False, allow_blank=True, max_length=24)
    longitude = serializers.FloatField(required=False)
    latitude = serializers.FloatField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("longitude" in attrs) != ("latitude" in attrs):
            raise serializers.ValidationError({"longitude": "経度と緯度は両方入れてください。"})
        if ("phone" in attrs) == ("longitude" in attrs):
            raise serializers.ValidationError(
                {"phone": "電話番号か位置の、どちらか一方を入れてください。"}
            )
        return attrs


class VolunteerIn(S[Any]):
    """ボランティア登録."""

    number = serializers.CharField(max_length=12)
    name = serializers.CharField(max_length=120)
    kana = serializers.CharField(max_length=160)
    born_on = serializers.DateField()
    area = serializers.IntegerField(required=False, allow_null=True, default=None)
    resident = serializers.BooleanField(required=False, default=True)
    address = serializers.CharField(required=False, allow_blank=True, max_length=240, default="")
    phone = serializers.CharField(required=False, allow_blank=True, max_length=24, default="")
    has_phone = serializers.BooleanField(required=False, default=False)


class VolunteerOut(S[Any]):
    """ボランティア."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    name = serializers.CharField()
    kana = serializers.CharField()
    born_on = serializers.DateField()
    area_id = serializers.IntegerField(allow_null=True)
    resident = serializers.BooleanField()
    address = serializers.CharField()
    phone = serializers.CharField()
    has_phone = serializers.BooleanField()
    registered_on = serializers.DateField()
    left_on = serializers.DateField(allow_null=True)
    opted_in = serializers.BooleanField()
    availability = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())


class CardIn(S[Any]):
    """Whose card; ``reissue`` kills the card in force at once."""

    volunteer = serializers.IntegerField()
    reissue = serializers.BooleanField(required=False, default=False)


class CardOut(S[Any]):
    """A card just issued: ``code`` and ``url`` are for printing it."""

    volunteer_id = serializers.IntegerField()
    tail = serializers.CharField()
    issued_at = serializers.DateTimeField()
    code = serializers.CharField()
    url = serializers.CharField()


class CardOffIn(S[Any]):
    """Whose card is lost."""

    volunteer = serializers.IntegerField()


class CancelledCardOut(S[Any]):
    """The card that no longer counts."""

    volunteer_id = serializers.IntegerField()
    tail = serializers.CharField()
    cancelled_at = serializers.DateTimeField()


class ImportIn(S[Any]):
    """A file and the code of its mapping profile (multipart/form-data)."""

    file = serializers.FileField()
    profile = serializers.CharField(required=False, max_length=40, default="residents")


class BatchOut(S[Any]):
    """取込; new + changed + same + ambiguous + rejected = rows."""

    id = serializers.IntegerField()
    profile = serializers.CharField()
    file_name = serializers.CharField()
    state = serializers.CharField()
    rows = serializers.IntegerField()
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    same = serializers.IntegerField()
    ambiguous = serializers.IntegerField()
    rejected = serializers.IntegerField()
    staged_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)


class PreviewIn(S[Any]):
    """Which rows: one verdict, after a row number."""

    verdict = serializers.ChoiceField(choices=[one.value for one in Verdict], required=False)
    after = serializers.IntegerField(required=False, default=0, min_value=0)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)


class ChangeOut(S[Any]):
    """One field before and after, in words."""

    field = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class RowOut(S[Any]):
    """One row of the preview with its verdict."""

    row_number = serializers.IntegerField()
    verdict = serializers.CharField()
    number = serializers.CharField()
    name = serializers.CharField()
    column = serializers.CharField()
    code = serializers.CharField()
    reason = serializers.CharField()
    changes = ChangeOut(many=True)


class PreviewOut(S[Any]):
    """The totals and some rows; ``next`` is the ``after`` of the following ones."""

    batch = BatchOut()
    rows = RowOut(many=True)
    next = serializers.IntegerField(allow_null=True)


def page_of(serializer: type[S[Any]], name: str) -> type[S[Any]]:
    """``{"results": […], "next": cursor or null}`` of a shape, for the schema."""
    return type(name, (S,), {
        "results": serializer(many=True),
        "next": serializers.CharField(allow_null=True),
        "__doc__": "Rows and the cursor of what follows (null at the end).",
    })


def list_of(serializer: type[S[Any]], name: str) -> type[S[Any]]:
    """``{"results": […]}`` of a shape, for the schema."""
    return type(name, (S,), {"results": serializer(many=True), "__doc__": "Every row."})


AreasOut = list_of(AreaOut, "AreasOut")
OrganisationsOut = list_of(OrganisationOut, "OrganisationsOut")
OfficesOut = list_of(OfficeOut, "OfficesOut")
BatchesOut = list_of(BatchOut, "BatchesOut")
PeopleOut = page_of(PersonLineOut, "PeopleOut")
VolunteersOut = page_of(VolunteerOut, "VolunteersOut")
