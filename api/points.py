"""The addresses below ``/api/v1/points/`` (interfaces.md, "HTTP API").

Owns the routes alone.  Who may call what stands beside each endpoint (``needs``).
"""

from __future__ import annotations

from django.urls import path

from api import points_groups as groups
from api import points_kiosk as kiosk
from api import points_programmes as programmes
from api import points_scans as scans
from api import points_sessions as sessions
from api import points_value as value

urlpatterns = [
    path("scans", scans.Scans.as_view(), name="points-scans"),
    path("scans/batch", scans.ScansBatch.as_view(), name="points-scans-batch"),
    path("scans/<uuid:scan_id>/undo", kiosk.ScanUndo.as_view(), name="points-scan-undo"),
    path("kiosk/check-in", kiosk.CheckIn.as_view(), name="points-kiosk-check-in"),
    path("programmes", programmes.Programmes.as_view(), name="points-programmes"),
    path("programmes/<slug:code>", programmes.Programme.as_view(), name="points-programme"),
    path("programmes/<slug:code>/rule-sets", programmes.RuleSets.as_view(),
         name="points-rule-sets"),
    path("programmes/<slug:code>/rule-sets/preview", programmes.Preview.as_view(),
         name="points-rule-set-preview"),
    path("programmes/<slug:code>/rule-sets/<int:rule_set_id>", programmes.RuleSetOne.as_view(),
         name="points-rule-set"),
    path("programmes/<slug:code>/rule-sets/<int:rule_set_id>/withdraw",
         programmes.RuleSetWithdraw.as_view(), name="points-rule-set-withdraw"),
    path("programmes/<slug:code>/rule-drafts", programmes.Drafts.as_view(),
         name="points-rule-drafts"),
    path("rule-drafts/<int:draft_id>", programmes.Draft.as_view(), name="points-rule-draft"),
    path("rule-drafts/<int:draft_id>/preview", programmes.DraftPreview.as_view(),
         name="points-rule-draft-preview"),
    path("rule-drafts/<int:draft_id>/adopt", programmes.DraftAdopt.as_view(),
         name="points-rule-draft-adopt"),
    path("programmes/<slug:code>/years", programmes.Years.as_view(),
         name="points-programme-years"),
    path("programmes/<slug:code>/years/<int:fiscal_year>", programmes.Year.as_view(),
         name="points-programme-year"),
    path("programmes/<slug:code>/enrolments", programmes.Enrolments.as_view(),
         name="points-enrolments"),
    path("enrolments/<int:enrolment_id>/cancel", programmes.EnrolmentCancel.as_view(),
         name="points-enrolment-cancel"),
    path("groups", groups.Groups.as_view(), name="points-groups"),
    path("groups/<int:group_id>", groups.OneGroup.as_view(), name="points-group"),
    path("groups/<int:group_id>/submit", groups.GroupSubmit.as_view(),
         name="points-group-submit"),
    path("groups/<int:group_id>/register", groups.GroupRegister.as_view(),
         name="points-group-register"),
    path("groups/<int:group_id>/return", groups.GroupReturn.as_view(),
         name="points-group-return"),
    path("groups/<int:group_id>/withdraw", groups.GroupWithdraw.as_view(),
         name="points-group-withdraw"),
    path("groups/<int:group_id>/renew", groups.GroupRenew.as_view(), name="points-group-renew"),
    path("groups/<int:group_id>/members", groups.GroupMembers.as_view(),
         name="points-group-members"),
    path("groups/<int:group_id>/members/leave", groups.GroupLeave.as_view(),
         name="points-group-leave"),
    path("groups/<int:group_id>/leaders", groups.GroupLeaders.as_view(),
         name="points-group-leaders"),
    path("groups/<int:group_id>/report", groups.GroupReportPage.as_view(),
         name="points-group-report"),
    path("groups/<int:group_id>/report/file", groups.GroupReportFile.as_view(),
         name="points-group-report-file"),
    path("groups/<int:group_id>/report/submit", groups.GroupReportSubmit.as_view(),
         name="points-group-report-submit"),
    path("groups/<int:group_id>/report/accept", groups.GroupReportAccept.as_view(),
         name="points-group-report-accept"),
    path("groups/<int:group_id>/report/return", groups.GroupReportReturn.as_view(),
         name="points-group-report-return"),
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
