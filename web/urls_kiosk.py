"""The pages of receptions on tablets (face ``community``): the kiosk itself and its register.

Owns the addresses under ``/kiosk/`` and ``/host/kiosks``.  Every page declares what it ``needs``.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.views import host_kiosks, kiosk

urlpatterns: list[URLPattern] = [
    path("host/kiosks", host_kiosks.Kiosks.as_view(), name="host-kiosks"),
    path("host/kiosks/<int:kiosk_id>", host_kiosks.OneKiosk.as_view(), name="host-kiosk"),
    path("kiosk/", kiosk.Kiosk.as_view(), name="kiosk"),
    path("kiosk/sw.js", kiosk.Worker.as_view(), name="kiosk-worker"),
    path("kiosk/manifest.webmanifest", kiosk.Manifest.as_view(), name="kiosk-manifest"),
    path("kiosk/pair", kiosk.Pair.as_view(), name="kiosk-pair"),
]
