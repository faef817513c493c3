"""What every page knows: city, help phone, whether this is a demonstration.

Owns the ``site`` value of the templates (base.html, help.html).  Refuses anything personal: it
is on error pages too.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    del request
    phone = str(settings.HELP_PHONE)
    return {
        "site": {
            "name": f"{settings.CITY_NAME} つながり",
            "city": settings.CITY_NAME,
            "demo": settings.DEMO,
            "phone": phone,
            "phone_href": "tel:" + "".join(c for c in phone if c.isdigit() or c == "+"),
            "office": settings.HELP_OFFICE,
            "hours": settings.HELP_HOURS,
        }
    }
