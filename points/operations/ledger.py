"""Verify the ledger: recompute everything and say what differs (P3).

Owns ``verify``: every share is counted again from attendance, facts and rules; every decision,
transfer, balance, voucher and exchange must agree with it, and every row with its keyed mark.
Volunteers are streamed in blocks, so that memory does not grow with the city.  Owns
``recompute``: facts were corrected, points follow (P1).  Refuses nothing: a difference is an
answer.  A closed year is compared with its own decisions: P1 holds until it is closed; what a
new count would change there must wait in the queue of corrections (``ledger_years``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Min, Q, Sum

from points import keys
from points.domain import awards, recount
from points.domain.accounts import AccountKind
from points.domain.awards import Share, Standing
from points.domain.recount import Record
from points.domain.rules import YearState, fiscal_year
from points.models import Account, Attendance, AwardDecision, Exchange, Passbook, Transfer, Voucher
from points.operations.attendance import resettle
from points.operations.awarding import decision_values
from points.operations.ledger_papers import check_papers
from points.operations.ledger_rows import check_transfers, check_vouchers
from points.operations.ledger_years import Corrections, check_years
from points.queries import records, rulebook
from points.queries.rulebook import Rules
from registry import access, outbox
from registry.access import Scope
from registry.domain.errors import Forbidden, Refused

BLOCK = 500
#: What rules and records raise when somebody wrote into them what no operation writes.
_UNREADABLE = (KeyError, ValueError, Refused)


@dataclass(frozen=True)
class Difference:
    """One thing that does not agree: its kind, where it is, and what was expected."""

    kind: str
    where: str
    sentence: str


@dataclass
class LedgerVerdict:
    """What was looked at, and every difference (empty = intact)."""

    volunteers: int = 0
    attendances: int = 0
    decisions: int = 0
    transfers: int = 0
    vouchers: int = 0
    points: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def add(self, kind: str, where: str, sentence: str) -> None:
        """Note a difference."""
        self.differences.append(Difference(kind, where, sentence))


@transaction.atomic
def recompute(*, volunteer_ids: list[int], by: Scope) -> int:
    """Count all years of these volunteers again after a fact was corrected; new decisions.

    Closed years stay as they are.  Raises ``Forbidden`` outside the service's own scope.
    """
    if not by.system:
        raise Forbidden
    span = Attendance.objects.visible_to(by).filter(volunteer_id__in=volunteer_ids).aggregate(
        first=Min("session__held_on"), last=Max("session__held_on")
    )
    if span["first"] is None:
        return 0
    years = list(range(fiscal_year(span["first"]), fiscal_year(span["last"]) + 1))
    return resettle(volunteer_ids=volunteer_ids, years=years, wide=by).decisions


def facts_changed(claimed: outbox.Claimed, at: datetime) -> None:
    """Outbox ``registry.volunteer_changed``: count the volunteer again.  Safe to run twice."""
    with access.system(at=at, reason="facts changed") as wide:
        if claimed.subject_id is not None:
            recompute(volunteer_ids=[claimed.subject_id], by=wide)
        claimed.finish(at)


def verify(*, by: Scope) -> LedgerVerdict:
    """Recompute the whole ledger.  Raises ``Forbidden`` outside the service's own scope."""
    if not by.system:
        raise Forbidden
    verdict = LedgerVerdict()
    try:
        rules = rulebook.load()
    except _UNREADABLE as wrong:
        said = f"読めない形に変わっています（{wrong}）"
        verdict.add("rules_unreadable", "要領・年度の定め", said)
        return verdict
    for block in _blocks(by):
        verdict.volunteers += len(block)
        _check_block(block, rules, verdict, by)
    check_transfers(verdict, rules, by)
    _check_balances(verdict, by)
    check_vouchers(verdict, rules, by)
    check_papers(verdict, rules, by)
    try:
        check_years(verdict, rules, by)
    except _UNREADABLE as wrong:
        verdict.add("years_unreadable", "年度", f"判断できない形に変わっています（{wrong}）")
    return verdict


