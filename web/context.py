"""What every page knows: city, help phone, whether this is a demonstration."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    return {
        "city_name": settings.CITY_NAME,
        "help_phone": settings.HELP_PHONE,
        "is_demo": settings.DEMO,
    }
