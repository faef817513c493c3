"""The evacuation part as a Django app."""

from django.apps import AppConfig


class EvacuationConfig(AppConfig):
    name = "evacuation"
    verbose_name = "避難支援"