def _blocks(by: Scope) -> Iterator[list[int]]:
    """Ids of everybody with anything in the ledger, in blocks."""
    ids: set[int] = set()
    for model in (Attendance, AwardDecision, Exchange, Passbook):
        ids.update(model.objects.visible_to(by).values_list("volunteer_id", flat=True).distinct())
    for moved in (Account, Transfer):
        rows = moved.objects.visible_to(by).filter(volunteer__isnull=False)
        ids.update(rows.values_list("volunteer_id", flat=True).distinct())
    ordered = sorted(ids)
    for start in range(0, len(ordered), BLOCK):
        yield ordered[start : start + BLOCK]


def _check_block(block: list[int], rules: Rules, verdict: LedgerVerdict, by: Scope) -> None:
    found = records.records(by, rules, volunteer_ids=block, years=None)
    people = records.people(by, volunteer_ids=block, rules=rules)
    latest = records.decisions(by, rules, volunteer_ids=block, years=None)
    owner = {one.attendance: one.volunteer for some in found.values() for one in some}
    verdict.attendances += len(owner)
    former = _former(block, by)
    _check_decisions(block, owner, former, verdict, by)
    posted = _posted([*block, *former], by)
    held = Corrections(volunteer_ids=block, rules=rules, by=by)
    for volunteer, some in found.items():
        try:
            counted = recount.count(some, people[volunteer], rules.book)
        except _UNREADABLE as wrong:
            verdict.add("cannot_be_counted", f"ボランティア {volunteer}",
                        f"記録か規則が、数えられない形に変わっています（{wrong}）")
            continue
        for (programme, year), shares in counted.shares.items():
            closed = rules.book.terms[programme, year].state is YearState.CLOSED
            expected = _frozen(shares, latest) if closed else shares
            if closed:
                held.check(volunteer, programme, year, shares, latest, verdict)
            _check_total(volunteer, programme, year, some, shares, counted, rules, verdict, closed)
            for share in expected:
                _check_share(share, latest.get(share.attendance), posted, verdict)
    held.rest(verdict)
    for attendance in sorted(_ownerless(set(posted) - set(owner), block, former, by)):
        verdict.add("transfer_without_attendance", f"参加記録 {attendance}",
                    "参加記録のない付与があります")
    _check_owed(block, verdict, by)


def _frozen(shares: tuple[Share, ...], latest: dict[int, Share]) -> list[Share]:
    return [latest.get(share.attendance, share) for share in shares]


def _check_share(
    share: Share, decided: Share | None, posted: dict[int, int], verdict: LedgerVerdict
) -> None:
    where = f"参加記録 {share.attendance}"
    verdict.points += share.points
    if decided is None:
        verdict.add("decision_missing", where, "付与の決定がありません")
    elif decided != share:
        verdict.add("share_differs", where,
                    f"{decided.points}ポイントの決定は、数えなおすと{share.points}ポイントです")
    if posted.get(share.attendance, 0) != share.points:
        verdict.add("posting_differs", where,
                    f"仕訳の合計{posted.get(share.attendance, 0)}は{share.points}のはずです")


def _check_total(
    volunteer: int, programme: str, year: int, some: list[Record], shares: tuple[Share, ...],
    counted: recount.Counted, rules: Rules, verdict: LedgerVerdict, closed: bool,
) -> None:
    """P1's formula itself, apart from the allocation."""
    if closed:
        return
    standing = {s.attendance: s for s in shares}
    rows = [
        awards.Attendance(
            one.attendance, one.session, one.on, one.starts_at, one.group, one.kind, one.title,
            one.minutes, Standing(limit) if (limit := standing[one.attendance].limit.value)
            in {s.value for s in Standing} else Standing.VALID,
            counted.eligibility[one.attendance].clause,
        )
        for one in some if one.programme == programme and fiscal_year(one.on) == year
    ]
    expected = awards.total(rows, rules.book.rules[programme], rules.book.terms[programme, year])
    if expected != sum(share.points for share in shares):
        verdict.add("total_differs", f"ボランティア {volunteer} {programme} {year}年度",
                    f"合計は{expected}ポイントのはずです")


def _former(block: list[int], by: Scope) -> dict[int, int]:
    """Records that were united with one of these (P8) → the record that they are now."""
    rows = Passbook.objects.visible_to(by).filter(moved_to_id__in=block)
    return dict(rows.values_list("volunteer_id", "moved_to_id"))


