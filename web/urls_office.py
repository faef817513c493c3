"""The city's pages: imports, people, roster, consents, sharing, custody, corrections, plans.

Owns the addresses under ``/office/`` (face ``office``) and names the module of the holders'
pages (face ``community``).  Every page declares what it ``needs``.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.urls_community import urlpatterns as community
from web.views import consents, imports, people

__all__ = ["community", "urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("office/imports/", imports.Imports.as_view(), name="office-imports"),
    path("office/imports/new", imports.NewImport.as_view(), name="office-import-new"),
    path("office/imports/<int:batch_id>", imports.OneImport.as_view(), name="office-import"),
    path("office/imports/<int:batch_id>/apply", imports.ApplyImport.as_view(),
         name="office-import-apply"),
    path("office/imports/<int:batch_id>/discard", imports.DiscardImport.as_view(),
         name="office-import-discard"),
    path("office/imports/<int:batch_id>/rejected", imports.RejectedRows.as_view(),
         name="office-import-rejected"),
    path("office/people/", people.People.as_view(), name="office-people"),
    path("office/people/<int:person_id>", people.Person.as_view(), name="office-person"),
    path("office/people/<int:person_id>/consent", consents.RecordConsent.as_view(),
         name="office-consent"),
]
