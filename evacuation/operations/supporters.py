"""Supporters (避難支援等実施者): who they are, and their own consent.

Owns the writers of ``Supporter``.  Refuses: a volunteer who has not opted in (P11), a capacity
outside one to five.  Nothing of what volunteers did crosses: only name, contact, area,
availability, place and skills.  Whom they help is in ``assignments.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from evacuation.domain.planning import PlanState, ReviewCause
from evacuation.models import Assignment, Plan, Supporter
from evacuation.operations.plan_reviews import fall_due
from evacuation.queries.plan_drafts import LIVE
from registry import access, audit, outbox
from registry.access import Scope
from registry.domain import geo
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.queries import areas, organisations, volunteers

AREA_UNCERTAINTY_M = 400


class SupporterRefused(Refused):
    """The supporter or the assignment is not possible; ``fields`` names the input."""

    code = "supporter_invalid"
    message = "避難支援をする人の内容を確認してください。"


@dataclass(frozen=True)
class SupporterInput:
    """Somebody who helps, e.g. family or a neighbour.  Degrees JGD2011."""

    name: str
    kana: str = ""
    address: str = ""
    phone: str = ""
    area_id: int | None = None
    born_on: date | None = None
    longitude: float | None = None
    latitude: float | None = None
    location_uncertainty_m: int = 0
    capacity: int = 1
    availability: str = "always"
    skills: tuple[str, ...] = ()


@transaction.atomic
def register(*, supporter: SupporterInput, by: Scope) -> Supporter:
    """Register a person outside the volunteers (家族・知人).  Raises ``SupporterRefused``."""
    by.require(Permission.SUPPORTERS_PROPOSE)
    if not supporter.name.strip():
        raise SupporterRefused(fields={"name": "氏名を入れてください。"})
    row = Supporter(
        name=supporter.name.strip(), kana=supporter.kana, address=supporter.address,
        phone=supporter.phone, area_id=supporter.area_id, born_on=supporter.born_on,
        capacity=supporter.capacity, availability=supporter.availability,
        skills=list(supporter.skills), updated_at=by.at,
    )
    _place(row, supporter.longitude, supporter.latitude, supporter.location_uncertainty_m, by)
    return _save(row, "supporters.register", by)


@transaction.atomic
def register_from_volunteer(*, volunteer_id: int, by: Scope, capacity: int = 1) -> Supporter:
    """Make a supporter of a volunteer whose opt-in is in force (P11).  Again is no error.

    Raises ``Forbidden``, ``NotFound`` for anybody who has not opted in.
    """
    found = volunteers.supporters_opted_in(by, volunteer_ids=[volunteer_id])
    if not found:
        raise NotFound
    return _from_facts(found, by, capacity)[0]


@transaction.atomic
def register_opted_in(*, by: Scope, capacity: int = 1) -> int:
    """Make supporters of every volunteer whose opt-in is in force; returns how many are new."""
    found = volunteers.supporters_opted_in(by)
    there = set(
        Supporter.objects.visible_to(by).filter(
            volunteer_id__in=[one.volunteer_id for one in found], left_on__isnull=True
        ).values_list("volunteer_id", flat=True)
    )
    new = [one for one in found if one.volunteer_id not in there]
    return len(_from_facts(new, by, capacity))


def _from_facts(
    facts: Sequence[volunteers.SupporterFact], by: Scope, capacity: int
) -> list[Supporter]:
    by.require(Permission.SUPPORTERS_PROPOSE)
    there = {
        row.volunteer_id: row for row in Supporter.objects.visible_to(by).filter(
            volunteer_id__in=[one.volunteer_id for one in facts])
    }
    points = {one.id: one for one in areas.areas(by)}
    rows = []
    for one in facts:
        row = there.get(one.volunteer_id) or Supporter(
            volunteer_id=one.volunteer_id, capacity=capacity)
        row.name, row.phone, row.area_id = one.name, one.phone, one.area_id
        row.availability, row.skills = one.availability, list(one.skills)
        row.left_on, row.updated_at = None, by.at
        row.aged_75 = one.aged_75
        row.east_m, row.north_m = one.east_m, one.north_m
        row.location_uncertainty_m = one.uncertainty_m
        if row.east_m is None and one.area_id in points:
            point = points[one.area_id]
            _place(row, point.longitude, point.latitude, AREA_UNCERTAINTY_M, by)
        rows.append(_save(row, "supporters.from_volunteer", by))
    return rows


@transaction.atomic
def register_organisation(
    *, organisation_id: int, by: Scope, capacity: int = 5, availability: str = "always",
    skills: Sequence[str] = (), longitude: float | None = None, latitude: float | None = None,
) -> Supporter:
    """Make a supporter of an organisation (自主防災組織など); without a place, its area's point.

    Raises ``Forbidden``, ``NotFound``, ``SupporterRefused``.
    """
    by.require(Permission.SUPPORTERS_PROPOSE)
    found = organisations.organisations(by, ids=[organisation_id])
    if not found:
        raise NotFound
    one = found[0]
    row = Supporter.objects.visible_to(by).filter(organisation_id=organisation_id).first()
    row = row or Supporter(organisation_id=organisation_id)
    row.name, row.kana, row.address, row.phone = one.name, one.kana, one.address, one.phone
    row.area_id, row.capacity, row.availability = one.area_id, capacity, availability
    row.skills, row.left_on, row.updated_at = list(skills), None, by.at
    blur = 0
    if longitude is None and one.area_id is not None:
        point = next((a for a in areas.areas(by) if a.id == one.area_id), None)
        if point is not None:
            longitude, latitude, blur = point.longitude, point.latitude, AREA_UNCERTAINTY_M
    _place(row, longitude, latitude, blur, by)
    return _save(row, "supporters.organisation", by)


def _place(
    row: Supporter, longitude: float | None, latitude: float | None, blur: int, by: Scope
) -> None:
    del by
    if (longitude is None) != (latitude is None):
        raise SupporterRefused(fields={"longitude": "経度と緯度は両方入れてください。"})
    row.east_m = row.north_m = None
    row.location_uncertainty_m = blur
    if longitude is not None and latitude is not None:
        plane = geo.to_plane(longitude, latitude, settings.PLANE_ZONE)
        row.north_m, row.east_m = float(plane.north_m), float(plane.east_m)


def _save(row: Supporter, action: str, by: Scope) -> Supporter:
    if not 1 <= row.capacity <= 5:
        raise SupporterRefused(fields={"capacity": "受け持てる人数は1〜5人です。"})
    if row.availability not in ("always", "day", "night"):
        raise SupporterRefused(fields={"availability": "動ける時間を選んでください。"})
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise SupporterRefused from error
    audit.note(scope=by, kind="change", action=action, subject_kind="supporter",
               subject_id=row.pk)
    return row


@transaction.atomic
def record_consent(
    *, supporter_id: int, agreed: bool, by: Scope, at: datetime | None = None, address: str = "",
    phone: str = "",
) -> Supporter:
    """The supporter's own word on standing in plans that are shared (R2), given or taken back.

    Taking it back keeps every plan that names them inside the city from this moment, and makes
    those plans due for review.  Raises ``NotFound``, ``SupporterRefused`` for a future instant.
    """
    by.require(Permission.SUPPORTERS_PROPOSE)
    row = locked_supporter(supporter_id, by)
    if at is not None and at > by.at:
        raise SupporterRefused(fields={"at": "未来の日時にはできません。"})
    row.consented_at = (at or by.at) if agreed else None
    row.address, row.phone = address.strip() or row.address, phone.strip() or row.phone
    row.updated_at = by.at
    row.save(update_fields=["consented_at", "address", "phone", "updated_at"])
    audit.note(scope=by, kind="change", subject_kind="supporter", subject_id=row.pk,
               action="supporters.consent" if agreed else "supporters.consent_withdrawn",
               fields=["consented_at"])
    if not agreed:
        _review_plans(row, by)
    return row


@transaction.atomic
def opted_out(*, volunteer_id: int, by: Scope) -> int:
    """A volunteer took the word back (P11): the supporter leaves, plans come up for review.

    Returns the number of people who lose this helper.  For ``registry.supporter_opted_out``.
    """
    by.require(Permission.SUPPORTERS_PROPOSE)
    row = Supporter.objects.visible_to(by).select_for_update().filter(
        volunteer_id=volunteer_id, left_on__isnull=True).first()
    if row is None:
        return 0
    row.left_on, row.consented_at, row.updated_at = by.on, None, by.at
    row.save(update_fields=["left_on", "consented_at", "updated_at"])
    audit.note(scope=by, kind="change", action="supporters.left", subject_kind="supporter",
               subject_id=row.pk)
    count = 0
    for one in Assignment.objects.visible_to(by).filter(supporter=row, state__in=LIVE):
        one.state, one.ended_at = Assignment.State.ENDED, by.at
        one.end_reason = "支援者が登録を取りやめた"
        one.save(update_fields=["state", "ended_at", "end_reason"])
        due(person_ids=[one.person_id], by=by)
        count += 1
    return count


def _review_plans(row: Supporter, by: Scope) -> None:
    due(person_ids=list(Assignment.objects.visible_to(by).filter(
        supporter=row, state__in=LIVE).values_list("person_id", flat=True)), by=by)


def due(*, person_ids: list[int], by: Scope) -> None:
    """Approved plans of these people come up for review: a supporter is gone."""
    fall_due(
        plan_ids=list(Plan.objects.visible_to(by).filter(
            person_id__in=person_ids, state__in=[PlanState.APPROVED, PlanState.SHARED],
        ).values_list("pk", flat=True)),
        cause=ReviewCause.SUPPORTER_WITHDREW, by=by,
    )


def locked_supporter(supporter_id: int, by: Scope) -> Supporter:
    """The supporter, locked.  Raises ``NotFound``."""
    row: Supporter | None = (
        Supporter.objects.visible_to(by).select_for_update().filter(pk=supporter_id).first()
    )
    if row is None:
        raise NotFound
    return row


def opt_out(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: ``registry.supporter_opted_out``."""
    with access.system(at=at, reason="supporter opted out") as wide:
        opted_out(volunteer_id=claimed.subject_id or 0, by=wide)
        claimed.finish(at)
