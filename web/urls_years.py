"""The welfare council's pages of fiscal years: closing, exceptions, corrections.

Owns the addresses under ``/council/years``, ``/council/late-records``, ``/council/year-…`` (face
``community``).
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.views import council_year_acts as acts
from web.views import council_years as years

_YEAR = "council/years/<slug:code>/<int:fiscal_year>"

urlpatterns: list[URLPattern] = [
    path("council/years", years.Years.as_view(), name="council-years"),
    path(_YEAR, years.Year.as_view(), name="council-year"),
    path(f"{_YEAR}/begin", acts.Begin.as_view(), name="council-year-begin"),
    path(f"{_YEAR}/close", acts.Close.as_view(), name="council-year-close"),
    path(f"{_YEAR}/exceptions/new", acts.NewException.as_view(), name="council-year-exception"),
    path(f"{_YEAR}/waiting", years.Waiting.as_view(), name="council-year-waiting"),
    path("council/year-exceptions/<int:exception_id>/end", acts.EndException.as_view(),
         name="council-year-exception-end"),
    path("council/late-records/<int:attendance_id>", acts.Late.as_view(), name="council-year-late"),
    path("council/year-corrections/<int:year_correction_id>", acts.Correction.as_view(),
         name="council-year-correction"),
]
