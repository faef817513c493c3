"""Answers about sharing and planning: recorded, followed, never changed (R3, R4, R5).

Owns ``record``, ``withdraw``, ``notify`` and ``mark_undelivered``.  Refuses an answer without
who, when, how, form version and explanation (R4).  Making a plan and sharing it are separate
facts (R3).  A withdrawal or refusal strikes the person out of copies in circulation at once (R5).
災害対策基本法 第49条の11②, 第49条の14, 第49条の15②.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from evacuation.domain.consent import (
    ALL_KINDS,
    Answer,
    ConsentFact,
    ConsentRefused,
    Means,
    Proxy,
    Purpose,
    checked,
)
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Consent, ConsentNotice
from evacuation.operations import strikes
from evacuation.operations.roster import touch
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries import people


@dataclass(frozen=True, kw_only=True)
class AnswerGiven:
    """One answer as a form or an interview gives it (R4).  ``answered_at`` is aware."""

    person_id: int
    purpose: Purpose
    answer: Answer
    answered_at: datetime
    means: Means
    form_version: str
    kinds: frozenset[RecipientKind] = ALL_KINDS
    explained_normal: bool = False
    explained_disaster: bool = False
    proxy: Proxy | None = None


@transaction.atomic
def record(*, given: AnswerGiven, by: Scope) -> Consent:
    """Append one answer; a refusal or withdrawal makes the strike-outs due.

    Raises:
        Forbidden: without ``consent.record``.
        NotFound: no such person, or not visible.
        ConsentRefused: something that R4 asks for is missing; ``fields`` names each.
    """
    return record_many(given=[given], by=by)[0]


@transaction.atomic
def record_many(*, given: Iterable[AnswerGiven], by: Scope) -> list[Consent]:
    """Append many answers as one whole (the returned forms of a mailing).

    Raises:
        Forbidden, NotFound, ConsentRefused: nothing is recorded.
    """
    by.require(Permission.CONSENT_RECORD)
    wanted = list(given)
    named = {one.person_id for one in wanted}
    for some in _chunks(sorted(named)):
        if people.visible_ids(by, some) != frozenset(some):
            raise NotFound
    actor = actor_id(by=by)
    for one in wanted:
        checked(_fact(one, actor))
        if one.answered_at > by.at:
            raise ConsentRefused(fields={"at": "同意した日時が未来になっています。"})
    touch(named, by)
    rows = [
        Consent(
            person_id=one.person_id, purpose=one.purpose.value, answer=one.answer.value,
            answered_at=one.answered_at, means=one.means.value,
            kinds=sorted(kind.value for kind in one.kinds), form_version=one.form_version.strip(),
            explained_normal=one.explained_normal, explained_disaster=one.explained_disaster,
            proxy_name=one.proxy.name if one.proxy else "",
            proxy_relation=one.proxy.relation if one.proxy else "",
            proxy_reason=one.proxy.reason if one.proxy else "",
            recorded_at=by.at, recorded_by_id=actor,
        )
        for one in wanted
    ]
    with access.system(at=by.at, reason="consents.record") as wide:
        Consent.objects.unscoped().bulk_create(rows, batch_size=500)
        against = {one.person_id for one in wanted
                   if one.purpose is Purpose.ROSTER_SHARING}
        strikes.strike_out(sorted(against), by=by, wide=wide)
    audit.changed(
        scope=by, action="consents.record",
        people=[(one.person_id, [f"consent.{one.purpose.value}"]) for one in wanted],
    )
    return rows


@transaction.atomic
def withdraw(
    *, person_id: int, means: Means, form_version: str, by: Scope,
    purpose: Purpose = Purpose.ROSTER_SHARING, kinds: frozenset[RecipientKind] = ALL_KINDS,
    answered_at: datetime | None = None, proxy: Proxy | None = None,
) -> Consent:
    """Record a withdrawal: the next edition leaves the person out, and each copy in circulation
    gets a strike-out notice (R5).

    Raises:
        Forbidden, NotFound, ConsentRefused.
    """
    return record(
        given=AnswerGiven(
            person_id=person_id, purpose=purpose, answer=Answer.WITHDRAWN, means=means,
            answered_at=answered_at or by.at, form_version=form_version, kinds=kinds, proxy=proxy,
        ),
        by=by,
    )


@transaction.atomic
def notify(
    *, person_ids: Iterable[int], form_version: str, sent_on: date, answer_by: date, by: Scope
) -> int:
    """Record the written notice behind presumed consent (R1); how many were recorded.

    Raises:
        Forbidden, NotFound.
        ConsentRefused: the deadline is not after the day of sending.
    """
    by.require(Permission.CONSENT_RECORD)
    if answer_by <= sent_on or not form_version.strip():
        raise ConsentRefused(fields={"answer_by": "回答の期限は発送日より後にしてください。"})
    wanted = sorted(set(person_ids))
    for some in _chunks(wanted):
        if people.visible_ids(by, some) != frozenset(some):
            raise NotFound
    touch(wanted, by)
    with access.system(at=by.at, reason="consents.notify"):
        ConsentNotice.objects.unscoped().bulk_create(
            [ConsentNotice(person_id=pk, form_version=form_version.strip(), sent_on=sent_on,
                           answer_by=answer_by) for pk in wanted],
            batch_size=500,
        )
    audit.changed(scope=by, action="consents.notify",
                  people=[(pk, ["consent_notice"]) for pk in wanted])
    return len(wanted)


@transaction.atomic
def mark_undelivered(*, person_id: int, by: Scope) -> int:
    """The newest notice came back (返戻): silence does not count; how many rows changed.

    Raises:
        Forbidden, NotFound.
    """
    by.require(Permission.CONSENT_RECORD)
    row = ConsentNotice.objects.visible_to(by).filter(person_id=person_id).order_by("-pk").first()
    if row is None:
        raise NotFound
    touch([person_id], by)
    row.undelivered_at = by.at
    row.save(update_fields=["undelivered_at"])
    with access.system(at=by.at, reason="consents.undelivered") as wide:
        strikes.strike_out([person_id], by=by, wide=wide)
    audit.changed(scope=by, action="consents.undelivered",
                  people=[(person_id, ["consent_notice"])])
    return 1


def _fact(one: AnswerGiven, actor: int) -> ConsentFact:
    return ConsentFact(
        person=str(one.person_id), purpose=one.purpose, answer=one.answer, at=one.answered_at,
        means=one.means, recorded_by=str(actor), form_version=one.form_version,
        explained_normal=one.explained_normal, explained_disaster=one.explained_disaster,
        scope=one.kinds, proxy=one.proxy,
    )


def _chunks(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + 2_000] for start in range(0, len(ids), 2_000)]
