"""After the event: what was sent for a session and what became of it (突き合わせ, P5).

Owns the figures of the reconciliation page: sent = accepted + already + Σ refused, and for each
device the counters that never arrived, those taken back before sending, what it said still waits
on it, and how far its clock was off.  Refuses another group's session (not found).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from points.models import Attendance, Scan, WithdrawnScan
from points.queries.sessions import RECORDED, session
from registry import access
from registry.access import Scope
from registry.queries.accounts import display_names
from registry.queries.kiosks import KioskFact, kiosks_of_users

_MOST_MISSING = 1_000


@dataclass(frozen=True)
class DeviceReport:
    """What one device sent for a session.

    ``missing`` counters never arrived; ``withdrawn`` were taken back on the device before they
    were sent.  ``skew_ms`` is server minus device, the largest of its batches.  ``waiting`` and
    ``seen_at`` are what the device itself said last (None for an account that is no kiosk).
    """

    user_id: int
    name: str
    sent: int
    first_counter: int | None
    last_counter: int | None
    missing: tuple[int, ...]
    skew_ms: int
    withdrawn: tuple[int, ...] = ()
    waiting: int | None = None
    seen_at: datetime | None = None
    latest_at: datetime | None = None  # arrival of its last scan
    revoked_at: datetime | None = None
    kiosk_id: int | None = None


@dataclass(frozen=True)
class Reconciliation:
    """After the event (P5): sent = accepted + already + Σ refused; ``voided`` of the accepted."""

    session_id: int
    sent: int
    accepted: int
    already: int
    refused: dict[str, int]
    devices: tuple[DeviceReport, ...]
    headcount: int | None
    counted: int
    voided: int = 0
    withdrawn: int = 0
    late: int = 0  # arrived on a later day than the activity

    @property
    def missing(self) -> int:
        """Counters that never arrived, over all devices."""
        return sum(len(one.missing) for one in self.devices)

    @property
    def difference(self) -> int | None:
        """Headcount minus counted; None while nobody has counted heads."""
        return None if self.headcount is None else self.headcount - self.counted


def reconciliation(scope: Scope, *, session_id: int) -> Reconciliation:
    """What was sent for a session and what became of it.  Raises ``NotFound``.

    A constant number of queries.
    """
    line = session(scope, session_id=session_id)
    with access.system(at=scope.at, reason="reconciliation") as wide:
        rows = Scan.objects.visible_to(wide).filter(session_id=session_id)
        results: Counter[str] = Counter(
            dict(rows.order_by().values_list("result").annotate(n=Count("pk")))
        )
        seen = {
            row[0]: row[1:] for row in
            rows.filter(user_id__isnull=False).order_by().values_list("user_id").annotate(
                n=Count("pk"), low=Min("counter"), high=Max("counter"), ahead=Max("skew_ms"),
                behind=Min("skew_ms"), latest=Max("received_at"))
        }
        taken: dict[int, list[int]] = {}
        for user, counter in WithdrawnScan.objects.visible_to(wide).filter(
            session_id=session_id
        ).order_by("counter").values_list("user_id", "counter"):
            taken.setdefault(user, []).append(counter)
        users = sorted({*seen, *taken})
        machines = kiosks_of_users(wide, user_ids=users)
        arrived = _arrived(wide, users, seen, taken, machines)
        voided = Attendance.objects.visible_to(wide).filter(
            session_id=session_id, voided_at__isnull=False).count()
        late = sum(
            1 for at in rows.values_list("received_at", flat=True)
            if access.day_of(at) > line.held_on
        )
    names = display_names(set(users))
    reports = tuple(
        _report(user, names.get(user, ""), seen.get(user), taken.get(user, []),
                machines.get(user), arrived.get(user, set()))
        for user in users
    )
    accepted = sum(results[name] for name in RECORDED)
    refused = {name: n for name, n in sorted(results.items())
               if name not in RECORDED and name != "already"}
    return Reconciliation(
        session_id, sum(results.values()), accepted, results["already"], refused, reports,
        line.headcount, line.count, voided, sum(map(len, taken.values())), late,
    )


def _arrived(
    wide: Scope, users: list[int], seen: dict[int, tuple[object, ...]],
    taken: dict[int, list[int]], machines: dict[int, KioskFact],
) -> dict[int, set[int]]:
    """account → counters on record, for whatever session: one between two of ours did arrive."""
    bounds = [one for row in seen.values() for one in (row[1], row[2]) if isinstance(one, int)]
    bounds += [one for some in taken.values() for one in some]
    if not bounds:
        return {}
    high = max([*bounds, *(one.last_counter for one in machines.values())])
    found: dict[int, set[int]] = {}
    for model in (Scan, WithdrawnScan):
        for user, counter in model.objects.visible_to(wide).filter(
            user_id__in=users, counter__range=(min(bounds), high)
        ).values_list("user_id", "counter"):
            found.setdefault(user, set()).add(counter)
    return found


def _report(
    user: int, name: str, row: tuple[object, ...] | None, taken: list[int],
    machine: KioskFact | None, arrived: set[int],
) -> DeviceReport:
    count, low, high, ahead, behind, latest = row or (0, None, None, 0, 0, None)
    mine = [one for one in (low, high, *taken) if isinstance(one, int)]
    first, last = min(mine, default=None), max(mine, default=None)
    end = last
    if machine is not None and last is not None and max(arrived, default=last) == last:
        # Nothing of another session came after ours: what the device has counted since is ours.
        end = max(last, machine.last_counter)
    skew = max((one for one in (ahead, behind) if isinstance(one, int)), key=abs, default=0)
    return DeviceReport(
        user, machine.name if machine else name, count if isinstance(count, int) else 0,
        first, last, _gaps(arrived, first, end), skew, tuple(taken),
        machine.waiting if machine else None, machine.seen_at if machine else None,
        latest if isinstance(latest, datetime) else None,
        machine.revoked_at if machine else None, machine.id if machine else None,
    )


def _gaps(arrived: set[int], first: int | None, end: int | None) -> tuple[int, ...]:
    if first is None or end is None:
        return ()
    missing: list[int] = []
    before = first
    for one in [*sorted(n for n in arrived if first < n <= end), end + 1]:
        missing.extend(range(before + 1, min(one, before + 1 + _MOST_MISSING)))
        before = one
    return tuple(missing[:_MOST_MISSING])
