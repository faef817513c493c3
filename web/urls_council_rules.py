"""The welfare council's pages of programmes, rules, years and yearly registrations.

Owns the addresses under ``/council/rules`` (face ``community``).
"""

from __future__ import annotations

from django.urls import URLPattern, path

from web.views import (
    council_rules,
    council_rules_draft,
    council_rules_sets,
    council_rules_years,
)

urlpatterns: list[URLPattern] = [
    path("council/rules", council_rules.Programmes.as_view(), name="council-rules"),
    path("council/rules/new", council_rules.NewProgramme.as_view(), name="council-programme-new"),
    path("council/rules/drafts/<int:draft_id>", council_rules_draft.Draft.as_view(),
         name="council-rule-draft"),
    path("council/rules/drafts/<int:draft_id>/autosave", council_rules_draft.Autosave.as_view(),
         name="council-rule-autosave"),
    path("council/rules/drafts/<int:draft_id>/check", council_rules_draft.Check.as_view(),
         name="council-rule-check"),
    path("council/rules/drafts/<int:draft_id>/drop", council_rules_draft.Drop.as_view(),
         name="council-rule-drop"),
    path("council/enrolments/<int:enrolment_id>/cancel",
         council_rules_years.CancelEnrolment.as_view(), name="council-enrolment-cancel"),
    path("council/rules/programmes/<slug:code>", council_rules.Programme.as_view(),
         name="council-programme"),
    path("council/rules/programmes/<slug:code>/sets/<int:rule_set_id>",
         council_rules_sets.OneRuleSet.as_view(), name="council-rule-set"),
    path("council/rules/programmes/<slug:code>/years/new",
         council_rules_years.OpenYear.as_view(), name="council-year-open"),
    path("council/rules/programmes/<slug:code>/years/<int:fiscal_year>",
         council_rules_years.YearTermsPage.as_view(), name="council-year-terms"),
    path("council/rules/programmes/<slug:code>/enrolments/<int:fiscal_year>",
         council_rules_years.Enrolments.as_view(), name="council-enrolments"),
]
