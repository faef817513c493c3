"""The pages of registered groups: the leader's and the council's (P9).

Owns their part of the table of pages (``web/urls.py``), which had grown long.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from web.views import council_group_people as people
from web.views import council_groups as council
from web.views import host_group as host
from web.views import host_group_filing as filing

urlpatterns: list[URLPattern | URLResolver] = [
    path("host/groups", host.Groups.as_view(), name="host-groups"),
    path("host/groups/new", filing.Begin.as_view(), name="host-group-new"),
    path("host/groups/<int:group_id>", host.Group.as_view(), name="host-group"),
    path("host/groups/<int:group_id>/filing", filing.EditFiling.as_view(),
         name="host-group-filing"),
    path("host/groups/<int:group_id>/submit", filing.Submit.as_view(), name="host-group-submit"),
    path("host/groups/<int:group_id>/renew", filing.Renew.as_view(), name="host-group-renew"),
    path("host/groups/<int:group_id>/members", host.Members.as_view(),
         name="host-group-members"),
    path("host/groups/<int:group_id>/members/<int:volunteer_id>/leave", host.Leave.as_view(),
         name="host-group-leave"),
    path("host/groups/<int:group_id>/report", filing.Report.as_view(), name="host-group-report"),
    path("host/groups/<int:group_id>/report/<str:file>", filing.ReportFile.as_view(),
         name="host-group-report-file"),
    path("council/groups", council.Groups.as_view(), name="council-groups"),
    path("council/groups/new", council.New.as_view(), name="council-group-new"),
    path("council/groups/<int:group_id>", council.Group.as_view(), name="council-group"),
    path("council/groups/<int:group_id>/edit", council.Edit.as_view(),
         name="council-group-edit"),
    path("council/groups/<int:group_id>/submit", council.Submit.as_view(),
         name="council-group-submit"),
    path("council/groups/<int:group_id>/accept", council.Accept.as_view(),
         name="council-group-accept"),
    path("council/groups/<int:group_id>/return", council.Return.as_view(),
         name="council-group-return"),
    path("council/groups/<int:group_id>/withdraw", council.Withdraw.as_view(),
         name="council-group-withdraw"),
    path("council/groups/<int:group_id>/members", people.Find.as_view(),
         name="council-group-members"),
    path("council/groups/<int:group_id>/members/<int:volunteer_id>", people.Join.as_view(),
         name="council-group-join"),
    path("council/groups/<int:group_id>/members/<int:volunteer_id>/leave",
         people.Leave.as_view(), name="council-group-leave"),
    path("council/groups/<int:group_id>/leader", people.Leader.as_view(),
         name="council-group-leader"),
    path("council/groups/<int:group_id>/report", people.Report.as_view(),
         name="council-group-report"),
    path("council/groups/<int:group_id>/report/<str:file>", people.ReportFile.as_view(),
         name="council-group-report-file"),
]
