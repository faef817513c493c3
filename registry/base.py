"""What every model of the house is made of: field classes, scoped managers, append-only rows.

Owns: the classification of fields (plain / personal / sensitive, with retention), the manager
that refuses to read without a scope, and the two declarations that ``registry.database`` turns
into database objects: ``append_only`` (triggers) and ``row_policy`` (row-level security).
Refuses: ``Model.objects.all()`` on a scoped model.  House rules: ``docs/architecture.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import models

if TYPE_CHECKING:
    from registry.access import Scope


class Level(StrEnum):
    """How careful one must be with a field."""

    PLAIN = "plain"  # says nothing about a person
    PERSONAL = "personal"  # 個人情報
    SENSITIVE = "sensitive"  # 要配慮個人情報, or what would endanger somebody


class Keep(StrEnum):
    """How long a field is kept (保存期間).  The purge reads these names."""

    FOREVER = "forever"  # history, accounts, proofs
    REGISTERED = "registered"  # while the person is in the register, then 5 years
    LISTED = "listed"  # while on the roster, then 5 years
    VOLUNTEER = "volunteer"  # while registered as a volunteer, then 5 fiscal years
    STAGING = "staging"  # 90 days
    ACCOUNT = "account"  # while the account exists, then 5 years
    LOG = "log"  # 10 years; erasure keeps the salted digest


@dataclass(frozen=True)
class Privacy:
    """The classification of one field."""

    level: Level
    keep: Keep


F = TypeVar("F", bound="models.Field[Any, Any]")
M = TypeVar("M", bound=models.Model)


def _classify(field: F, level: Level, keep: Keep) -> F:
    field.privacy = Privacy(level, keep)  # type: ignore[attr-defined]  # read by tests and export
    return field


def plain(field: F, keep: Keep = Keep.FOREVER) -> F:
    """Mark a field that says nothing about a person."""
    return _classify(field, Level.PLAIN, keep)


def personal(field: F, keep: Keep = Keep.REGISTERED) -> F:
    """Mark 個人情報: names, addresses, phones."""
    return _classify(field, Level.PERSONAL, keep)


def sensitive(field: F, keep: Keep = Keep.LISTED) -> F:
    """Mark 要配慮個人情報: disability, care, address protection.  Reading it leaves a record."""
    return _classify(field, Level.SENSITIVE, keep)


class UnscopedAccess(RuntimeError):
    """Somebody asked a scoped model for rows without saying who is looking."""


class ScopedManager(models.Manager[M]):
    """The default manager of every model that holds people: it has no plain queryset."""

    def get_queryset(self) -> models.QuerySet[M]:
        raise UnscopedAccess(
            f"{self.model.__name__}.objects needs .visible_to(scope). In operations that act for "
            "the whole service use .unscoped(), and list the module in "
            "tests/project/test_scoping.py."
        )

    def visible_to(self, scope: Scope) -> models.QuerySet[M]:
        """Rows that this scope may see; the model's own ``visible`` decides."""
        rows: models.QuerySet[M] = self.model.visible(self.unscoped(), scope)  # type: ignore[attr-defined]  # declared by Scoped
        return rows

    def unscoped(self) -> models.QuerySet[M]:
        """Every row.  Only for modules listed in tests/project/test_scoping.py."""
        return models.QuerySet(model=self.model, using=self._db)


class Scoped(models.Model):
    """A model whose rows concern people; reading needs a scope."""

    objects: ClassVar[ScopedManager[Any]] = ScopedManager()
    # SQL of the row-level-security policy, or "" where another table's policy is enough.
    row_policy: ClassVar[str] = ""

    class Meta:
        abstract = True

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        """Rows of ``rows`` that ``scope`` may see; refuse by default."""
        return rows.all() if scope.system else rows.none()


class AppendOnly(models.Model):
    """History: rows are inserted and never changed (a trigger holds it, on every engine).

    ``append_only`` may be an SQL condition over OLD: only matching rows are frozen.
    """

    append_only: ClassVar[str] = "TRUE"

    class Meta:
        abstract = True


@dataclass(frozen=True)
class Guard:
    """A change that the database refuses while ``condition`` (SQL over OLD and NEW) holds.

    ``verb`` is UPDATE or DELETE.  The condition sees every row, whoever is looking.
    """

    name: str
    verb: str
    condition: str


class Guarded(models.Model):
    """A model of which the database refuses some changes (``registry.database``)."""

    guards: ClassVar[tuple[Guard, ...]] = ()

    class Meta:
        abstract = True
