"""Where every numbered copy is: double entry for paper, copy by copy (R9).

Owns receipt, possession check, hand-over, recall, return, destruction and finding again; a loss
is in ``losses``, the proof in ``verify``.  Every act is one appended event and the present of the
copy, in one transaction, judged by ``domain.custody``.  Refuses a step that does not follow, and
an office that does not hold the copy: for it the copy is not there.  災害対策基本法 第49条の13.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from evacuation.domain import custody as rules
from evacuation.domain.custody import Act, CopyState, CustodyRefused
from evacuation.models import Copy, CopyEvent, Edition, EditionRow, StrikeOut
from evacuation.operations import sharing
from evacuation.queries.disclosing import KIND_OF
from registry import access, audit
from registry.access import Scope, day_of
from registry.domain.errors import Conflict, Forbidden, NotFound
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries import offices

# Acts of the holder; whoever manages custody may do all of them.
_HOLDERS_OWN = frozenset({Act.RECEIVE, Act.CHECK, Act.HAND_OVER, Act.DESTROY, Act.LOSE})


def acknowledge_receipt(*, copy_id: int, by: Scope, version: int | None = None) -> Copy:
    """The holder has the copy and knows the duty of confidence (受領).

    Raises:
        NotFound, Forbidden, CustodyRefused, Conflict ``changed_meanwhile``.
    """
    return act(copy_id=copy_id, what=Act.RECEIVE, by=by, version=version)


def check_possession(
    *, copy_id: int, by: Scope, note: str = "", version: int | None = None
) -> Copy:
    """Six-monthly: the copy was seen in its place (所在確認).  Raises as above."""
    return act(copy_id=copy_id, what=Act.CHECK, by=by, note=note, version=version)


def recall(*, copy_id: int, by: Scope, note: str = "", version: int | None = None) -> Copy:
    """Ask for the copy back (返却のお願い).  Custody staff only.  Raises as above."""
    return act(copy_id=copy_id, what=Act.RECALL, by=by, note=note, version=version)


def return_copy(*, copy_id: int, by: Scope, note: str = "", version: int | None = None) -> Copy:
    """The municipality has the copy again (返却).  Custody staff only.  Raises as above."""
    return act(copy_id=copy_id, what=Act.RETURN, by=by, note=note, version=version)


def destroy(*, copy_id: int, note: str, by: Scope, version: int | None = None) -> Copy:
    """The copy was destroyed; ``note`` names way and witness (廃棄証明).  Raises as above."""
    return act(copy_id=copy_id, what=Act.DESTROY, by=by, note=note, version=version)


def find_again(*, copy_id: int, note: str, by: Scope, version: int | None = None) -> Copy:
    """A lost copy turned up; it is to come back (発見).  Custody staff only."""
    return act(copy_id=copy_id, what=Act.FIND, by=by, note=note, version=version)


@transaction.atomic
def hand_over(
    *, copy_id: int, by: Scope, to_office_id: int | None = None, to_user_id: int | None = None,
    note: str = "", version: int | None = None,
) -> Copy:
    """Pass the copy on (引き継ぎ): to another office, which then acknowledges it, or to the
    successor in the same office (``to_user_id`` holds it today; recorded as seen).

    Raises:
        As above; CustodyRefused ``custody_successor_unknown``: the user does not hold the office.
    """
    if to_office_id is not None:
        return act(copy_id=copy_id, what=Act.HAND_OVER, by=by, to_office_id=to_office_id,
                   note=note, version=version)
    copy = _found(copy_id, by)
    with access.system(at=by.at, reason="custody.hand_over") as wide:
        holders = offices.holders(wide, office_ids=[copy.office_id]).get(copy.office_id, [])
    if to_user_id is None or to_user_id not in {one.user_id for one in holders}:
        raise CustodyRefused("引き継ぐ相手は、いまこの役職についている方を選んでください。",
                             code="custody_successor_unknown")
    return act(copy_id=copy_id, what=Act.CHECK, by=by, holder_id=to_user_id, version=version,
               note=note or "後任への引き継ぎ")


@transaction.atomic
def act(
    *, copy_id: int, what: Act, by: Scope, note: str = "", to_office_id: int | None = None,
    holder_id: int | None = None, version: int | None = None,
) -> Copy:
    """One step of one copy; the verbs above and ``losses.report_loss`` are its callers."""
    seen = _found(copy_id, by)
    staff = by.may(Permission.CUSTODY_MANAGE)
    if not staff and what not in _HOLDERS_OWN:
        raise Forbidden(fields={"permission": Permission.CUSTODY_MANAGE.value})
    # Wider than the actor: a copy that is handed over leaves the actor's rows.
    with access.system(at=by.at, reason=f"custody.{what.value}") as wide:
        copy: Copy = Copy.objects.visible_to(wide).select_for_update().get(pk=seen.pk)
        if version is not None and version != copy.version:
            raise Conflict(code="changed_meanwhile")
        events = list(CopyEvent.objects.visible_to(wide).filter(copy=copy).order_by("sequence"))
        now = rules.fold(as_events(copy, events))[copy.number]
        office = to_office_id if what is Act.HAND_OVER else copy.office_id
        if what is Act.HAND_OVER:
            _require_office(wide, office)
        after = rules.apply(now, rules.CopyEvent(
            copy.number, what, day_of(by.at), _name(by.user_id), str(office), note.strip()
        ))
        CopyEvent.objects.unscoped().create(
            copy=copy, sequence=len(events) + 1, event=what.value, at=by.at,
            by_id=actor_id(by=by), from_office_id=copy.office_id, to_office_id=office,
            note=note.strip()[:240],
        )
        copy.state, copy.state_at, copy.office_id = after.state.value, by.at, int(after.office)
        copy.next_check_on = after.check_due_on() if after.outstanding else None
        copy.holder_id = _holder(copy, what, by, holder_id, wide)
        copy.version += 1
        copy.save()
        if what is Act.HAND_OVER:  # what is to be struck out goes with the copy
            StrikeOut.objects.visible_to(wide).filter(copy=copy).update(office_id=copy.office_id)
        if after.state in (CopyState.RETURNED, CopyState.DESTROYED, CopyState.LOST):
            sharing.copies_came_back(int(seen.office_id), by=by, wide=wide)
    audit.note(scope=by, kind="change", action=f"custody.{what.value}", subject_kind="copy",
               subject_id=copy.pk, detail={"state": copy.state, "office": copy.office_id})
    return copy


def _found(copy_id: int, by: Scope) -> Copy:
    copy: Copy | None = Copy.objects.visible_to(by).filter(pk=copy_id).first()
    if copy is None:
        raise NotFound
    return copy


def _holder(copy: Copy, what: Act, by: Scope, given: int | None, wide: Scope) -> int | None:
    if given is not None:
        return given
    if what is Act.HAND_OVER:
        there = offices.holders(wide, office_ids=[copy.office_id]).get(copy.office_id, [])
        return there[0].user_id if there else None
    if what is Act.RECEIVE and copy.office_id in by.offices:
        return by.user_id
    return copy.holder_id


def _require_office(wide: Scope, office_id: int | None) -> None:
    found = offices.offices(wide, ids=[office_id]) if office_id is not None else []
    if not found or KIND_OF.get(found[0].role) is None:
        raise CustodyRefused("引き継ぎ先は、名簿を持つ役職を選んでください。",
                             code="custody_office_unknown")


def _name(user_id: int | None) -> str:
    return "system" if user_id is None else str(user_id)


def as_events(copy: Copy, events: list[CopyEvent]) -> list[rules.CopyEvent]:
    """Rows as the domain reads them; the office is the one that holds it afterwards."""
    return [
        rules.CopyEvent(
            copy.number, Act(row.event), day_of(row.at), _name(row.by_id),
            str(row.to_office_id), row.note,
        )
        for row in events
    ]


@dataclass(frozen=True)
class Verdict:
    """What ``verify`` found; ``broken`` is empty when every copy is accounted for."""

    editions: int
    rows: int
    issued: int
    held: int
    returned: int
    destroyed: int
    lost: int
    broken: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """issued = held + returned + destroyed + lost, and nothing is broken."""
        return not self.broken and self.issued == (
            self.held + self.returned + self.destroyed + self.lost
        )


def verify(*, wide: Scope) -> Verdict:
    """Compare three sources — numbers that editions imply, events, present states — and the
    counts and digests of every edition.  Runs in the service's own scope; changes nothing."""
    if not wide.system:
        raise Forbidden
    broken: list[str] = []
    printed: list[str] = []
    rows = 0
    sizes: dict[int, int] = {}
    for edition in EditionRow.objects.visible_to(wide).values_list("edition_id", flat=True):
        sizes[edition] = sizes.get(edition, 0) + 1
        rows += 1
    editions = list(Edition.objects.visible_to(wide).values_list(
        "pk", "number", "row_count", "xlsx_address"
    ))
    for pk, number, count, xlsx in editions:
        printed += [f"{number}-P1", *([f"{number}-F1"] if xlsx else [])]
        if sizes.get(pk, 0) != count:
            broken.append(f"版{number}の人数が合いません")
    copies = list(Copy.objects.visible_to(wide).order_by("pk"))
    events: dict[int, list[CopyEvent]] = {}
    for row in CopyEvent.objects.visible_to(wide).order_by("copy_id", "sequence"):
        events.setdefault(row.copy_id, []).append(row)
    ledger: list[rules.Posting] = []
    folded: list[rules.Copy] = []
    for copy in copies:
        mine = events.get(copy.pk, [])
        if [row.sequence for row in mine] != list(range(1, len(mine) + 1)):
            broken.append(f"副本{copy.number}の記録の順番が欠けています")
        try:
            history = as_events(copy, mine)
            now = rules.fold(history).get(copy.number)
            ledger += rules.postings(history)
        except CustodyRefused as error:
            broken.append(f"副本{copy.number}の記録がつながりません（{error.code}）")
            continue
        if now is None or (now.state.value, now.office) != (copy.state, str(copy.office_id)):
            broken.append(f"副本{copy.number}の状態が記録と合いません")
            continue
        folded.append(now)
    sums = rules.reconcile(printed, ledger, folded)
    broken += [f"副本{number}の行方が合いません" for number in sums.unaccounted]
    return Verdict(len(editions), rows, sums.issued, sums.held, sums.returned, sums.destroyed,
                   sums.lost, tuple(dict.fromkeys(broken)))
