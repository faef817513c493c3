"""Models of evacuation support.  Interfaces never import them; operations and queries do."""

from evacuation.models.disclosure import (
    Copy,
    CopyEvent,
    CopyLoss,
    Edition,
    EditionRemoval,
    EditionRow,
    Letter,
    SharingRun,
    SharingTask,
    StrikeOut,
)
from evacuation.models.place import EmergencySite, HazardDataset, HazardZone, Shelter
from evacuation.models.plan import Plan, PlanDestination, PlanEvent, PlanPrint, PlanVersion
from evacuation.models.proposal import Proposal, ProposalGap, ProposalRun
from evacuation.models.roster import (
    Consent,
    ConsentNotice,
    Correction,
    CriteriaSet,
    ListingRequest,
    ProtectionRelease,
    RosterChange,
    RosterEntry,
    RosterRun,
)
from evacuation.models.supporter import Assignment, Supporter

__all__ = [
    "Assignment", "Consent", "ConsentNotice", "Copy", "CopyEvent", "CopyLoss", "Correction",
    "CriteriaSet", "Edition", "EditionRemoval", "EditionRow", "EmergencySite", "HazardDataset",
    "HazardZone", "Letter", "ListingRequest", "Plan", "PlanDestination", "PlanEvent", "PlanPrint",
    "PlanVersion", "Proposal", "ProposalGap", "ProposalRun", "ProtectionRelease", "RosterChange",
    "RosterEntry", "RosterRun", "SharingRun", "SharingTask", "Shelter", "StrikeOut", "Supporter",
]
