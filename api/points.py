"""The addresses below ``/api/v1/points/`` (interfaces.md, "HTTP API").

Owns the routes alone.  Who may call what stands beside each endpoint (``needs``).
"""

from __future__ import annotations

from django.urls import path

from api import points_kiosk as kiosk
from api import points_scans as scans
from api import points_sessions as sessions
from api import points_value as value

urlpatterns = [
    path("scans", scans.Scans.as_view(), name="points-scans"),
    path("scans/batch", scans.ScansBatch.as_view(), name="points-scans-batch"),
    path("scans/<uuid:scan_id>/undo", kiosk.ScanUndo.as_view(), name="points-scan-undo"),
    path("kiosk/check-in", kiosk.CheckIn.as_view(), name="points-kiosk-check-in"),
    path("programmes", sessions.Programmes.as_view(), name="points-programmes"),
    path("programmes/<slug:code>/rules", sessions.ProgrammeRules.as_view(),
         name="points-programme-rules"),
    path("programmes/<slug:code>/years", sessions.ProgrammeYears.as_view(),
         name="points-programme-years"),
    path("groups", sessions.Groups.as_view(), name="points-groups"),
    path("sessions", sessions.Sessions.as_view(), name="points-sessions"),
    path("sessions/<int:session_id>", sessions.Session.as_view(), name="points-session"),
    path("sessions/<int:session_id>/cancel", sessions.SessionCancel.as_view(),
         name="points-session-cancel"),
    path("attendances", sessions.Attendances.as_view(), name="points-attendances"),
    path("attendances/<int:attendance_id>/void", sessions.AttendanceVoid.as_view(),
         name="points-attendance-void"),
    path("volunteers/<int:volunteer_id>/statement", value.Statement.as_view(),
         name="points-statement"),
    path("exchanges", value.Exchanges.as_view(), name="points-exchanges"),
    path("vouchers/redeem", value.Redeem.as_view(), name="points-redeem"),
    path("statistics", value.Statistics.as_view(), name="points-statistics"),
    path("statistics/export", value.StatisticsExport.as_view(), name="points-statistics-export"),
]
