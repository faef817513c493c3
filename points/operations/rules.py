"""Drafts of rule sets, and what becomes of them (要領の案).

Owns beginning, saving, adopting and dropping a draft.  Nothing counts by a draft; adopting it
makes the rule set, and takes back in the same transaction the unused one that it replaces.
Refuses to overwrite what another editor saved (``draft_changed``), to touch a closed draft, and
to adopt what ``programmes.judge`` refuses; the draft stays as it was.
Source: P2; screens.md, "Forms".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from points.domain import rule_forms
from points.domain.rules import RuleSet
from points.models import Programme, RuleDraft
from points.models import RuleSet as RuleSetRow
from points.operations import programmes
from points.queries import rulebook
from points.queries.rulebook import rule_from
from points.queries.rules import used_rule_sets
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id


class DraftChanged(Conflict):
    """Somebody saved the draft in between."""

    code = "draft_changed"
    message = "ほかの人が先に保存しました。読みなおしてから、もう一度お願いします。"


class DraftClosed(Conflict):
    """The draft was adopted or dropped."""

    code = "draft_closed"
    message = "この案は、もう終わっています。"


@transaction.atomic
def begin(
    *, programme: str, based_on: int | None = None, replace: bool = False, by: Scope
) -> RuleDraft:
    """Begin a draft: empty, or as a copy of a rule set; ``replace`` to take its place.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme; the rule set is not one of it, or withdrawn.
        Refused: ``rules_used``: only a rule set that has decided nothing can be replaced.
    """
    by.require(Permission.RULES_MANAGE)
    owner = Programme.objects.filter(code=programme).first()
    if owner is None:
        raise NotFound
    form, source = rule_forms.empty(), None
    if based_on is not None:
        source = RuleSetRow.objects.filter(
            pk=based_on, programme=owner, withdrawn_at__isnull=True
        ).first()
        if source is None:
            raise NotFound
        begins = source.starts_on if replace else None
        form = rule_forms.to_form(
            rule_from(source.body), begins_on=begins, citation=source.citation if replace else ""
        )
    if replace:
        if source is None:
            raise NotFound
        _unused(source.pk, by)
    made = RuleDraft.objects.create(
        programme=owner, form=form, based_on=source, replaces=source if replace else None,
        made_at=by.at, made_by_id=actor_id(by=by), saved_at=by.at, saved_by_id=actor_id(by=by),
    )
    audit.note(scope=by, kind="change", action="rules.begin", subject_kind="programme",
               subject_id=owner.pk, detail={"draft": made.pk})
    return made


@transaction.atomic
def save(*, draft_id: int, form: Mapping[str, Any], version: int, by: Scope) -> RuleDraft:
    """Keep what was typed, however incomplete; ``version`` is the one that was read.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such draft.
        DraftChanged, DraftClosed.
        Refused: ``unknown_input``, ``too_many_kinds``.
    """
    by.require(Permission.RULES_MANAGE)
    row = _open(draft_id, version)
    row.form = rule_forms.clean(form)
    row.version += 1
    row.saved_at, row.saved_by_id = by.at, actor_id(by=by)
    row.save(update_fields=["form", "version", "saved_at", "saved_by"])
    return row


@transaction.atomic
def drop(*, draft_id: int, by: Scope) -> RuleDraft:
    """Give a draft up; it stays in the database.  Raises as ``save``."""
    by.require(Permission.RULES_MANAGE)
    row = _open(draft_id, None)
    _close(row, RuleDraft.Outcome.DROPPED, None, by)
    return row


def meant(*, draft_id: int, by: Scope) -> RuleSet:
    """The rule set that a draft means, judged as if it were adopted now; nothing is written.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such draft.
        Refused: as ``rule_forms.from_form`` and ``programmes.judge``; ``citation_missing``.
    """
    by.require(Permission.RULES_MANAGE)
    row = RuleDraft.objects.select_related("programme", "replaces").filter(pk=draft_id).first()
    if row is None:
        raise NotFound
    rules = rule_forms.from_form(row.form, programme=row.programme.code)
    programmes.judge(rules, rulebook.load(), without=_replaced(row), by=by)
    if not str(row.form.get("citation") or "").strip():
        said = "根拠（決裁や要綱の名前）を入れてください。"
        raise Refused(said, code="citation_missing", fields={"citation": said})
    return rules


@transaction.atomic
def adopt(*, draft_id: int, version: int, reason: str, by: Scope) -> RuleSetRow:
    """Make the rule set that a draft means; it holds from its first day.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such draft.
        DraftChanged, DraftClosed.
        Refused: as ``meant``; ``reason_missing``; ``rules_used`` when the one to be replaced
            has decided an award meanwhile.
    """
    by.require(Permission.RULES_MANAGE)
    row = _open(draft_id, version)
    programme = programmes.held(programme_id=row.programme_id)
    if not reason.strip():
        said = "わけを書いてください。"
        raise Refused(said, code="reason_missing", fields={"reason": said})
    rules = meant(draft_id=draft_id, by=by)
    known = rulebook.load()
    if row.replaces_id is not None and row.replaces_id in known.rule_code:
        gone = programmes.take_back(row.replaces_id, programme, known, reason=reason, by=by)
        rest = [one for one in known.book.rules[programme.code] if one.code != gone.code]
        programmes.check_without(gone, [*rest, rules], programme, known)
    made = programmes.write(
        rules, programme, citation=row.form["citation"], reason=reason, by=by
    )
    _close(row, RuleDraft.Outcome.ADOPTED, made.pk, by)
    return made


def _open(draft_id: int, version: int | None) -> RuleDraft:
    row = RuleDraft.objects.select_for_update(no_key=True).filter(pk=draft_id).first()
    if row is None:
        raise NotFound
    if row.outcome != RuleDraft.Outcome.OPEN:
        raise DraftClosed
    if version is not None and row.version != version:
        raise DraftChanged
    return row


def _close(row: RuleDraft, outcome: str, rule_set: int | None, by: Scope) -> None:
    row.outcome, row.rule_set_id = outcome, rule_set
    row.closed_at, row.closed_by_id = by.at, actor_id(by=by)
    row.save(update_fields=["outcome", "rule_set", "closed_at", "closed_by"])
    audit.note(scope=by, kind="change", action=f"rules.{outcome}", subject_kind="programme",
               subject_id=row.programme_id, detail={"draft": row.pk, "rule_set": rule_set})


def _replaced(row: RuleDraft) -> str:
    """The code of the rule set in force that the draft would replace."""
    old = row.replaces
    return "" if old is None or old.withdrawn_at is not None else old.code


def _unused(rule_set_id: int, by: Scope) -> None:
    with access.system(at=by.at, reason="rules") as wide:
        if used_rule_sets(wide, rule_set_ids=[rule_set_id]):
            raise Refused(
                "この要領でもう付与しているため、変えられません。新しい要領をつくってください。",
                code="rules_used",
            )
