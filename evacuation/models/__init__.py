"""Models of evacuation support.  Interfaces never import them; operations and queries do."""

from evacuation.models.disclosure import (
    Copy,
    CopyEvent,
    Edition,
    EditionRemoval,
    EditionRow,
    SharingRun,
    SharingTask,
    StrikeOut,
)
from evacuation.models.place import EmergencySite, HazardZone, Shelter
from evacuation.models.plan import Assignment, Plan, PlanEvent, PlanVersion, Supporter
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

__all__ = [
    "Assignment", "Consent", "ConsentNotice", "Copy", "CopyEvent", "Correction", "CriteriaSet",
    "Edition", "EditionRemoval", "EditionRow", "EmergencySite", "HazardZone", "ListingRequest",
    "Plan", "PlanEvent", "PlanVersion", "ProtectionRelease", "RosterChange", "RosterEntry",
    "RosterRun", "SharingRun", "SharingTask", "Shelter", "StrikeOut", "Supporter",
]
