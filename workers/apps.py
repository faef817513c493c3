"""The workers as a Django app: registers the bell that commits ring."""

from django.apps import AppConfig


def _ring() -> None:
    from workers.tasks import ring

    ring()


class WorkersConfig(AppConfig):
    name = "workers"

    def ready(self) -> None:
        from registry import outbox

        outbox.on_ring(_ring)
