"""The addresses of the roster thread below ``/api/v1/evacuation/`` (interfaces.md, "HTTP API").

Owns the routes alone.  Who may call what stands beside each endpoint (``needs``).
"""

from __future__ import annotations

from django.urls import path

from api import evacuation_custody as custody
from api import evacuation_roster as roster

urlpatterns = [
    path("criteria", roster.Criteria.as_view(), name="evacuation-criteria"),
    path("roster", roster.Roster.as_view(), name="evacuation-roster"),
    path("roster/requests", roster.ListingRequests.as_view(), name="evacuation-roster-requests"),
    path("roster/runs", roster.RosterRuns.as_view(), name="evacuation-roster-runs"),
    path("roster/runs/<int:run_id>", roster.RosterRunPage.as_view(), name="evacuation-roster-run"),
    path("roster/runs/<int:run_id>/changes", roster.RosterChanges.as_view(),
         name="evacuation-roster-changes"),
    path("roster/runs/<int:run_id>/apply", roster.RosterApply.as_view(),
         name="evacuation-roster-apply"),
    path("roster/<int:person_id>", roster.RosterPerson.as_view(), name="evacuation-roster-person"),
    path("roster/<int:person_id>/explanations", roster.RosterExplanations.as_view(),
         name="evacuation-roster-explanations"),
    path("roster/<int:person_id>/release", roster.ProtectionRelease.as_view(),
         name="evacuation-roster-release"),
    path("consents", roster.Consents.as_view(), name="evacuation-consents"),
    path("corrections", roster.Corrections.as_view(), name="evacuation-corrections"),
    path("corrections/<int:correction_id>/decision", roster.CorrectionDecision.as_view(),
         name="evacuation-correction-decision"),
    path("sharing-runs", roster.SharingRuns.as_view(), name="evacuation-sharing-runs"),
    path("sharing-runs/<str:period>/tasks", roster.SharingTasks.as_view(),
         name="evacuation-sharing-tasks"),
    path("sharing-tasks/<int:task_id>/issue", roster.TaskDespite.as_view(),
         name="evacuation-sharing-task-issue"),
    path("sharing-tasks/<int:task_id>/retry", roster.TaskRetry.as_view(),
         name="evacuation-sharing-task-retry"),
    path("editions", custody.Editions.as_view(), name="evacuation-editions"),
    path("editions/mine", custody.MyRoster.as_view(), name="evacuation-my-roster"),
    path("editions/mine/cards/<int:row_id>", custody.Card.as_view(), name="evacuation-card"),
    path("editions/<int:edition_id>", custody.Edition.as_view(), name="evacuation-edition"),
    path("editions/<int:edition_id>/file", custody.EditionFile.as_view(),
         name="evacuation-edition-file"),
    path("editions/<int:edition_id>/difference", custody.EditionDifference.as_view(),
         name="evacuation-edition-difference"),
    path("copies", custody.Copies.as_view(), name="evacuation-copies"),
    path("copies/<int:copy_id>", custody.Copy.as_view(), name="evacuation-copy"),
    path("copies/<int:copy_id>/receipt", custody.CopyReceipt.as_view(),
         name="evacuation-copy-receipt"),
    path("copies/<int:copy_id>/check", custody.CopyCheck.as_view(), name="evacuation-copy-check"),
    path("copies/<int:copy_id>/handover", custody.CopyHandOver.as_view(),
         name="evacuation-copy-handover"),
    path("copies/<int:copy_id>/recall", custody.CopyRecall.as_view(),
         name="evacuation-copy-recall"),
    path("copies/<int:copy_id>/return", custody.CopyReturn.as_view(),
         name="evacuation-copy-return"),
    path("copies/<int:copy_id>/destroy", custody.CopyDestroy.as_view(),
         name="evacuation-copy-destroy"),
    path("copies/<int:copy_id>/loss", custody.CopyLoss.as_view(), name="evacuation-copy-loss"),
    path("strike-outs", custody.StrikeOuts.as_view(), name="evacuation-strike-outs"),
    path("strike-outs/<int:strike_out_id>/done", custody.StrikeOutDone.as_view(),
         name="evacuation-strike-out-done"),
    path("letters/<int:letter_id>/file", custody.LetterFile.as_view(),
         name="evacuation-letter-file"),
]
