"""To which rows?  A scope is who is looking, on which day, and how far they reach.

Owns: building a ``Scope`` from terms of office, the one way to open it (``scope`` opens the
transaction and sets the database's own scope for row-level security), and ``system`` for the
service itself.  Refuses: an inactive user, an ended term (it sees nothing from that midnight).
House: *Three questions, three files*.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q

from registry.domain.errors import Forbidden
from registry.domain.roles import ROLES, Permission, Reach, Role, permissions_of
from registry.models import Appointment, Area, OfficeArea, User, Volunteer

JAPAN = ZoneInfo("Asia/Tokyo")


def day_of(at: datetime) -> date:
    """The day in Japan of an instant; terms of office begin and end at its midnight."""
    return at.astimezone(JAPAN).date()


@dataclass(frozen=True)
class Scope:
    """Who is looking, when, and how far they reach.  Built only by this module.

    ``areas`` are the ids of 町内会 covered by the offices held; ``organisations`` the ids of the
    organisations whose rows a leader, shop or device may touch.
    """

    at: datetime
    on: date
    user_id: int | None = None
    username: str = ""
    roles: frozenset[Role] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    offices: frozenset[int] = frozenset()
    areas: frozenset[int] = frozenset()
    organisations: frozenset[int] = frozenset()
    volunteer_id: int | None = None
    system: bool = False
    purpose: str = ""
    reason: str = ""
    office_of: dict[Role, int] = field(default_factory=dict)

    def may(self, permission: Permission) -> bool:
        """Whether any of the roles held today carries the permission."""
        return self.system or permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise ``Forbidden`` unless the permission is held."""
        if not self.may(permission):
            raise Forbidden(fields={"permission": permission.value})

    def _reaches_all(self, permission: Permission) -> bool:
        return self.may(permission) and (
            self.system
            or any(
                ROLES[role].reach is Reach.MUNICIPALITY and permission in ROLES[role].permissions
                for role in self.roles
            )
        )

    @property
    def sees_all_people(self) -> bool:
        return self._reaches_all(Permission.PEOPLE_VIEW)

    @property
    def sees_all_volunteers(self) -> bool:
        return self._reaches_all(Permission.VOLUNTEERS_VIEW)

    @property
    def sees_protected(self) -> bool:
        return self._reaches_all(Permission.PEOPLE_PROTECTED)

    @property
    def office_id(self) -> int | None:
        """One office for the log: the lowest id held today."""
        return min(self.offices) if self.offices else None


_current: ContextVar[Scope | None] = ContextVar("tsunagari_scope", default=None)


def _of(
    user: User, *, at: datetime, purpose: str = "", limited_to: frozenset[Permission] | None = None
) -> Scope:
    """Build the scope of a user inside the open transaction.  Four small queries at most."""
    on = day_of(at)
    if not user.is_active:
        return Scope(at=at, on=on, purpose=purpose)
    held = _held([user.pk], on)[user.pk]
    _set_in_database({"tsunagari.user": str(user.pk), "tsunagari.day": on.isoformat()})
    volunteer_id = _volunteers([user.pk], on).get(user.pk)
    areas = _areas_of(frozenset(office for office, _, _ in held))
    return _built(user, held, volunteer_id, areas, at, purpose, limited_to)


_Held = list[tuple[int, str, int]]


def _held(users: list[int], on: date) -> dict[int, _Held]:
    """user id → (office, role, organisation) of the terms in force on the day."""
    found: dict[int, _Held] = {user: [] for user in users}
    for user, office, role, organisation in (
        Appointment.objects.filter(user_id__in=users, starts_on__lte=on)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=on))
        .values_list("user_id", "office_id", "office__role", "office__organisation_id")
    ):
        found[user].append((office, role, organisation))
    return found


def _volunteers(users: list[int], on: date) -> dict[int, int]:
    """user id → volunteer id, of those registered on the day."""
    return dict(
        Volunteer.objects.unscoped()
        .filter(user_id__in=users)
        .filter(Q(left_on__isnull=True) | Q(left_on__gt=on))
        .values_list("user_id", "pk")
    )


