"""Accounts by name or id, for sign-in and for commands.

Owns finding an account.  Refuses closed accounts.  An account says nothing about rights: those
are terms of office, read by ``access.scope``.
"""

from __future__ import annotations

from registry.models import User


def active_user(username: str) -> User | None:
    """The open account of that name."""
    return User.objects.filter(username=username, is_active=True).first()


def active_user_by_id(user_id: int) -> User | None:
    """The open account of that id."""
    return User.objects.filter(pk=user_id, is_active=True).first()


def display_names(user_ids: set[int]) -> dict[int, str]:
    """id → display name, for "who did this" beside a record that the caller may see."""
    return dict(User.objects.filter(pk__in=user_ids).values_list("pk", "display_name"))
