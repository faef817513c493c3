"""The registry as a Django app; after each migration the database's own rules are installed."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


def _install(sender: Any, using: str, **_: Any) -> None:
    from registry import database

    if sender.label in database.OUR_APPS:
        database.install(using)


def _lift(sender: Any, using: str, plan: Any = (), **_: Any) -> None:
    from registry import database

    if plan and sender.label in database.OUR_APPS:
        database.lift_guards(using)


class RegistryConfig(AppConfig):
    name = "registry"
    verbose_name = "住民・団体"

    def ready(self) -> None:
        pre_migrate.connect(_lift, dispatch_uid="registry.database.lift")
        post_migrate.connect(_install, dispatch_uid="registry.database.install")
