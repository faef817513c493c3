"""Which URL trees this process serves: the API, the pages, the health marks.

Owns the meaning of ``FACES`` (interfaces.md): a municipality runs ``office`` inside its closed
network and ``public`` outside.  A tree that is not mounted is not there: 404 for everybody.
The API follows the pages: points with the phone and the desk, the registry with the desk and
the office, evacuation with the office alone.  Refuses an unknown face when the process starts.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, include, path

from api import health
from api import urls as api_urls
from web import urls as web_urls

FACES = frozenset({"public", "community", "office"})
#: The part of the API → the faces that serve it; a part that is not named belongs to every face.
API_FACES = {
    "points/": frozenset({"public", "community"}),
    "registry/": frozenset({"community", "office"}),
    "evacuation/": frozenset({"office"}),
}


def tree(faces: Iterable[str]) -> list[URLPattern | URLResolver]:
    """Everything that a process with these faces answers.

    Raises ``ImproperlyConfigured`` for an unknown face, or for none.
    """
    wanted = set(faces)
    if not wanted or not wanted <= FACES:
        raise ImproperlyConfigured(
            "FACES: one or more of public, community, office, separated by commas"
        )
    parts = [
        part for part in api_urls.urlpatterns
        if API_FACES.get(str(part.pattern), FACES) & wanted
    ]
    return [
        path("healthz", health.healthz, name="healthz"),
        path("readyz", health.readyz, name="readyz"),
        path("api/v1/", include(parts)),
        *web_urls.pages(wanted),
    ]


urlpatterns = tree(settings.FACES)