def _ownerless(
    posted: set[int], block: list[int], former: dict[int, int], by: Scope
) -> set[int]:
    """Of attendances with transfers, those that are nobody's whom a merge explains."""
    moved = Passbook.objects.visible_to(by).filter(
        volunteer_id__in=[*block, *former], moved_to__isnull=False
    ).values_list("moved_to_id", flat=True)
    explained = {*block, *former, *moved}
    rows = Attendance.objects.visible_to(by).filter(pk__in=posted, volunteer_id__in=explained)
    return posted - set(rows.values_list("pk", flat=True))


def _check_decisions(
    block: list[int], owner: dict[int, int], former: dict[int, int], verdict: LedgerVerdict,
    by: Scope,
) -> None:
    """Each decision: its mark, its person, and the chain of differences."""
    mark = keys.marker("decision")
    last: dict[int, int] = {}
    rows = AwardDecision.objects.visible_to(by).filter(
        attendance__volunteer_id__in=block
    ).order_by("pk")
    for row in rows.iterator(chunk_size=2_000):
        verdict.decisions += 1
        where = f"付与の決定 {row.pk}"
        if mark(decision_values(row)) != bytes(row.mark):
            verdict.add("decision_altered", where, "記録したあとで書きかえられています")
        if owner.get(row.attendance_id) not in (row.volunteer_id, former.get(row.volunteer_id)):
            verdict.add("decision_of_other", where, "参加記録とボランティアが合いません")
        if row.share - last.get(row.attendance_id, 0) != row.change:
            verdict.add("decision_chain", where, "前の決定との差が合いません")
        last[row.attendance_id] = row.share


def _posted(block: list[int], by: Scope) -> dict[int, int]:
    """attendance id → net points issued for it by transfers."""
    net: dict[int, int] = {}
    rows = Transfer.objects.visible_to(by).filter(volunteer_id__in=block, cause="attendance")
    for path, sign in (("debit", 1), ("credit", -1)):
        sums = rows.filter(**{f"{path}__kind": AccountKind.ISSUE}).order_by()
        for ref, total in sums.values_list("ref").annotate(total=Sum("amount")):
            net[int(ref)] = net.get(int(ref), 0) + sign * total
    return net


def _check_owed(block: list[int], verdict: LedgerVerdict, by: Scope) -> None:
    """A person has points or a shortfall in a programme, never both (P1)."""
    rows = Account.objects.visible_to(by).filter(volunteer_id__in=block).order_by()
    rich: set[tuple[int, int]] = set()
    owing: set[tuple[int, int]] = set()
    for volunteer, programme, kind, balance in rows.values_list(
        "volunteer_id", "programme_id", "kind", "balance"
    ):
        if balance:
            (owing if kind == AccountKind.SHORTFALL else rich).add((volunteer, programme))
    for volunteer, programme in sorted(rich & owing):
        verdict.add("points_and_shortfall", f"ボランティア {volunteer} 事業 {programme}",
                    "残高と返還待ちが同時にあります")


def _check_balances(verdict: LedgerVerdict, by: Scope) -> None:
    """Every stored balance is the sum of its transfers; city accounts store none."""
    net: dict[int, int] = {}
    rows = Transfer.objects.visible_to(by).order_by()
    for path, sign in (("credit_id", 1), ("debit_id", -1)):
        for account, total in rows.values_list(path).annotate(total=Sum("amount")).iterator():
            net[account] = net.get(account, 0) + sign * total
    guarded = Account.objects.visible_to(by).filter(
        Q(balance__isnull=False) | Q(volunteer__isnull=False) | Q(shop__isnull=False)
    )
    for pk, balance in guarded.values_list("pk", "balance").iterator():
        if balance != net.get(pk, 0):
            verdict.add("balance_differs", f"勘定 {pk}",
                        f"残高{balance}は、仕訳の合計では{net.get(pk, 0)}です")


def tally(*, by: Scope) -> dict[str, int]:
    """Yen by voucher state, for the city's own statement.  Service scope only."""
    if not by.system:
        raise Forbidden
    rows = Voucher.objects.visible_to(by).order_by().values_list("state")
    return dict(rows.annotate(total=Sum("yen")))
