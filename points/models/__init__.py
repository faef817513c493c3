"""Models of points.  Interfaces never import them; operations and queries do."""

from points.models.ledger import Account, AwardDecision, Passbook, Transfer, Unit
from points.models.programme import Programme, ProgrammeYear, RuleSet
from points.models.session import Attendance, Group, Scan, Session
from points.models.voucher import Exchange, SerialRun, Voucher

__all__ = [
    "Account", "Attendance", "AwardDecision", "Exchange", "Group", "Passbook", "Programme",
    "ProgrammeYear", "RuleSet", "Scan", "SerialRun", "Session", "Transfer", "Unit", "Voucher",
]
