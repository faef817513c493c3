"""The addresses below ``/api/v1/registry/`` (interfaces.md, "HTTP API").

Owns the routes alone.  Who may call what stands beside each endpoint (``needs``).
"""

from __future__ import annotations

from django.urls import path

from api import registry_imports, registry_people, registry_places, registry_volunteers

urlpatterns = [
    path("areas", registry_places.Areas.as_view(), name="registry-areas"),
    path("organisations", registry_places.Organisations.as_view(), name="registry-organisations"),
    path("appointments", registry_places.Appointments.as_view(), name="registry-appointments"),
    path("appointments/<int:appointment_id>/end", registry_places.AppointmentEnd.as_view(),
         name="registry-appointment-end"),
    path("people", registry_people.People.as_view(), name="registry-people"),
    path("people/search", registry_people.PeopleSearch.as_view(), name="registry-people-search"),
    path("people/<int:person_id>", registry_people.Person.as_view(), name="registry-person"),
    path("volunteers", registry_volunteers.Volunteers.as_view(), name="registry-volunteers"),
    path("volunteers/search", registry_volunteers.VolunteersSearch.as_view(),
         name="registry-volunteers-search"),
    path("volunteers/<int:volunteer_id>", registry_volunteers.Volunteer.as_view(),
         name="registry-volunteer"),
    path("volunteers/<int:volunteer_id>/opt-in", registry_volunteers.OptIn.as_view(),
         name="registry-volunteer-opt-in"),
    path("cards", registry_volunteers.Cards.as_view(), name="registry-cards"),
    path("cards/cancel", registry_volunteers.CardCancel.as_view(), name="registry-card-cancel"),
    path("imports", registry_imports.Imports.as_view(), name="registry-imports"),
    path("imports/<int:batch_id>", registry_imports.Import.as_view(), name="registry-import"),
    path("imports/<int:batch_id>/preview", registry_imports.ImportPreview.as_view(),
         name="registry-import-preview"),
    path("imports/<int:batch_id>/apply", registry_imports.ImportApply.as_view(),
         name="registry-import-apply"),
    path("imports/<int:batch_id>/rejected", registry_imports.ImportRejected.as_view(),
         name="registry-import-rejected"),
]
