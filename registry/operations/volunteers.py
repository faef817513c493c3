"""Volunteers: registration, changes, the end of it, and the opt-in as a supporter.

Owns writing volunteers, one or many.  Cards, phones and memberships have modules of their own.
Refuses a volunteer number twice, and the search for supporters without the volunteer's own,
dated, revocable word (P11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from registry import audit, outbox
from registry.access import Scope
from registry.domain import geo
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.identity import fold_kana, fold_name
from registry.domain.roles import Permission
from registry.models import LogKind, ResidenceChange, Volunteer
from registry.operations.staff import actor_id

AVAILABILITY = ("always", "day", "night")


class NumberTaken(Conflict):
    """Somebody has this 手帳番号 already."""

    code = "volunteer_number_taken"
    message = "この手帳番号はすでに使われています。"


class BadVolunteer(Refused):
    """A fact that cannot be; ``fields`` names it."""

    code = "bad_volunteer"
    message = "ボランティアの登録内容を確かめてください。"


@dataclass(frozen=True)
class VolunteerInput:
    """One volunteer as registered.  Degrees WGS 84; the uncertainty of the place in metres."""

    number: str
    name: str
    kana: str
    born_on: date
    area_id: int | None = None
    resident: bool = True
    address: str = ""
    phone: str = ""
    has_phone: bool = False
    longitude: float | None = None
    latitude: float | None = None
    location_uncertainty_m: int = 0
    user_id: int | None = None
    registered_on: date | None = None
    availability: str = "always"
    skills: tuple[str, ...] = ()
    # Of ``change`` only: since when ``resident`` is so; today unless told.
    resident_from: date | None = None


@transaction.atomic
def register(*, volunteer: VolunteerInput, by: Scope) -> Volunteer:
    """Register one volunteer (ボランティア登録).

    Raises:
        Forbidden: without ``volunteers.manage``.
        NumberTaken: the number is in use.
        BadVolunteer: an empty name, a birth in the future, half a place.
    """
    return register_many(volunteers=[volunteer], by=by)[0]


@transaction.atomic
def register_many(*, volunteers: Sequence[VolunteerInput], by: Scope) -> list[Volunteer]:
    """Register a set in the order given; all of them or none.  Raises as ``register``."""
    by.require(Permission.VOLUNTEERS_MANAGE)
    rows = [Volunteer(**_columns(one, by)) for one in volunteers]
    _place(rows)
    try:
        with transaction.atomic():
            Volunteer.objects.unscoped().bulk_create(rows, batch_size=500)
    except IntegrityError as error:
        raise NumberTaken from error
    single = len(rows) == 1
    audit.note(
        scope=by, kind=LogKind.CHANGE, action="volunteers.register", subject_kind="volunteer",
        subject_id=rows[0].pk if single else None, detail={"volunteers": len(rows)},
    )
    return rows


@transaction.atomic
def change(*, volunteer_id: int, volunteer: VolunteerInput, by: Scope) -> Volunteer:
    """Replace the facts of one volunteer; number and account stay.  Raises as ``register``.

    A move (``resident``) holds from ``resident_from`` on, so that what was earned before it
    stays; with the same ``resident`` again, another ``resident_from`` corrects its day.
    Changed facts recompute points (P1): outbox ``registry.volunteer_changed``.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    row = _locked(volunteer_id, by)
    moved = _moved(row, volunteer, by)
    columns = _columns(volunteer, by)
    for kept in ("number", "user_id", "registered_on"):
        columns.pop(kept)
    changed = sorted(name for name, value in columns.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, columns[name])
    _place([row])
    row.save()
    audit.note(scope=by, kind=LogKind.CHANGE, action="volunteers.change",
               subject_kind="volunteer", subject_id=row.pk, fields=changed)
    if changed or moved:
        announce_change(volunteer_ids=[row.pk], by=by)
    return row


def _moved(row: Volunteer, facts: VolunteerInput, by: Scope) -> bool:
    """Record since when the volunteer lives in the city or no longer does (居住の変更)."""
    if facts.resident is row.resident and facts.resident_from is None:
        return False
    if facts.resident_from is not None and facts.resident_from > by.on:
        raise BadVolunteer(fields={"resident_from": "未来の日にはできません。"})
    ResidenceChange.objects.visible_to(by).create(
        volunteer=row, from_on=facts.resident_from or by.on, resident=facts.resident,
        was=row.resident, recorded_at=by.at, recorded_by_id=actor_id(by=by),
    )
    return True


