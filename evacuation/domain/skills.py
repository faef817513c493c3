"""What a supporter can do, and what a person's needs ask of a supporter.

Owns the codes of skills (できること) and the table need → skill.  A need without a row asks for
nothing special: any neighbour can knock on a door and walk along.  Refuses to grade people: a
code that nobody knows is kept, shown as it is, and helps nobody's need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from evacuation.domain.needs import NeedTag


class Skill(StrEnum):
    """できること. The value is stored with volunteers and supporters."""

    WHEELCHAIR = "wheelchair"
    STRETCHER = "stretcher"
    WRITING = "writing"
    GUIDING = "guiding"
    CALMING = "calming"
    LANGUAGE = "language"
    CAR = "car"

    @property
    def label(self) -> str:
        """Word for a screen."""
        return _LABELS[self]


_LABELS: Mapping[Skill, str] = {
    Skill.WHEELCHAIR: "車いす",
    Skill.STRETCHER: "担架で運ぶ",
    Skill.WRITING: "筆談・手話",
    Skill.GUIDING: "目の見えない方の案内",
    Skill.CALMING: "そばで声をかける",
    Skill.LANGUAGE: "外国語",
    Skill.CAR: "車",
}

_ASKED: Mapping[NeedTag, Skill] = {
    NeedTag.WHEELCHAIR: Skill.WHEELCHAIR,
    NeedTag.BEDRIDDEN: Skill.STRETCHER,
    NeedTag.VENTILATOR: Skill.STRETCHER,
    NeedTag.DEAF: Skill.WRITING,
    NeedTag.BLIND: Skill.GUIDING,
    NeedTag.FOREIGN_LANGUAGE: Skill.LANGUAGE,
}


def asked_by(needs: Iterable[str]) -> frozenset[str]:
    """Labels of the skills that stored need tags ask for; unknown tags ask for nothing."""
    known = {tag.value for tag in NeedTag}
    tags = (NeedTag(need) for need in needs if need in known)
    return frozenset(_ASKED[tag].label for tag in tags if tag in _ASKED)


def labels(skills: Iterable[str]) -> frozenset[str]:
    """Labels of stored skill codes; an unknown code stays as it is."""
    known = {skill.value: skill.label for skill in Skill}
    return frozenset(known.get(skill, skill) for skill in skills)
