"""Carries the management commands and the deployment checks."""

from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "config"
    label = "tsunagari_config"
    verbose_name = "設定"
