"""The report of a group's year as it is shown (実績報告), P9.

Owns joining the leader's words with the figures: those kept on acceptance, or today's.  When
records changed after acceptance it says so, and shows both.  Refuses another group's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from points.models import GroupReport
from points.queries.group_figures import Figures, figures, figures_from, figures_of
from points.queries.groups import FilingLine, filing_line, visible
from registry.access import Scope


@dataclass(frozen=True)
class Report:
    """``now`` differs from ``figures`` only when records changed after acceptance."""

    filing: FilingLine
    state: str
    text: str
    reason: str
    version: int
    submitted_at: datetime | None
    accepted_at: datetime | None
    figures: Figures
    now: Figures
    before: Figures | None

    @property
    def state_text(self) -> str:
        return str(GroupReport.State(self.state).label)

    @property
    def changed_since(self) -> bool:
        """Whether attendance changed after the figures were kept."""
        return self.figures != self.now


def report(scope: Scope, *, group_id: int) -> Report:
    """A filing's report with last year's figures beside it.  Raises ``NotFound``."""
    line = filing_line(scope, group_id=group_id)
    row = GroupReport.objects.visible_to(scope).filter(group_id=group_id).first()
    now = figures(scope, group_id=group_id)
    kept = figures_from(row.figures) if row is not None and row.figures else now
    return Report(
        line, row.state if row else GroupReport.State.DRAFT.value, row.text if row else "",
        row.reason if row else "", row.version if row else 0, row.submitted_at if row else None,
        row.accepted_at if row else None, kept, now, year_before(scope, line=line),
    )


def year_before(scope: Scope, *, line: FilingLine) -> Figures | None:
    """The figures of the organisation's filing of the year before, kept or counted."""
    old = visible(scope).filter(
        organisation_id=line.organisation_id, programme__code=line.programme,
        fiscal_year=line.fiscal_year - 1, registered_at__isnull=False,
    ).order_by("-pk").values_list("pk", flat=True).first()
    if old is None:
        return None
    row = GroupReport.objects.visible_to(scope).filter(group_id=old).first()
    if row is not None and row.figures:
        return figures_from(row.figures)
    return figures_of(scope, group_ids=[old])[old]
