"""Counting by paper (face ``community``): sheets, posters, lists, rows that wait, card prints.

Owns their addresses.  ``/S/…`` is what the QR of a printed sheet says.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.views import council_prints, host_sheets, waiting_rows

urlpatterns: list[URLPattern] = [
    path("host/sessions/<int:session_id>/sheet", host_sheets.Sheet.as_view(), name="host-sheet"),
    path("host/sessions/<int:session_id>/sheet.pdf", host_sheets.SheetPrint.as_view(),
         name="host-sheet-print"),
    path("host/sessions/<int:session_id>/poster.pdf", host_sheets.Poster.as_view(),
         name="host-poster"),
    path("host/sessions/<int:session_id>/poster.svg", host_sheets.PosterPicture.as_view(),
         name="host-poster-picture"),
    path("host/sessions/<int:session_id>/list", host_sheets.GroupList.as_view(),
         name="host-list"),
    path("host/practice.pdf", host_sheets.Practice.as_view(), name="host-practice"),
    path("host/waiting", waiting_rows.Waiting.as_view(), name="host-waiting"),
    path("host/waiting/<int:waiting_id>", waiting_rows.WaitingRow.as_view(),
         name="host-waiting-row"),
    path("S/<str:code>", host_sheets.SheetAddress.as_view(), name="sheet"),
    path("council/prints", council_prints.Prints.as_view(), name="council-prints"),
    path("council/prints/<int:print_id>", council_prints.OnePrint.as_view(),
         name="council-print"),
    path("council/volunteers/<int:volunteer_id>/card", council_prints.CardOf.as_view(),
         name="council-card"),
]
