"""Carries the management commands and the deployment checks."""

from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "config"
    label = "tsunagari_config"
    verbose_name = "設定"

    def ready(self) -> None:
        from config import checks  # noqa: F401  # registers the checks
