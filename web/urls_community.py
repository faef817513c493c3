"""The pages of the holders of copies: 民生委員 and 町内会 (face ``community``).

Owns the addresses under ``/roster/``.  Every page declares what it ``needs``.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.views import copies, roster

urlpatterns: list[URLPattern] = [
    path("roster/", roster.Roster.as_view(), name="roster"),
    path("roster/report", roster.ReportChange.as_view(), name="roster-report"),
    path("roster/reports", roster.Reports.as_view(), name="roster-reports"),
    path("roster/copies/", copies.Copies.as_view(), name="roster-copies"),
    path(
        "roster/copies/<int:copy_id>/receive", copies.Receive.as_view(), name="roster-copy-receive"
    ),
    path("roster/copies/<int:copy_id>/check", copies.Check.as_view(), name="roster-copy-check"),
    path(
        "roster/copies/<int:copy_id>/hand-over",
        copies.HandOver.as_view(),
        name="roster-copy-hand-over",
    ),
    path("roster/copies/<int:copy_id>/lost", copies.Lost.as_view(), name="roster-copy-lost"),
    path("roster/strike-outs/<int:strike_id>", copies.Strike.as_view(), name="roster-strike"),
    path(
        "roster/editions/<int:edition_id>/<slug:file>",
        copies.CopyFile.as_view(),
        name="roster-file",
    ),
]
