"""May this role?  The permissions of the house and the roles as data.

Owns the permission enum and the table role → permissions, with a sentence saying why.
Refuses to know rows (``registry/access.py``) or fields (``evacuation/domain/disclosure.py``).
Source: design of the service; 災害対策基本法 49条の10–17 for who handles the roster.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """One thing somebody may do.  The value is stable: tokens and logs carry it."""

    # registry
    PEOPLE_VIEW = "people.view"
    PEOPLE_PROTECTED = "people.protected"  # sees people under DV等支援措置
    PEOPLE_IMPORT = "people.import"
    AREAS_VIEW = "areas.view"
    STAFF_MANAGE = "staff.manage"
    VOLUNTEERS_VIEW = "volunteers.view"
    VOLUNTEERS_MANAGE = "volunteers.manage"
    CARDS_ISSUE = "cards.issue"
    LOG_VIEW = "log.view"
    # points
    SESSIONS_VIEW = "sessions.view"
    SESSIONS_MANAGE = "sessions.manage"
    SCANS_RECORD = "scans.record"
    ATTENDANCE_VOID = "attendance.void"
    OWN_POINTS = "points.own"
    STATEMENTS_VIEW = "statements.view"
    EXCHANGE = "points.exchange"
    VOUCHERS_REDEEM = "vouchers.redeem"
    RULES_MANAGE = "rules.manage"
    GROUPS_KEEP = "groups.keep"  # files for one's own group, or (council) for any
    GROUPS_DECIDE = "groups.decide"
    STATISTICS_VIEW = "statistics.view"
    STATISTICS_EXPORT = "statistics.export"
    # evacuation
    ROSTER_VIEW = "roster.view"
    ROSTER_MANAGE = "roster.manage"
    CONSENT_RECORD = "consent.record"
    SHARING_RUN = "sharing.run"
    EDITION_HOLD = "edition.hold"  # holds and confirms the copies of an office
    CUSTODY_MANAGE = "custody.manage"
    EDITIONS_VIEW = "editions.view"  # one's own office's, or all with custody.manage
    COPIES_RECORD = "copies.record"  # receipt, check, hand-over, destruction, loss
    PLAN_VIEW = "plan.view"
    PLAN_DRAFT = "plan.draft"
    PLAN_APPROVE = "plan.approve"
    SUPPORTERS_PROPOSE = "supporters.propose"
    PLACES_VIEW = "places.view"
    PLACES_MANAGE = "places.manage"


class Role(StrEnum):
    """The user groups (利用者区分)."""

    CITY_OFFICER = "city_officer"
    CITY_APPROVER = "city_approver"
    SOCIAL_WELFARE_COUNCIL = "social_welfare_council"
    GROUP_LEADER = "group_leader"
    NEIGHBOURHOOD_ASSOCIATION = "neighbourhood_association"
    WELFARE_COMMISSIONER = "welfare_commissioner"
    VOLUNTEER = "volunteer"
    SHOP = "shop"
    CARE_MANAGER = "care_manager"
    SCANNER_DEVICE = "scanner_device"


class Reach(StrEnum):
    """How far the role's rows go; ``registry/access.py`` turns it into queries."""

    MUNICIPALITY = "municipality"
    OFFICE = "office"  # what was issued to the office, nothing else
    ORGANISATION = "organisation"  # the own group, shop or venue
    CASELOAD = "caseload"  # the people one looks after
    SELF = "self"


@dataclass(frozen=True)
class RoleRule:
    """What a role is called, how far it reaches, what it may do and why."""

    label: str
    reach: Reach
    permissions: frozenset[Permission]
    why: str
    needs_second_factor: bool = True


P = Permission

