"""What staff record about residents by hand: a place on the map, a phone, who looks after whom.

Owns the few facts that do not come from an import.  Refuses to touch what the register owns
(name, birth, address: the next import would undo it) and a change over somebody else's change.
R12: corrections from the community reach this module only after an officer's review.
"""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from registry import audit, outbox
from registry.access import Scope
from registry.domain import geo
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.identity import normalise_phone
from registry.domain.roles import Permission
from registry.models import Caseload, LocationSource, LogKind, Person, User

SURVEY_UNCERTAINTY_M = 10


class PersonChanged(Conflict):
    """Somebody changed this person since the page was opened."""

    code = "person_changed"
    message = "ほかの人が先に変更しました。画面を開きなおしてください。"


class BadCare(Refused):
    """The dates of a caseload do not fit."""

    code = "bad_caseload"
    message = "担当の終わりは、始まりより後の日にしてください。"


@transaction.atomic
def confirm_place(
    *, person_id: int, longitude: float, latitude: float, version: int, by: Scope
) -> Person:
    """An officer put the home on the map; imports keep it until the address changes.

    Raises:
        Forbidden: without ``roster.manage``.
        NotFound: not visible.
        PersonChanged: ``version`` is not the latest.
        GeoRefused: the point is outside Japan.
    """
    by.require(Permission.ROSTER_MANAGE)
    person = _locked(person_id, version, by)
    plane = geo.to_plane([longitude], [latitude], settings.PLANE_ZONE)
    person.longitude, person.latitude = longitude, latitude
    person.north_m, person.east_m = float(plane.north_m[0]), float(plane.east_m[0])
    person.location_source = LocationSource.SURVEY
    person.location_uncertainty_m = SURVEY_UNCERTAINTY_M
    return _saved(person, "people.confirm_place", ["longitude", "latitude"], by)


@transaction.atomic
def correct_phone(*, person_id: int, phone: str, version: int, by: Scope) -> Person:
    """Record a telephone number that the person or family gave ("" removes it).

    Raises:
        Forbidden, NotFound, PersonChanged: as ``confirm_place``.
        IdentityRefused: ``phone_unreadable``.
    """
    by.require(Permission.ROSTER_MANAGE)
    person = _locked(person_id, version, by)
    person.phone = normalise_phone(phone) if phone.strip() else ""
    return _saved(person, "people.correct_phone", ["phone"], by)


@transaction.atomic
def look_after(
    *, person_id: int, user_id: int, starts_on: date, ends_on: date | None = None, by: Scope
) -> Caseload:
    """Put a person into a care professional's caseload (担当) from a day until before another.

    Raises:
        Forbidden: without ``roster.manage``.
        NotFound: no such person or account.
        BadCare: the end is not after the start, or the same caseload exists.
    """
    by.require(Permission.ROSTER_MANAGE)
    if not Person.objects.visible_to(by).filter(pk=person_id).exists():
        raise NotFound
    if not User.objects.filter(pk=user_id, is_active=True).exists():
        raise NotFound
    if ends_on is not None and ends_on <= starts_on:
        raise BadCare(fields={"ends_on": BadCare.message})
    care = Caseload(person_id=person_id, user_id=user_id, starts_on=starts_on, ends_on=ends_on)
    try:
        with transaction.atomic():
            care.save(force_insert=True)
    except IntegrityError as error:
        raise BadCare("この担当は、すでに登録されています。", code="caseload_exists") from error
    audit.note(scope=by, kind=LogKind.CHANGE, action="people.look_after", subject_kind="person",
               subject_id=person_id, person_id=person_id, detail={"user": user_id})
    return care


@transaction.atomic
def end_care(*, person_id: int, user_id: int, ends_on: date, by: Scope) -> Caseload:
    """End a caseload; from ``ends_on`` the professional no longer sees the person.

    Raises:
        Forbidden: without ``roster.manage``.
        NotFound: no caseload in force or to come.
        BadCare: the end is not after the start.
    """
    by.require(Permission.ROSTER_MANAGE)
    care: Caseload | None = (
        Caseload.objects.visible_to(by)
        .select_for_update()
        .filter(person_id=person_id, user_id=user_id)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=by.on))
        .order_by("starts_on")
        .first()
    )
    if care is None:
        raise NotFound
    if ends_on <= care.starts_on:
        raise BadCare(fields={"ends_on": BadCare.message})
    care.ends_on = ends_on
    care.save(update_fields=["ends_on"])
    audit.note(scope=by, kind=LogKind.CHANGE, action="people.end_care", subject_kind="person",
               subject_id=person_id, person_id=person_id, detail={"user": user_id})
    return care


def _locked(person_id: int, version: int, by: Scope) -> Person:
    person: Person | None = (
        Person.objects.visible_to(by).select_for_update().filter(pk=person_id).first()
    )
    if person is None:
        raise NotFound
    if person.version != version:
        raise PersonChanged
    return person


def _saved(person: Person, action: str, fields: list[str], by: Scope) -> Person:
    person.version += 1
    person.updated_at, person.updated_by_id = by.at, by.user_id
    person.save()
    audit.note(scope=by, kind=LogKind.CHANGE, action=action, subject_kind="person",
               subject_id=person.pk, person_id=person.pk, fields=fields)
    outbox.put(kind="registry.person_changed", subject_id=person.pk, at=by.at,
               dedupe_key=f"person_changed:{person.pk}:{person.version}")
    return person