def _built(
    user: User, held: _Held, volunteer_id: int | None, areas: frozenset[int], at: datetime,
    purpose: str, limited_to: frozenset[Permission] | None,
) -> Scope:
    roles = {Role(role) for _, role, _ in held}
    if volunteer_id is not None:
        roles.add(Role.VOLUNTEER)
    frozen = frozenset(roles)
    permissions = permissions_of(frozen)
    if limited_to is not None:
        permissions &= limited_to
        volunteer_id = volunteer_id if Permission.OWN_POINTS in permissions else None
    return Scope(
        at=at,
        on=day_of(at),
        user_id=user.pk,
        username=user.username,
        roles=frozen,
        permissions=permissions,
        offices=frozenset(office for office, _, _ in held),
        areas=areas,
        organisations=frozenset(
            organisation
            for _, role, organisation in held
            if ROLES[Role(role)].reach is Reach.ORGANISATION
        ),
        volunteer_id=volunteer_id,
        purpose=purpose,
        office_of={Role(role): office for office, role, _ in sorted(held, reverse=True)},
    )


def together(
    *, callers: Sequence[tuple[User, frozenset[Permission] | None]], wide: Scope
) -> list[Scope]:
    """The scopes of several active users, for an operation that acts for each of them at once.

    Opens nothing: the database's own scope stays that of the service, ``wide``, and the
    operation asks each caller's scope itself.  Their ``areas`` are left empty: an operation that
    needs the areas of an office opens ``scope`` for one user.
    """
    if not wide.system:
        raise Forbidden
    users = sorted({user.pk for user, _ in callers})
    held, volunteers = _held(users, wide.on), _volunteers(users, wide.on)
    return [
        _built(user, held[user.pk], volunteers.get(user.pk), frozenset(), wide.at, "", limits)
        for user, limits in callers
    ]


def _areas_of(offices: frozenset[int]) -> frozenset[int]:
    if not offices:
        return frozenset()
    named = list(
        OfficeArea.objects.filter(office_id__in=offices).values_list("area_id", flat=True)
    )
    if not named:
        return frozenset()
    below = Area.objects.filter(Q(parent_id__in=named) | Q(parent__parent_id__in=named))
    return frozenset(named) | frozenset(below.values_list("pk", flat=True))


@contextmanager
def scope(
    user: User, *, at: datetime, purpose: str = "", limited_to: frozenset[Permission] | None = None
) -> Iterator[Scope]:
    """Open a transaction in which only what ``user`` may see is there to be read.

    Reads, streams and writes alike happen inside it; the database's own scope ends with it.
    ``limited_to`` are the scopes of an API token: they narrow the user's permissions, never widen.
    """
    with (
        transaction.atomic(),
        _applied(_of(user, at=at, purpose=purpose, limited_to=limited_to)) as opened,
    ):
        yield opened


@contextmanager
def nobody(*, at: datetime) -> Iterator[Scope]:
    """Open a transaction for somebody who has not signed in: no rows, no permissions."""
    with transaction.atomic(), _applied(Scope(at=at, on=day_of(at))) as opened:
        yield opened


@contextmanager
def system(*, at: datetime, reason: str) -> Iterator[Scope]:
    """Open a transaction for the service itself (workers, imports, set-up); say why."""
    opened = Scope(at=at, on=day_of(at), system=True, reason=reason)
    with transaction.atomic(), _applied(opened):
        yield opened


def current() -> Scope | None:
    """The scope opened in this thread, for the log."""
    return _current.get()


@contextmanager
def _applied(opened: Scope) -> Iterator[Scope]:
    before = _current.get()
    _set_in_database(_database_values(opened))
    token = _current.set(opened)
    try:
        yield opened
    finally:
        _current.reset(token)
        # An outer scope goes on; an aborted transaction forgets by itself.
        if before is not None and connection.in_atomic_block and not connection.needs_rollback:
            _set_in_database(_database_values(before))


def _database_values(opened: Scope) -> dict[str, str]:
    return {
        "tsunagari.people": "on" if opened.sees_all_people else "",
        "tsunagari.volunteers": "on" if opened.sees_all_volunteers else "",
        "tsunagari.protected": "on" if opened.sees_protected else "",
        "tsunagari.user": "" if opened.user_id is None else str(opened.user_id),
        "tsunagari.volunteer": "" if opened.volunteer_id is None else str(opened.volunteer_id),
        "tsunagari.offices": ",".join(map(str, sorted(opened.offices))),
        "tsunagari.organisations": ",".join(map(str, sorted(opened.organisations))),
        "tsunagari.day": opened.on.isoformat(),
    }


def _set_in_database(values: dict[str, str]) -> None:
    """``SET LOCAL`` the scope; it ends with the transaction.  SQLite has the first wall only."""
    if connection.vendor != "postgresql":
        return
    call = ", ".join(["set_config(%s, %s, true)"] * len(values))
    arguments = [part for pair in values.items() for part in pair]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {call}", arguments)  # placeholders only
