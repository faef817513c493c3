"""The workers as a Django app: registers the bell that commits ring."""

from django.apps import AppConfig
from django.conf import settings


class WorkersConfig(AppConfig):
    name = "workers"

    def ready(self) -> None:
        if not settings.BELL:
            return
        from registry import outbox
        from workers import doorbell

        outbox.on_ring(doorbell.ring)
