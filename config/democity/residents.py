"""Invented residents: households, ages, addresses, phones, care and handbooks (見本).

Owns the draw of a whole city from one seed: households of eight shapes, ages to 104 with births
of the 大正 era, about 6 % whom the criteria put on the roster, people without a telephone,
protected addresses.  Deterministic: (seed, number, day) → the same city.  Refuses namesakes with
the same birthday, because the import would rightly stop at them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

from config.democity import names
from config.democity.places import CITY_CODE, Neighbourhood, Point, neighbourhoods
from registry.domain.identity import fold_name

SEED = 20261123
LISTED_SHARE = 0.06
OLDEST = 104
_BANDS = (65, 70, 75, 80, 85, 90, 95, 99)
_BAND_WEIGHTS = (24, 26, 20, 14, 9, 5, 1.6, 0.3)
# Shape of a household and how many of 100 have it.
_SHAPES = (("single_old", 17), ("single", 18), ("couple_old", 19), ("couple", 8),
           ("family", 22), ("one_parent", 6), ("three_generations", 10))


@dataclass(slots=True)
class Resident:
    """One line of the register, and what other files say of the person.  ``area`` is a code."""

    number: str
    household: str
    name: str
    kana: str
    born: date
    sex: str
    address: str
    building: str
    town: str
    koaza: str
    area: str
    section: str
    phone: str
    longitude: float | None
    latitude: float | None
    moved_in: date | None = None
    protected_until: date | None = None
    care_level: str = ""
    facility_since: date | None = None
    facility_name: str = ""
    physical_grade: str = ""
    physical_parts: str = ""
    physical_class: str = ""
    intellectual: str = ""
    mental: str = ""
    disease: bool = False
    needs: str = ""

    def age(self, on: date) -> int:
        """Whole years on a day."""
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


@dataclass
class City:
    """The residents with their 町内会."""

    people: list[Resident]
    areas: list[Neighbourhood]


def city(people: int, *, on: date, seed: int = SEED) -> City:
    """Draw a city of exactly ``people`` residents as of a day."""
    rng = Random(seed)  # noqa: S311  # a reproducible sample, no secret
    areas = neighbourhoods(people)
    drawn = _Draw(rng, on, areas, people)
    residents = list(drawn.residents())
    _health(residents, rng, on)
    _protect(residents, rng, on)
    return City(residents, areas)


class _Draw:
    """The households, one after the other."""

    def __init__(self, rng: Random, on: date, areas: list[Neighbourhood], people: int) -> None:
        self.rng, self.on, self.people = rng, on, people
        self.areas = areas
        self.shares = [one.share for one in areas]
        self.seen: set[tuple[str, date]] = set()
        # Everybody's oldest neighbours: births of the 大正 era (until 1926-12-25).
        self.eldest = [OLDEST, 102, 101, 100][: max(1, min(4, people // 25))]

    def residents(self) -> Iterator[Resident]:
        number = home = 0
        shapes, weights = zip(*_SHAPES, strict=True)
        while number < self.people:
            home += 1
            shape = "single_old" if home <= len(self.eldest) else (
                self.rng.choices(shapes, weights)[0]
            )
            area = self.rng.choices(self.areas, self.shares)[0]
            for one in self._household(shape, home, area)[: self.people - number]:
                number += 1
                one.number = str(10_000_000 + number)
                yield one

    def _household(self, shape: str, home: int, area: Neighbourhood) -> list[Resident]:
        rng = self.rng
        point = rng.choice(area.points)
        address, building = _address(point, rng, flat=shape == "single")
        family = names.surname(rng)
        place = _scattered(point, rng)
        line = f"0242-{home // 10_000 % 100:02}-{home % 10_000:04}"
        elders = shape in ("single_old", "couple_old", "three_generations")
        has_line = rng.random() < (0.9 if elders else 0.35)
        moved = self.on - timedelta(days=rng.randrange(200, 9_000)) if rng.random() < 0.2 else None
        section = str(rng.randrange(1, 5))
        found = []
        for sex, age in self._members(shape, home):
            born, given = self._person(family, sex, age)
            mobile = f"090-0000-{rng.randrange(10_000):04}" if 16 <= age < 78 else ""
            phone = line if has_line else mobile if rng.random() < 0.93 else ""
            found.append(
                Resident(
                    number="", household=str(5_000_000 + home), name=f"{family[0]}　{given[0]}",
                    kana=f"{family[1]}　{given[1]}", born=born, sex=sex, address=address,
                    building=building, town=point.town, koaza=point.koaza, area=area.code,
                    section=section, phone=phone, longitude=place[0] if place else None,
                    latitude=place[1] if place else None,
                    moved_in=moved if moved and moved >= born else None,
                )
            )
        return found

    def _members(self, shape: str, home: int) -> list[tuple[str, int]]:
        rng = self.rng
        old = self._old_age()
        if shape == "single_old":
            age = self.eldest[home - 1] if home <= len(self.eldest) else old
            return [("female" if rng.random() < 0.68 else "male", age)]
        if shape == "single":
            return [(_sex(rng), rng.randrange(19, 65))]
        if shape == "couple_old":
            return [("male", old), ("female", max(60, min(OLDEST - 4, old - rng.randrange(-3, 7))))]
        parent = rng.randrange(28, 58)
        pair = [("male", parent), ("female", max(22, parent - rng.randrange(-3, 6)))]
        if shape == "couple":
            return pair
        count = rng.choices((1, 2, 3), (45, 42, 13))[0]
        children = [(_sex(rng), max(0, parent - 26 - rng.randrange(0, 12))) for _ in range(count)]
        if shape == "one_parent":
            return [pair[1], *children]
        if shape == "family":
            return [*pair, *children]
        elder = min(98, max(parent + 22 + rng.randrange(0, 12), 65))
        grand = [("male", elder)] if rng.random() < 0.5 else []
        return [*grand, ("female", elder - 2), *pair, *children]

    def _old_age(self) -> int:
        low = self.rng.choices(_BANDS, _BAND_WEIGHTS)[0]
        return self.rng.randrange(low, 100 if low == 99 else 99 if low == 95 else low + 5)

    def _person(self, family: names.Name, sex: str, age: int) -> tuple[date, names.Name]:
        """A birthday and a given name; never the same folded name and birthday twice."""
        latest = _years_before(self.on, age)
        span = (latest - _years_before(self.on, age + 1)).days
        while True:
            born = latest - timedelta(days=self.rng.randrange(span))
            given = names.given(self.rng, sex, born.year)
            key = (_folded(family[0] + given[0]), born)
            if key not in self.seen:
                self.seen.add(key)
                return born, given


@cache
def _folded(name: str) -> str:
    return fold_name(name)


def _sex(rng: Random) -> str:
    return "female" if rng.random() < 0.5 else "male"


def _years_before(on: date, years: int) -> date:
    try:
        return on.replace(year=on.year - years)
    except ValueError:  # 29 February
        return on.replace(year=on.year - years, day=28)


def _address(point: Point, rng: Random, *, flat: bool) -> tuple[str, str]:
    """住所 and 方書; 住居表示 where the town has 丁目, 番地 elsewhere."""
    if "丁目" in point.town:
        where = f"{rng.randrange(1, 30)}番{rng.randrange(1, 25)}号"
    else:
        where = f"{rng.randrange(1, 400)}番地{rng.randrange(1, 12) or ''}"
    koaza = f"字{point.koaza}" if point.koaza else ""
    building = ""
    if flat and rng.random() < 0.6:
        building = f"見本ハイツ{rng.randrange(1, 4)}0{rng.randrange(1, 9)}号"
    return f"会津若松市{point.town}{koaza}{where}", building


def _scattered(point: Point, rng: Random) -> tuple[float, float] | None:
    """A home near the town's point; three in ten are known by their town alone."""
    away, turn, known = rng.uniform(15, 260), rng.uniform(0, 2 * math.pi), rng.random() < 0.7
    if not known:
        return None
    east = away * math.cos(turn) / (111_320 * math.cos(math.radians(point.latitude)))
    return round(point.longitude + east, 6), round(
        point.latitude + away * math.sin(turn) / 111_320, 6
    )


