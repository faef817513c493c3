"""The api interface as a Django app (no models)."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"
