"""The human face: which pages exist, by the faces that this process serves.

Owns the table of pages.  ``FACES`` mounts only those trees (interfaces.md): ``public`` is the
volunteer's phone, ``community`` hosts, shops and the welfare council, ``office`` the city.
The first page and the door belong to every face.  Capitals (/E/…, /C/…) are what QR codes say.
"""

from __future__ import annotations

import importlib
import importlib.util

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from web.views import home, phone, sign_in

shared: list[URLPattern | URLResolver] = [
    path("", home.Home.as_view(), name="home"),
    path("sign-in", sign_in.Password.as_view(), name="sign-in"),
    path("sign-in/code", sign_in.Code.as_view(), name="sign-in-code"),
    path("sign-out", sign_in.Leave.as_view(), name="sign-out"),
]

public: list[URLPattern | URLResolver] = [
    path("bind", phone.Bind.as_view(), name="bind"),
]

community: list[URLPattern | URLResolver] = []

FACES = {"public": public, "community": community}

urlpatterns = [*shared]
for _face, _pages in FACES.items():
    if _face in settings.FACES:
        urlpatterns += _pages
# The city's pages are one module: ``office`` for the closed network, ``community`` for the
# holders of copies (町内会・民生委員).
if importlib.util.find_spec("web.urls_office") is not None:
    _office = importlib.import_module("web.urls_office")
    if "office" in settings.FACES:
        urlpatterns += _office.urlpatterns
    if "community" in settings.FACES:
        urlpatterns += getattr(_office, "community", [])