def _weight(age: int) -> float:
    return 8 if age >= 85 else 3 if age >= 75 else 1 if age >= 65 else 0.3


def _health(people: list[Resident], rng: Random, on: date) -> None:
    """Who has what: exactly ``LISTED_SHARE`` meet the criteria, others a little less than that."""
    keys = [(rng.random() ** (1 / _weight(one.age(on))), at) for at, one in enumerate(people)]
    keys.sort(reverse=True)
    listed = {at for _, at in keys[: round(len(people) * LISTED_SHARE)]}
    if people:
        listed.add(0)  # the oldest citizen
    for at, one in enumerate(people):
        age = one.age(on)
        if at in listed:
            _severe(one, age, rng)
        elif age >= 80 and rng.random() < 0.02:
            one.care_level = rng.choice(("23", "24", "25"))
            one.facility_since = on - timedelta(days=rng.randrange(400, 2_000))
            one.facility_name = "見本ホーム"
        elif age >= 70 and rng.random() < 0.14:
            one.care_level = rng.choice(("12", "13", "21", "22"))
        elif age >= 45 and rng.random() < 0.03:
            one.physical_grade = str(rng.randrange(3, 7))
            one.physical_parts = rng.choice(("06", "05", "02", "01"))
            one.physical_class = "2"
        elif age >= 40 and rng.random() < 0.004:
            # Grade 1, yet only the heart or a kidney: the published criteria leave it out.
            one.physical_grade, one.physical_class = "1", "1"
            one.physical_parts = rng.choice(("10", "11"))


def _severe(one: Resident, age: int, rng: Random) -> None:
    kinds = ("care", "body", "mind", "spirit")
    kind = rng.choices(kinds, (72, 22, 2, 4) if age >= 65 else (0, 35, 30, 35))[0]
    if kind == "care":
        one.care_level = rng.choices(("23", "24", "25"), (5, 3, 2))[0]
        if one.care_level > "23":
            one.needs = rng.choice(("車いす", "車いす", "", "寝たきり"))
    elif kind == "body":
        one.physical_grade, one.physical_class = rng.choice("12"), "1"
        one.physical_parts = rng.choice(("06", "07", "01", "02", "06、07", "12"))
        one.needs = {"01": "全盲", "02": "筆談", "12": "在宅酸素"}.get(one.physical_parts, "車いす")
        one.disease = rng.random() < 0.1
    elif kind == "mind":
        one.intellectual = rng.choice(("A", "A1", "A2"))
    else:
        one.mental = rng.choice("12")


def _protect(people: list[Resident], rng: Random, on: date) -> None:
    """DV等支援措置 for about one in a thousand, at least three; one of them is on the roster."""
    grown = [one for one in people if 20 <= one.age(on) < 90]
    needing = [one for one in grown if one.care_level in ("23", "24", "25") or one.mental]
    chosen = rng.sample(grown, min(len(grown), max(3, len(people) // 1_000)))
    for one in [*chosen, *needing[:1]]:
        one.protected_until = date(on.year + 1, 3, 31)


__all__ = ["CITY_CODE", "LISTED_SHARE", "OLDEST", "SEED", "City", "Resident", "city"]
