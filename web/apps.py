"""The web interface as a Django app (no models)."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "web"