@transaction.atomic
def end(*, volunteer_id: int, left_on: date, by: Scope) -> Volunteer:
    """End a registration; records stay, points of days after it are counted again (P1).

    Also ends the opt-in.  Outbox ``registry.volunteer_changed``.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    row = _locked(volunteer_id, by)
    if left_on < row.registered_on:
        raise BadVolunteer(fields={"left_on": "登録日より前にはできません。"})
    row.left_on = left_on
    if row.supporter_optin_on is not None and row.supporter_optout_on is None:
        row.supporter_optout_on = max(left_on, row.supporter_optin_on)
        announce_optout(row, by)
    row.save(update_fields=["left_on", "supporter_optout_on"])
    audit.note(scope=by, kind=LogKind.CHANGE, action="volunteers.end",
               subject_kind="volunteer", subject_id=row.pk)
    announce_change(volunteer_ids=[row.pk], by=by)
    return row


def announce_change(*, volunteer_ids: Sequence[int], by: Scope) -> None:
    """Facts that decide about points changed: whoever counts them counts again (P1)."""
    outbox.put_many(
        [("registry.volunteer_changed", one, f"volunteer_changed:{one}:{by.at.isoformat()}")
         for one in sorted(set(volunteer_ids))], at=by.at,
    )


@transaction.atomic
def opt_in(*, volunteer_id: int, by: Scope) -> Volunteer:
    """「災害のときの支援者さがしに使ってよい」, from today (P11).  Again is no error.

    Raises:
        Forbidden: neither the volunteer nor the welfare council's staff who took the word.
        NotFound: not visible.
    """
    row = _own_word(volunteer_id, by)
    if row.supporter_optin_on is None or row.supporter_optout_on is not None:
        row.supporter_optin_on, row.supporter_optout_on = by.on, None
        row.save(update_fields=["supporter_optin_on", "supporter_optout_on"])
        audit.note(scope=by, kind=LogKind.CHANGE, action="volunteers.opt_in",
                   subject_kind="volunteer", subject_id=row.pk)
    return row


@transaction.atomic
def opt_out(*, volunteer_id: int, by: Scope) -> Volunteer:
    """Take the word back, from today; those who look for supporters no longer see the volunteer.

    Raises as ``opt_in``.  Outbox ``registry.supporter_opted_out`` tells the evacuation side.
    """
    row = _own_word(volunteer_id, by)
    if row.supporter_optin_on is not None and row.supporter_optout_on is None:
        row.supporter_optout_on = by.on
        row.save(update_fields=["supporter_optout_on"])
        audit.note(scope=by, kind=LogKind.CHANGE, action="volunteers.opt_out",
                   subject_kind="volunteer", subject_id=row.pk)
        announce_optout(row, by)
    return row


def announce_optout(row: Volunteer, by: Scope) -> None:
    """The evacuation side forgets the volunteer as a supporter (P11)."""
    outbox.put(kind="registry.supporter_opted_out", subject_id=row.pk, at=by.at,
               dedupe_key=f"supporter_opted_out:{row.pk}:{by.at.isoformat()}")


def _own_word(volunteer_id: int, by: Scope) -> Volunteer:
    if by.volunteer_id != volunteer_id:
        by.require(Permission.VOLUNTEERS_MANAGE)
    return _locked(volunteer_id, by)


def _locked(volunteer_id: int, by: Scope) -> Volunteer:
    row: Volunteer | None = (
        Volunteer.objects.visible_to(by).select_for_update().filter(pk=volunteer_id).first()
    )
    if row is None:
        raise NotFound
    return row


def _columns(one: VolunteerInput, by: Scope) -> dict[str, Any]:
    """The row's columns; the plane coordinates are added by ``_place``."""
    wrong: dict[str, str] = {}
    if not one.number.strip() or len(one.number) > 12:
        wrong["number"] = "手帳番号は1〜12文字で入れてください。"
    if not one.name.strip():
        wrong["name"] = "氏名を入れてください。"
    if one.born_on > by.on:
        wrong["born_on"] = "生年月日が未来の日です。"
    if (one.longitude is None) != (one.latitude is None):
        wrong["longitude"] = "経度と緯度は両方入れてください。"
    if one.availability not in AVAILABILITY:
        wrong["availability"] = "動ける時間をえらんでください。"
    if wrong:
        raise BadVolunteer(fields=wrong)
    return {
        "number": one.number.strip(), "name": one.name.strip(), "kana": one.kana.strip(),
        "name_key": fold_name(one.name), "kana_key": fold_kana(one.kana), "born_on": one.born_on,
        "area_id": one.area_id, "resident": one.resident, "address": one.address,
        "phone": one.phone, "has_phone": one.has_phone, "longitude": one.longitude,
        "latitude": one.latitude, "location_uncertainty_m": one.location_uncertainty_m,
        "user_id": one.user_id, "registered_on": one.registered_on or by.on,
        "availability": one.availability, "skills": list(one.skills),
    }


def _place(rows: list[Volunteer]) -> None:
    """Plane coordinates of those who have a place."""
    for row in rows:
        row.east_m = row.north_m = None
    placed = [row for row in rows if row.longitude is not None and row.latitude is not None]
    if placed:
        plane = geo.to_plane([row.longitude or 0.0 for row in placed],
                             [row.latitude or 0.0 for row in placed], settings.PLANE_ZONE)
        for row, north, east in zip(placed, plane.north_m, plane.east_m, strict=True):
            row.north_m, row.east_m = float(north), float(east)
