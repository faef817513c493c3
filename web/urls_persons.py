"""Pages about who somebody is: one person and one card (P8), a family on one phone (P4).

Owns the addresses of the welfare council's two queues and of changing over on a phone.  Every
page declares what it ``needs``.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.views import council_merge, council_volunteers, council_waiting, family, scan

public: list[URLPattern] = [
    path("me/people", family.People.as_view(), name="my-people"),
    path("me/records/<int:attendance_id>/undo", scan.Undo.as_view(), name="record-undo"),
]

community: list[URLPattern] = [
    path("council/waiting", council_waiting.Queue.as_view(), name="council-waiting"),
    path("council/waiting/<int:attendance_id>", council_waiting.One.as_view(),
         name="council-waiting-one"),
    path("council/duplicates", council_merge.Duplicates.as_view(), name="council-duplicates"),
    path("council/duplicates/<int:volunteer_id>", council_merge.Compare.as_view(),
         name="council-compare"),
    path("council/volunteers/<int:volunteer_id>/lift-lockout",
         council_volunteers.LiftLockout.as_view(), name="council-lift-lockout"),
]
