"""Models of the registry.  Private to it: others hold foreign keys by name and ask queries."""

from registry.models.area import Area, AreaKind, TownPoint
from registry.models.audit import LogEntry, LogKind, LogSeal
from registry.models.distinct import DistinctPair
from registry.models.importbatch import BatchState, ImportBatch, ImportRow, Verdict
from registry.models.kiosk import Kiosk
from registry.models.organisation import (
    Appointment,
    Membership,
    Office,
    OfficeArea,
    Organisation,
    OrganisationKind,
)
from registry.models.outbox import Heartbeat, OutboxMessage
from registry.models.person import (
    Caseload,
    Household,
    LocationSource,
    Person,
    PersonEvent,
    Sex,
    WelfareRecord,
)
from registry.models.user import ApiToken, RememberedAnswer, User
from registry.models.volunteer import (
    BindingAttempt,
    BoundDevice,
    Card,
    ResidenceChange,
    Volunteer,
)

__all__ = [
    "ApiToken", "Appointment", "Area", "AreaKind", "BatchState", "BindingAttempt", "BoundDevice",
    "Card", "Caseload", "DistinctPair", "Heartbeat",
    "Household", "ImportBatch", "ImportRow", "Kiosk",
    "LocationSource", "LogEntry", "LogKind", "LogSeal", "Membership", "Office", "OfficeArea",
    "Organisation", "OrganisationKind", "OutboxMessage", "Person", "PersonEvent",
    "RememberedAnswer", "ResidenceChange", "Sex", "TownPoint", "User", "Verdict", "Volunteer",
    "WelfareRecord",
]
