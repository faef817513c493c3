"""The pages of the holders of copies: 民生委員 and 町内会 (face ``community``).

Owns the addresses under ``/roster/``.  Every page declares what it ``needs``.
"""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
