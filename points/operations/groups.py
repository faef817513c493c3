"""Groups (登録団体): an organisation's yearly filing with a programme (P9).

Owns the filing: draft, submit, register, hand back, withdraw, renew, and ``register`` for a paper
filing that the council enters and accepts at once.  Refuses another organisation's, a second
filing for the same year, a kind of activity the rules do not know, too few members without a
reason, and a step that the state does not allow.  Members and leaders: ``group_members.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db import IntegrityError, transaction

from points.domain.groups import Count, State, Step, after
from points.domain.rules import RuleSet, Source, fiscal_year_span, pick
from points.models import Group, GroupContact, GroupEvent, GroupPlan, Programme, Session
from points.queries import rulebook
from points.queries.groups import count_groups, visible
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries.organisations import organisations

MOST_PLANS = 12


class GroupRegistered(Conflict):
    """The organisation has a filing with this programme for this year."""

    code = "group_registered"
    message = "この団体は、この年度にすでに届け出ています。"


class GroupChanged(Conflict):
    """Somebody changed the filing or the report in between."""

    code = "changed_meanwhile"
    message = "ほかの人が先に変更しました。開きなおして確かめてください。"


class TooFewMembers(Refused):
    """Fewer members than the rule asks for; the message says who does not count."""

    code = "too_few_members"
    message = "会員の人数が足りません。"


class BadFiling(Refused):
    """The filing says something that cannot be, or not enough; ``fields`` names each input."""

    code = "bad_filing"
    message = "届け出の内容を確かめてください。"


@dataclass(frozen=True)
class PlanInput:
    """One line of the plan; ``every`` is week, month or year."""

    activity_kind: str
    every: str
    times: int
    place: str
    audience: str
    expected: int | None = None


@dataclass(frozen=True)
class FilingInput:
    """What a group files: name, kind, contact and plan; the area is that of the organisation."""

    name: str = ""
    activity_kind: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_address: str = ""
    plan: tuple[PlanInput, ...] = ()


@transaction.atomic
def apply(
    *, organisation_id: int, programme: str, fiscal_year: int, filing: FilingInput, by: Scope
) -> Group:
    """Begin a filing as a draft.

    Raises:
        Forbidden: without ``groups.keep``.
        NotFound: no such group or programme, or not one's own; the year was not opened.
        Refused: ``unknown_kind``, ``no_rules``, ``groups_not_taken``, ``bad_filing``.
        GroupRegistered: a filing of that year exists.
    """
    by.require(Permission.GROUPS_KEEP)
    everybody = by.system or by.sees_all_volunteers
    found = organisations(by, ids=[organisation_id])
    row = Programme.objects.filter(code=programme).first()
    if not found or row is None or not (everybody or organisation_id in by.organisations):
        raise NotFound
    rules = _rules(programme, fiscal_year)
    filing = replace(filing, name=filing.name.strip() or found[0].name)
    _check(filing, rules)
    try:
        with transaction.atomic():
            made = Group.objects.create(
                organisation_id=organisation_id, programme=row, fiscal_year=fiscal_year,
                name=filing.name, activity_kind=filing.activity_kind, area_id=found[0].area_id,
                state=State.DRAFT,
            )
    except IntegrityError as error:
        raise GroupRegistered from error
    _write(made, filing, by)
    note(made, "applied", by=by)
    return made


@transaction.atomic
def change(*, group_id: int, filing: FilingInput, version: int | None = None, by: Scope) -> Group:
    """Replace what a draft or returned filing says.

    Raises:
        Forbidden, NotFound: as ``apply``.
        Conflict: ``changed_meanwhile``.  Refused: ``not_in_this_state``, or as ``apply``.
    """
    group = locked(group_id, by=by, version=version)
    after(State(group.state), Step.CHANGE)
    filing = replace(filing, name=filing.name.strip() or group.name)
    _check(filing, _rules(group.programme.code, group.fiscal_year))
    group.name, group.activity_kind = filing.name, filing.activity_kind
    _write(group, filing, by)
    return _saved(group, ["name", "activity_kind"])


@transaction.atomic
def submit(*, group_id: int, version: int | None = None, by: Scope) -> Group:
    """Hand the filing to the council.  Too few members do not hold it back; it is written down.

    Raises:
        Forbidden, NotFound, Conflict: as ``change``.
        BadFiling: no contact, no plan.  Refused: ``not_in_this_state``.
    """
    group = locked(group_id, by=by, version=version)
    state = after(State(group.state), Step.SUBMIT)
    wrong = {}
    if not GroupContact.objects.visible_to(by).filter(group=group).exclude(name="").exists():
        wrong["contact_name"] = "連絡する人を入れてください。"
    if not GroupPlan.objects.visible_to(by).filter(group=group).exists():
        wrong["plan"] = "活動計画を1つ以上入れてください。"
    if wrong:
        raise BadFiling("届け出に足りないところがあります。", fields=wrong)
    group.state, group.reason = state, ""
    group.submitted_at, group.submitted_by_id = by.at, actor_id(by=by)
    note(group, "submitted", counted=counted(group, by), by=by)
    return _saved(group, ["state", "reason", "submitted_at", "submitted_by"])


@transaction.atomic
def accept(
    *, group_id: int, exception: str = "", version: int | None = None, by: Scope
) -> Group:
    """Register a submitted filing (登録).  Below the minimum an ``exception`` says why.

    Raises:
        Forbidden: without ``groups.decide``.  NotFound, Conflict: as ``change``.
        TooFewMembers: below the minimum without a reason.  Refused: ``not_in_this_state``.
    """
    by.require(Permission.GROUPS_DECIDE)
    group = locked(group_id, by=by, version=version)
    state = after(State(group.state), Step.REGISTER)
    judged = counted(group, by)
    said = exception.strip()[:200]
    if not judged.enough and not said:
        raise TooFewMembers(f"{judged.warning}認めるときは、理由を書いてください。",
                            fields={"exception": "認める理由を書いてください。"})
    group.state, group.exception = state, "" if judged.enough else said
    group.registered_at, group.registered_by_id = by.at, actor_id(by=by)
    note(group, "registered", text=group.exception, counted=judged, by=by)
    return _saved(group, ["state", "exception", "registered_at", "registered_by"])


@transaction.atomic
def hand_back(*, group_id: int, reason: str, version: int | None = None, by: Scope) -> Group:
    """Give a submitted filing back to be mended (差しもどし).

    Raises:
        Forbidden: without ``groups.decide``.  NotFound, Conflict: as ``change``.
        Refused: ``reason_missing``, ``not_in_this_state``.
    """
    by.require(Permission.GROUPS_DECIDE)
    group = locked(group_id, by=by, version=version)
    group.state = after(State(group.state), Step.RETURN)
    group.reason = reason_of(reason)
    note(group, "returned", text=group.reason, by=by)
    return _saved(group, ["state", "reason"])


@transaction.atomic
def withdraw(*, group_id: int, reason: str, version: int | None = None, by: Scope) -> Group:
    """End a filing (とりやめ); what was counted stays.  A registered one only by the council.

    Raises:
        Forbidden: without ``groups.keep``, for a registered one without ``groups.decide``.
        NotFound, Conflict: as ``change``.
        Refused: ``reason_missing``, ``not_in_this_state``; ``sessions_ahead``: sessions after
            today are cancelled first.
    """
    group = locked(group_id, by=by, version=version)
    if group.state == State.REGISTERED:
        by.require(Permission.GROUPS_DECIDE)
    state = after(State(group.state), Step.WITHDRAW)
    ahead = Session.objects.filter(
        group_id=group.pk, held_on__gt=by.on, cancelled_at__isnull=True
    ).count()
    if ahead:
        raise Refused(f"これからの開催回が{ahead}回あります。先に中止してください。",
                      code="sessions_ahead")
    group.state, group.reason = state, reason_of(reason)
    note(group, "withdrawn", text=group.reason, by=by)
    return _saved(group, ["state", "reason"])


@transaction.atomic
def renew(*, group_id: int, by: Scope) -> Group:
    """Begin the next year's filing from this one: name, kind, contact and plan copied.

    Members go on by themselves: a membership has no end until somebody leaves.

    Raises:
        Forbidden, NotFound, GroupRegistered: as ``apply``.
        Refused: ``not_in_this_state`` unless registered; as ``apply`` under the new year's rules.
    """
    old = locked(group_id, by=by)
    if old.state != State.REGISTERED:
        raise Refused("登録ずみの団体だけ、次の年度へ更新できます。", code="not_in_this_state")
    contact = GroupContact.objects.visible_to(by).filter(group=old).first()
    plan = GroupPlan.objects.visible_to(by).filter(group=old).order_by("position")
    return apply(
        organisation_id=old.organisation_id, programme=old.programme.code,
        fiscal_year=old.fiscal_year + 1, by=by,
        filing=FilingInput(
            old.name, old.activity_kind, contact.name if contact else "",
            contact.phone if contact else "", contact.address if contact else "",
            tuple(PlanInput(one.activity_kind, one.every, one.times, one.place, one.audience,
                            one.expected) for one in plan),
        ),
    )


@transaction.atomic
def register(
    *, organisation_id: int, programme: str, fiscal_year: int, activity_kind: str,
    name: str = "", exception: str = "", by: Scope,
) -> Group:
    """Enter a paper filing and register it at once (窓口での登録).

    Raises:
        Forbidden: without ``groups.decide``.
        As ``apply`` and ``accept``; the paper itself holds contact and plan.
    """
    by.require(Permission.GROUPS_DECIDE)
    group = apply(
        organisation_id=organisation_id, programme=programme, fiscal_year=fiscal_year,
        filing=FilingInput(name=name, activity_kind=activity_kind), by=by,
    )
    group.state = State.SUBMITTED
    group.submitted_at, group.submitted_by_id = by.at, actor_id(by=by)
    _saved(group, ["state", "submitted_at", "submitted_by"])
    return accept(group_id=group.pk, exception=exception, by=by)


def locked(group_id: int, *, by: Scope, version: int | None = None) -> Group:
    """One's own filing, locked.  Raises ``Forbidden``, ``NotFound``, ``changed_meanwhile``."""
    if not 0 < group_id < 1 << 63:
        raise NotFound
    row: Group | None = visible(by).select_for_update(of=("self",)).filter(pk=group_id).first()
    if row is None:
        raise NotFound
    if version is not None and row.version != version:
        raise GroupChanged
    return row


