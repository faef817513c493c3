"""What follows from the loss of a copy: people affected, due dates, letters.

Owns the loss report that one minute of input yields.  Refuses: a loss without a discovery day,
or found before the copy was issued.  Days are counted with the day of discovery as day 1, the
stricter reading, without moving a due date past a holiday.
Source: 個人情報の保護に関する法律 第68条, 同法施行規則 第43条・第44条（速報はおおむね3〜5日、確報は
30日以内、不正の目的によるおそれがあるときは60日以内）.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from registry.domain.errors import Refused


class LossRefused(Refused):
    """The loss report cannot be made from this."""

    code = "loss_incomplete"
    message = "紛失の届けに足りない項目があります。"


@dataclass(frozen=True, slots=True)
class LossReport:
    """紛失報告. ``people``: everyone in the copy, to whom a letter goes (本人への通知)."""

    copy_no: str
    office: str
    discovered_on: date
    first_target_on: date
    first_due_on: date
    final_due_on: date
    people: tuple[str, ...]
    sensitive: bool
    malicious: bool

    @property
    def people_count(self) -> int:
        """本人の数."""
        return len(self.people)

    @property
    def sentence(self) -> str:
        """One sentence for the officer."""
        return (
            f"副本{self.copy_no}の紛失：対象{self.people_count}名。"
            f"速報は{_words(self.first_target_on)}まで（遅くとも{_words(self.first_due_on)}）、"
            f"確報は{_words(self.final_due_on)}まで。"
        )


def _words(on: date) -> str:
    return f"{on.month}月{on.day}日"


def loss_report(
    *,
    copy_no: str,
    office: str,
    issued_on: date,
    discovered_on: date,
    people: Iterable[str],
    sensitive: bool = True,
    malicious: bool = False,
) -> LossReport:
    """The report for one lost copy.

    ``sensitive``: the copy holds 要配慮個人情報 (a roster always tells a need for care, hence the
    default).  ``malicious``: theft or another wrongful purpose is possible: 60 days, not 30.
    """
    if not copy_no.strip() or not office.strip():
        raise LossRefused(fields={"copy_no": "副本番号と担当を入力してください。"})
    if discovered_on < issued_on:
        raise LossRefused(fields={"discovered_on": "気づいた日が、渡した日より前になっています。"})
    final = 60 if malicious else 30
    return LossReport(
        copy_no=copy_no,
        office=office,
        discovered_on=discovered_on,
        first_target_on=discovered_on + timedelta(days=2),
        first_due_on=discovered_on + timedelta(days=4),
        final_due_on=discovered_on + timedelta(days=final - 1),
        people=tuple(sorted(set(people))),
        sensitive=sensitive,
        malicious=malicious,
    )
