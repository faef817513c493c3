"""Models of points.  Interfaces never import them; operations and queries do."""

from points.models.ledger import Account, AwardDecision, Transfer, Unit
from points.models.programme import Programme, ProgrammeYear, RuleSet
from points.models.session import Attendance, Group, Scan, Session, UsedFormToken
from points.models.voucher import Exchange, Voucher

__all__ = [
    "Account", "Attendance", "AwardDecision", "Exchange", "Group", "Programme", "ProgrammeYear",
    "RuleSet", "Scan", "Session", "Transfer", "Unit", "UsedFormToken", "Voucher",
]