def counted(group: Group, by: Scope) -> Count:
    """The members of the filing against the rule, today."""
    return count_groups([group], rulebook.load(), by)[group.pk]


def note(
    group: Group, kind: str, *, text: str = "", volunteer_id: int | None = None,
    on: date | None = None, counted: Count | None = None, by: Scope,
) -> None:
    """One line of the history, and of the log."""
    GroupEvent.objects.visible_to(by).create(
        group=group, kind=kind, at=by.at, by_id=actor_id(by=by), note=text, on=on,
        volunteer_id=volunteer_id, members=counted.members if counted else None,
        counted=counted.counted if counted else None,
    )
    detail = {} if volunteer_id is None else {"volunteer": volunteer_id}
    audit.note(scope=by, kind="change", action=f"groups.{kind}", subject_kind="group",
               subject_id=group.pk, detail=detail)


def reason_of(text: str) -> str:
    """A reason of 1–200 characters; ``Refused`` (``reason_missing``)."""
    if not text.strip() or len(text) > 200:
        said = "理由を1〜200文字で書いてください。"
        raise Refused(said, code="reason_missing", fields={"reason": said})
    return text.strip()


def _rules(programme: str, fiscal_year: int) -> RuleSet:
    """The rule set of the year's first day, or the programme's first within it."""
    known = rulebook.load()
    known.terms(programme, fiscal_year)
    rules = known.book.rules[programme]
    first, last = fiscal_year_span(fiscal_year)
    return pick(rules, min(last, max(first, min((r.begins_on for r in rules), default=first))))


