"""The city's pages: imports, people, roster, consents, sharing, custody, corrections, plans.

Owns the addresses under ``/office/`` (face ``office``) and names the module of the holders'
pages (face ``community``).  Every page declares what it ``needs``.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.urls_community import urlpatterns as community
from web.views import (
    consents,
    corrections,
    custody,
    imports,
    office,
    people,
    places,
    plan_acts,
    plan_steps,
    plans,
    roster_runs,
    sharing,
)

__all__ = ["community", "urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("office/imports/", imports.Imports.as_view(), name="office-imports"),
    path("office/imports/new", imports.NewImport.as_view(), name="office-import-new"),
    path("office/imports/<int:batch_id>", imports.OneImport.as_view(), name="office-import"),
    path(
        "office/imports/<int:batch_id>/apply",
        imports.ApplyImport.as_view(),
        name="office-import-apply",
    ),
    path(
        "office/imports/<int:batch_id>/discard",
        imports.DiscardImport.as_view(),
        name="office-import-discard",
    ),
    path(
        "office/imports/<int:batch_id>/rejected",
        imports.RejectedRows.as_view(),
        name="office-import-rejected",
    ),
    path("office/people/", people.People.as_view(), name="office-people"),
    path("office/people/<int:person_id>", people.Person.as_view(), name="office-person"),
    path(
        "office/people/<int:person_id>/consent",
        consents.RecordConsent.as_view(),
        name="office-consent",
    ),
    path(
        "office/people/<int:person_id>/describe",
        corrections.Describe.as_view(),
        name="office-describe",
    ),
    path(
        "office/people/<int:person_id>/listing",
        corrections.Listing.as_view(),
        name="office-listing",
    ),
    path("office/people/<int:person_id>/why", corrections.Why.as_view(), name="office-why"),
    path("office/", office.Home.as_view(), name="office-home"),
    path("office/supporters", office.Missing.as_view(), name="office-supporters"),
    path(
        "office/supporters/propose", plan_acts.Propose.as_view(), name="office-supporters-propose"
    ),
    path("office/roster/", roster_runs.Listed.as_view(), name="office-roster"),
    path("office/roster/unanswered", roster_runs.Unanswered.as_view(), name="office-unanswered"),
    path("office/roster/runs", roster_runs.Runs.as_view(), name="office-runs"),
    path("office/roster/criteria", roster_runs.Criteria.as_view(), name="office-criteria"),
    path("office/roster/runs/<int:run_id>", roster_runs.Run.as_view(), name="office-run"),
    path(
        "office/roster/runs/<int:run_id>/apply",
        roster_runs.ApplyRun.as_view(),
        name="office-run-apply",
    ),
    path(
        "office/roster/runs/<int:run_id>/discard",
        roster_runs.DiscardRun.as_view(),
        name="office-run-discard",
    ),
    path("office/roster/corrections", corrections.Corrections.as_view(), name="office-corrections"),
    path(
        "office/roster/corrections/<int:correction_id>",
        corrections.Correction.as_view(),
        name="office-correction",
    ),
    path("office/sharing/", sharing.SharingRuns.as_view(), name="office-sharing"),
    path("office/sharing/<str:period>", sharing.SharingRun.as_view(), name="office-sharing-run"),
    path(
        "office/sharing/tasks/<int:task_id>/retry",
        sharing.Retry.as_view(),
        name="office-sharing-retry",
    ),
    path(
        "office/sharing/tasks/<int:task_id>/despite",
        sharing.Despite.as_view(),
        name="office-sharing-despite",
    ),
    path(
        "office/editions/<int:edition_id>/<slug:file>",
        sharing.EditionFile.as_view(),
        name="office-edition-file",
    ),
    path("office/custody/", custody.Custody.as_view(), name="office-custody"),
    path("office/custody/<int:copy_id>", custody.OneCopy.as_view(), name="office-copy"),
    path("office/letters/<int:letter_id>", custody.Letter.as_view(), name="office-letter"),
    path("office/places/", places.Places.as_view(), name="office-places"),
    path("office/plans/", plans.Plans.as_view(), name="office-plans"),
    path("office/plans/start/<int:person_id>", plan_acts.Start.as_view(), name="office-plan-start"),
    path("office/plans/<int:plan_id>", plans.Hub.as_view(), name="office-plan"),
    path("office/plans/<int:plan_id>/history", plans.History.as_view(), name="office-plan-history"),
    path("office/plans/<int:plan_id>/sheet.pdf", plans.Sheet.as_view(), name="office-plan-sheet"),
    path(
        "office/plans/<int:plan_id>/steps/<int:number>",
        plan_steps.Step.as_view(),
        name="office-plan-step",
    ),
    path(
        "office/plans/<int:plan_id>/steps/<int:number>/autosave",
        plan_steps.Autosave.as_view(),
        name="office-plan-autosave",
    ),
    path(
        "office/plans/<int:plan_id>/approve",
        plan_acts.Approve.as_view(),
        name="office-plan-approve",
    ),
    path(
        "office/plans/<int:plan_id>/return", plan_acts.Return.as_view(), name="office-plan-return"
    ),
    path(
        "office/plans/<int:plan_id>/revise", plan_acts.Revise.as_view(), name="office-plan-revise"
    ),
    path(
        "office/plans/<int:plan_id>/assign", plan_acts.Assign.as_view(), name="office-plan-assign"
    ),
    path(
        "office/plans/<int:plan_id>/supporters",
        plan_acts.FindSupporter.as_view(),
        name="office-plan-supporters",
    ),
    path(
        "office/plans/<int:plan_id>/supporters/add",
        plan_acts.AddSupporter.as_view(),
        name="office-plan-supporter-add",
    ),
]
