"""The evacuation side of the demo city: residents imported, roster, consents, places, supporters.

Owns the order in which the city's officer would do it: import files → shelters and zones →
criteria → rebuild → nominations → consent 42 / refusal 10 / no answer 48 of a hundred →
caseloads → supporters who opted in.  Everything through operations.  Refuses a file row that was
not taken: the generator and the importer must agree to the last row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from config.democity import hazard_zones, places, register_files
from config.democity.organising import Ground
from config.democity.residents import City
from evacuation.domain.consent import ALL_KINDS, Answer, Means, Proxy, Purpose
from evacuation.operations import consents, criteria, hazards, roster, supporters
from evacuation.operations import places as shelters
from evacuation.queries import roster as listed
from registry import access
from registry.access import Scope
from registry.models import User
from registry.operations import imports, people, volunteers
from registry.queries.people import person_ids_by_number

FORM = "見本様式1"
SHARES = (("agreed", 42), ("refused", 10), ("silent", 48))


class Disagreed(Exception):
    """The importer did not take every row of a generated file: a fault of the demo."""


@dataclass
class Listed:
    """What the evacuation side came to."""

    files: list[tuple[str, int]] = field(default_factory=list)
    roster: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    supporters: int = 0


def take_in(city: City, *, officer: User, at: datetime) -> Listed:
    """The residents, through stage and apply, file by file."""
    told = Listed()
    for one in register_files.files(city.people):
        with access.scope(officer, at=at, purpose="demo") as by:
            batch = imports.stage(
                source=one.content, profile=one.profile, file_name=one.name, by=by
            )
            done = imports.apply(batch_id=batch.pk, by=by)
        taken = done.new_count + done.changed_count
        if taken != one.rows:
            raise Disagreed(
                f"{one.name}: {one.rows} rows, {taken} taken, {done.same_count} same, "
                f"{done.ambiguous_count} ambiguous, {done.rejected_count} rejected"
            )
        told.files.append((one.name, taken))
        at += timedelta(seconds=1)
    return told


def put_on_the_map(*, by: Scope) -> None:
    """The real places, invented capacities (見本) and invented zones (見本)."""
    shelters.import_gsi(sites=places.data("gsi-emergency-sites-072028.geojson"),
                        shelters=places.data("gsi-shelters-072028.geojson"), by=by)
    known = [row["properties"] for row in places.shelter_rows()]
    ids = shelters.shelter_ids(str(row["共通ID"]) for row in known)
    rng = Random(32)  # noqa: S311  # a reproducible sample, no secret
    for row in known:
        welfare = bool(row["受入対象者"])
        shelters.set_capacity(
            shelter_id=ids[row["共通ID"]], by=by, is_sample=True,
            capacity=rng.randrange(8, 30) if welfare else rng.randrange(20, 120),
            special_places={"wheelchair": rng.randrange(2, 8), "power": rng.randrange(0, 5),
                            "bed": rng.randrange(0, 6)} if welfare else {"wheelchair": 2},
            companions=1 if welfare else 0, direct_evacuation=welfare and rng.random() < 0.5,
            confirmation="confirmed" if rng.random() < 0.5 else "asked",
        )
    hazards.import_zones(file=hazard_zones.flood(), kind="flood", by=by, is_sample=True,
                         name="見本_洪水.geojson", source=hazard_zones.SOURCE)
    hazards.import_zones(file=hazard_zones.landslide(), kind="landslide", by=by, is_sample=True,
                         name="見本_土砂災害.geojson", source=hazard_zones.SOURCE)


def list_people(city: City, told: Listed, *, by: Scope) -> list[int]:
    """Criteria, two nominations, rebuild, apply; the ids of those listed."""
    criteria.load_example(name="a", by=by)
    asking = [one.number for one in city.people if 78 <= one.age(by.on) < 90
              and not (one.care_level or one.physical_grade or one.protected_until)][:4]
    for number, person in person_ids_by_number(by, asking).items():
        kind = "self_nominated" if number in asking[:3] else "manual_include"
        roster.request_listing(person_id=person, kind=kind, by=by,
                               reason="ひとり暮らしで不安（見本）")
    run = roster.rebuild_preview(by=by)
    roster.apply(run_id=run.pk, by=by)
    told.roster = listed.counts(by)["listed"]
    return _ids(by)


def _ids(by: Scope) -> list[int]:
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = listed.roster(by, cursor=cursor, limit=200)
        found += [one.person_id for one in page.items]
        cursor = page.next
        if cursor is None:
            return found


def answer(ids: list[int], told: Listed, *, by: Scope) -> None:
    """Consent of 42, refusal of 10, silence of 48 in a hundred, with proxies (R4)."""
    rng = Random(42)  # noqa: S311  # a reproducible sample, no secret
    order = sorted(ids)
    rng.shuffle(order)
    agreed, refused = len(order) * 42 // 100, len(order) * 10 // 100
    given = []
    for at, person in enumerate(order[: agreed + refused]):
        yes = at < agreed
        given.append(_answered(person, Purpose.ROSTER_SHARING, yes, by, rng))
        if yes and at % 2 == 0:
            given.append(_answered(person, Purpose.PLAN_MAKING, True, by, rng))
            given.append(_answered(person, Purpose.PLAN_SHARING, True, by, rng))
    consents.record_many(given=given, by=by)
    told.answers = {"agreed": agreed, "refused": refused,
                    "silent": len(order) - agreed - refused}


def _answered(
    person: int, purpose: Purpose, yes: bool, by: Scope, rng: Random
) -> consents.AnswerGiven:
    proxy = Proxy("見本　家族", "長男", "本人が書けないため") if rng.random() < 0.15 else None
    return consents.AnswerGiven(
        person_id=person, purpose=purpose, answer=Answer.AGREED if yes else Answer.REFUSED,
        answered_at=by.at - timedelta(minutes=5), form_version=FORM, kinds=ALL_KINDS,
        means=rng.choice((Means.PAPER, Means.PAPER, Means.ORAL)), explained_normal=True,
        explained_disaster=True, proxy=proxy,
    )


def look_after(ids: list[int], ground: Ground, *, by: Scope) -> None:
    """A caseload for each care manager."""
    begun = date(by.on.year, 4, 1) if by.on.month >= 4 else date(by.on.year - 1, 4, 1)
    for at, person in enumerate(sorted(ids)[: 12 * len(ground.carers)]):
        people.look_after(person_id=person, user_id=ground.carers[at % len(ground.carers)],
                          starts_on=begun, by=by)


def opt_in(volunteer_ids: list[int], *, by: Scope) -> None:
    """Two of five volunteers said that they may be looked for as supporters (P11)."""
    for one in [volunteer_ids[0], *volunteer_ids[1::5], *volunteer_ids[2::5]]:
        volunteers.opt_in(volunteer_id=one, by=by)


def gather_supporters(told: Listed, ground: Ground, *, by: Scope) -> None:
    """Supporters from the volunteers who opted in, and some 自主防災組織."""
    told.supporters = supporters.register_opted_in(by=by, capacity=2)
    halls = [pk for code, pk in sorted(ground.organisations.items()) if code.startswith("A-")]
    for pk in halls[::3]:
        supporters.register_organisation(organisation_id=pk, by=by, capacity=3,
                                         skills=("wheelchair",))
        told.supporters += 1