def _check(filing: FilingInput, rules: RuleSet) -> None:
    if Source.GROUP not in rules.sources:
        raise Refused("この事業は、登録団体の活動を対象にしていません。", code="groups_not_taken")
    rules.rate(filing.activity_kind)
    wrong: dict[str, str] = {}
    if len(filing.name) > 120:
        wrong["name"] = "団体名は120文字までにしてください。"
    lengths = (("contact_name", 80), ("contact_phone", 24), ("contact_address", 200))
    for name, most in lengths:
        if len(getattr(filing, name)) > most:
            wrong[name] = f"{most}文字までにしてください。"
    if len(filing.plan) > MOST_PLANS:
        wrong["plan"] = f"活動計画は{MOST_PLANS}までです。"
    for at, line in enumerate(filing.plan):
        rules.rate(line.activity_kind)
        _check_line(line, f"plan.{at}", wrong)
    if wrong:
        raise BadFiling(fields=wrong)


def _check_line(line: PlanInput, where: str, wrong: dict[str, str]) -> None:
    if line.every not in GroupPlan.Every.values or not 1 <= line.times <= 366:
        wrong[f"{where}.times"] = "回数を1〜366で入れてください。"
    if not line.place.strip() or len(line.place) > 120:
        wrong[f"{where}.place"] = "会場を120文字までで入れてください。"
    if not line.audience.strip() or len(line.audience) > 120:
        wrong[f"{where}.audience"] = "だれと・だれのための活動かを、120文字までで入れてください。"
    if line.expected is not None and not 1 <= line.expected <= 5_000:
        wrong[f"{where}.expected"] = "人数を1〜5,000で入れてください。"


def _write(group: Group, filing: FilingInput, by: Scope) -> None:
    GroupContact.objects.visible_to(by).update_or_create(
        group=group, defaults={"name": filing.contact_name.strip(),
                               "phone": filing.contact_phone.strip(),
                               "address": filing.contact_address.strip()},
    )
    plans = GroupPlan.objects.visible_to(by)
    plans.filter(group=group).delete()
    lines: Sequence[PlanInput] = filing.plan
    plans.bulk_create([
        GroupPlan(group=group, position=at, activity_kind=one.activity_kind, every=one.every,
                  times=one.times, place=one.place.strip(), audience=one.audience.strip(),
                  expected=one.expected)
        for at, one in enumerate(lines, start=1)
    ])


def _saved(group: Group, names: list[str]) -> Group:
    group.version += 1
    group.save(update_fields=[*names, "version"])
    return group
