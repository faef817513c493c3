"""The workers interface as a Django app (no models)."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