ROLES: dict[Role, RoleRule] = {
    Role.CITY_OFFICER: RoleRule(
        "市の担当職員",
        Reach.MUNICIPALITY,
        frozenset(
            {
                P.PEOPLE_VIEW, P.PEOPLE_PROTECTED, P.PEOPLE_IMPORT, P.AREAS_VIEW,
                P.STAFF_MANAGE, P.LOG_VIEW, P.ROSTER_VIEW, P.ROSTER_MANAGE,
                P.CONSENT_RECORD, P.SHARING_RUN, P.CUSTODY_MANAGE, P.EDITIONS_VIEW,
                P.COPIES_RECORD, P.PLAN_VIEW,
                P.PLAN_DRAFT, P.SUPPORTERS_PROPOSE, P.PLACES_VIEW, P.PLACES_MANAGE,
            }
        ),
        "名簿と個別避難計画をつくる。ポイントの記録は見ない（P11）。",
    ),
    Role.CITY_APPROVER: RoleRule(
        "市の承認者",
        Reach.MUNICIPALITY,
        frozenset(
            {
                P.PEOPLE_VIEW, P.PEOPLE_PROTECTED, P.AREAS_VIEW, P.LOG_VIEW, P.ROSTER_VIEW,
                P.CUSTODY_MANAGE, P.EDITIONS_VIEW, P.COPIES_RECORD, P.PLAN_VIEW,
                P.PLAN_APPROVE, P.PLACES_VIEW,
            }
        ),
        "計画を承認する。つくった本人は承認できない。",
    ),
    Role.SOCIAL_WELFARE_COUNCIL: RoleRule(
        "社会福祉協議会の職員",
        Reach.MUNICIPALITY,
        frozenset(
            {
                P.AREAS_VIEW, P.VOLUNTEERS_VIEW, P.VOLUNTEERS_MANAGE, P.CARDS_ISSUE,
                P.SESSIONS_VIEW, P.SESSIONS_MANAGE, P.SCANS_RECORD, P.ATTENDANCE_VOID,
                P.STATEMENTS_VIEW, P.EXCHANGE, P.RULES_MANAGE, P.STATISTICS_VIEW,
                P.STATISTICS_EXPORT, P.GROUPS_KEEP, P.GROUPS_DECIDE,
            }
        ),
        "ボランティアとポイントを運営する。名簿は見ない（P11）。",
    ),
    Role.GROUP_LEADER: RoleRule(
        "登録団体の代表者",
        Reach.ORGANISATION,
        frozenset(
            {
                P.VOLUNTEERS_VIEW, P.SESSIONS_VIEW, P.SESSIONS_MANAGE, P.SCANS_RECORD,
                P.ATTENDANCE_VOID, P.GROUPS_KEEP,
            }
        ),
        "自分の団体の会員と開催回だけを扱う（P9）。",
    ),
    Role.NEIGHBOURHOOD_ASSOCIATION: RoleRule(
        "町内会",
        Reach.OFFICE,
        frozenset({P.EDITION_HOLD, P.EDITIONS_VIEW, P.COPIES_RECORD}),
        "自分の町内会に渡された名簿だけを持つ（R7）。",
    ),
    Role.WELFARE_COMMISSIONER: RoleRule(
        "民生委員・児童委員",
        Reach.OFFICE,
        frozenset({P.EDITION_HOLD, P.EDITIONS_VIEW, P.COPIES_RECORD}),
        "担当区域に渡された名簿だけを持つ（R7）。",
    ),
    Role.VOLUNTEER: RoleRule(
        "ボランティア",
        Reach.SELF,
        frozenset({P.OWN_POINTS}),
        "自分の記録だけを見る。",
        needs_second_factor=False,
    ),
    Role.SHOP: RoleRule(
        "協力店",
        Reach.ORGANISATION,
        frozenset({P.VOUCHERS_REDEEM}),
        "利用券を受けとる。",
    ),
    Role.CARE_MANAGER: RoleRule(
        "福祉専門職",
        Reach.CASELOAD,
        frozenset({P.PEOPLE_VIEW, P.PLAN_VIEW, P.PLAN_DRAFT, P.PLACES_VIEW}),
        "担当する方の計画だけを下書きする。",
    ),
    Role.SCANNER_DEVICE: RoleRule(
        "受付端末",
        Reach.ORGANISATION,
        frozenset({P.SCANS_RECORD}),
        "受付の読みとりだけができる。",
        needs_second_factor=False,
    ),
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Everything that any of the roles may do."""
    return frozenset().union(*(ROLES[role].permissions for role in roles))
