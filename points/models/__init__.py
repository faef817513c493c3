"""Models of points.  Interfaces never import them; operations and queries do."""

from points.models.enrolment import Enrolment
from points.models.group import (
    GroupContact,
    GroupEvent,
    GroupLeader,
    GroupPlan,
    GroupReport,
)
from points.models.ledger import Account, AwardDecision, Passbook, Transfer, Unit
from points.models.paper import (
    CardPrint,
    Headcount,
    PaperSheet,
    PrintedCard,
    SheetEntry,
    SheetRow,
    WaitingRow,
)
from points.models.programme import Programme, ProgrammeYear, RuleDraft, RuleSet
from points.models.reception import WithdrawnScan
from points.models.session import Attendance, Group, Scan, Session
from points.models.unification import Merge, MergeLine, OverlapDecision
from points.models.voucher import Exchange, SerialRun, Voucher
from points.models.year import YearCorrection, YearEvent, YearException

__all__ = [
    "Account", "Attendance", "AwardDecision", "CardPrint", "Enrolment", "Exchange", "Group",
    "GroupContact", "GroupEvent", "GroupLeader", "GroupPlan", "GroupReport", "Headcount", "Merge",
    "MergeLine", "OverlapDecision", "PaperSheet", "Passbook", "PrintedCard", "Programme",
    "ProgrammeYear", "RuleDraft", "RuleSet", "Scan", "SerialRun", "Session", "SheetEntry",
    "SheetRow", "Transfer", "Unit", "Voucher", "WaitingRow", "WithdrawnScan", "YearCorrection",
    "YearEvent", "YearException",
]
