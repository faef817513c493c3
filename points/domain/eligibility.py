"""Who gets points for an activity, with the reason in one clause.

Owns: the decision from the facts in force on the activity's date and the rule set of it.
Refuses: nothing; a "no" is an answer with a code and a Japanese reason, and the attendance
is stored all the same.  Unknown facts are a "no" that says what is missing, never a guess.
Source: P1 (facts of the activity's date), P2; age by 年齢計算ニ関スル法律 (an age is reached
at the end of the day before the birthday, so a birthday on 1 April counts for 31 March).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from points.domain.results import Result
from points.domain.rules import RuleSet, Source, fiscal_year


@dataclass(frozen=True, slots=True)
class Facts:
    """About one volunteer on the activity's date; ``None`` means not known.

    ``registered``: as a volunteer; ``enrolled``: in the programme for that fiscal year, on that
    day; ``member``: of the activity's group.
    """

    birth_on: date | None
    registered: bool
    resident: bool | None = None
    member: bool = False
    enrolled: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """``clause`` ends in ため and is empty for a yes; ``result`` is what a scan answers."""

    eligible: bool
    code: str = "eligible"
    clause: str = ""
    result: Result = Result.GRANTED

    @property
    def sentence(self) -> str:
        """One sentence a person can read."""
        return (
            "ポイントの対象です。"
            if self.eligible
            else f"{self.clause}、ポイントの対象になりません。"
        )


YES = Decision(True)


def decide(rules: RuleSet, facts: Facts, *, on: date, source: Source) -> Decision:
    """Whether an attendance on ``on`` counts under ``rules``, which must be in force then.

    Codes: eligible, not_registered, not_enrolled, source_not_allowed, residence_unknown,
    not_resident, birth_unknown, under_age, not_member.
    """
    if not facts.registered:
        return _no("not_registered", "この年度の登録がないため")
    if rules.enrolment_required and not facts.enrolled:
        return _no("not_enrolled", "この事業の年度登録がないため")
    if source not in rules.sources:
        return _no("source_not_allowed", "対象の活動ではないため")
    if rules.residence_required and facts.resident is None:
        return _no("residence_unknown", "住所をまだ確認していないため")
    if rules.residence_required and not facts.resident:
        return _no("not_resident", "市内にお住まいの方が対象のため")
    if rules.minimum_age is not None:
        if facts.birth_on is None:
            return _no("birth_unknown", "生年月日の登録がないため")
        if age_in_year(facts.birth_on, fiscal_year(on)) < rules.minimum_age:
            return _no("under_age", f"この年度に{rules.minimum_age}歳になる方からが対象のため")
    if rules.membership_required and not facts.member:
        return _no("not_member", "この団体の会員として登録がないため", Result.OTHER_GROUP)
    return YES


def age_in_year(birth_on: date, year: int) -> int:
    """The age reached within fiscal ``year`` (by 31 March), for a birth on or before it."""
    # Reached at the end of the day before the birthday: by 31 March = birthday up to 1 April.
    return year + 1 - birth_on.year - ((birth_on.month, birth_on.day) > (4, 1))


def _no(code: str, clause: str, result: Result = Result.NOT_ELIGIBLE) -> Decision:
    return Decision(False, code, clause, result)
