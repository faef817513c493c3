"""Records of volunteers that may be one person (二重登録のうたがい), P8.

Owns the search for likely pairs, in one statement for the whole city: the same birth date with
the same reading or the same name (kana and variant kanji folded), the same birth date and phone,
the same reading and phone, or the same resident.  Pairs that staff called two people are left
out, ended and united records too.  Refuses everybody without ``volunteers.manage``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry import rows
from registry.access import Scope
from registry.domain.roles import Permission
from registry.queries.volunteers import VolunteerFacts, volunteer_facts

WORDS = {
    "person": "同じ住民", "birth_kana": "生年月日と よみが同じ",
    "birth_name": "生年月日と 名前が同じ", "birth_phone": "生年月日と 電話が同じ",
    "kana_phone": "よみと 電話が同じ",
}
_PHONE = "replace(replace({0}.phone, '-', ''), ' ', '')"
_SIGNS = {
    "person": "a.person_id = b.person_id",
    "birth_kana": "a.born_on = b.born_on AND a.kana_key = b.kana_key",
    "birth_name": "a.born_on = b.born_on AND a.name_key = b.name_key",
    "birth_phone": "a.born_on = b.born_on AND a.phone <> ''"
                   f" AND {_PHONE.format('a')} = {_PHONE.format('b')}",
    "kana_phone": "a.kana_key = b.kana_key AND a.phone <> ''"
                  f" AND {_PHONE.format('a')} = {_PHONE.format('b')}",
}
_ONE = (
    "SELECT a.id, b.id, '{sign}' FROM registry_volunteer a"
    " JOIN registry_volunteer b ON a.id < b.id AND {condition}"
    " WHERE a.merged_into_id IS NULL AND b.merged_into_id IS NULL"
    " AND (a.left_on IS NULL OR a.left_on > %s) AND (b.left_on IS NULL OR b.left_on > %s)"
    " AND NOT EXISTS (SELECT 1 FROM registry_distinctpair d"
    " WHERE d.first_id = a.id AND d.second_id = b.id)"
)


@dataclass(frozen=True)
class Pair:
    """Two records, the older first, and what they have in common (``WORDS``)."""

    first: VolunteerFacts
    second: VolunteerFacts
    signs: tuple[str, ...]


def likely_pairs(scope: Scope, *, limit: int = 200) -> tuple[Pair, ...]:
    """Pairs with the most in common first.  Raises ``Forbidden``.  Two statements."""
    scope.require(Permission.VOLUNTEERS_MANAGE)
    signs = _signs(scope)
    order = sorted(signs, key=lambda pair: (-len(signs[pair]), pair))[:limit]
    facts = volunteer_facts(scope, volunteer_ids={one for pair in order for one in pair},
                            action="volunteers.duplicates")
    return tuple(
        Pair(facts[one], facts[two], signs[one, two])
        for one, two in order if one in facts and two in facts
    )


def how_many_pairs(scope: Scope) -> int:
    """How many pairs are likely (for the first page)."""
    scope.require(Permission.VOLUNTEERS_MANAGE)
    return len(_signs(scope))


def signs_of(one: VolunteerFacts, other: VolunteerFacts) -> tuple[str, ...]:
    """What two records have in common, as words for the compare page."""
    def bare(text: str) -> str:
        return text.replace("-", "").replace(" ", "")

    same = {
        "生年月日": one.born_on == other.born_on, "名前": one.name == other.name,
        "よみ": one.kana == other.kana,
        "電話": bool(one.phone) and bare(one.phone) == bare(other.phone),
    }
    return tuple(word for word, holds in same.items() if holds)


def _signs(scope: Scope) -> dict[tuple[int, int], tuple[str, ...]]:
    text = " UNION ALL ".join(
        _ONE.format(sign=sign, condition=condition) for sign, condition in _SIGNS.items()
    )
    [found] = rows.fetch((text, [scope.on.isoformat()] * (2 * len(_SIGNS))))
    signs: dict[tuple[int, int], tuple[str, ...]] = {}
    for one, two, sign in _ordered(found):
        signs[one, two] = (*signs.get((one, two), ()), sign)
    return signs


def _ordered(found: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    names = list(_SIGNS)
    return sorted(found, key=lambda row: (row[0], row[1], names.index(row[2])))
