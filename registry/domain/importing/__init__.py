"""Reading other systems' files about residents, care levels and handbooks (取込).

Owns the way from decoded text to judged rows: ``profile`` → ``reading`` → ``parsing`` →
``classifying`` → ``consequences``, and ``returning`` for what could not be read.  Refuses to
store, to know a database, or to guess.  See ``docs/algorithms/import.md``.
"""

from __future__ import annotations

from registry.domain.importing.classifying import (
    Change,
    Judgement,
    Known,
    Neighbours,
    Totals,
    Verdict,
    apply_changes,
    classify,
    judge,
    keys_of,
)
from registry.domain.importing.consequences import (
    MEANINGS,
    Event,
    EventKind,
    Touches,
    consequences,
)
from registry.domain.importing.fields import (
    LABELS,
    CareLevel,
    CellRefused,
    Field,
    Part,
    Value,
    from_plain,
    to_plain,
)
from registry.domain.importing.parsing import Note, ParsedRow, RejectedRow, parse_row
from registry.domain.importing.profile import (
    Column,
    Profile,
    ProfileRefused,
    load_profile,
    shipped_profile,
    shipped_profiles,
)
from registry.domain.importing.reading import (
    FileRefused,
    Inspection,
    Layout,
    Limits,
    RawRow,
    check_encoding,
    inspect,
    layout,
    records,
    sheet_rows,
)
from registry.domain.importing.returning import returned_file, returned_rows

__all__ = [
    "LABELS", "MEANINGS", "CareLevel", "CellRefused", "Change", "Column", "Event", "EventKind",
    "Field", "FileRefused", "Inspection", "Judgement", "Known", "Layout", "Limits", "Neighbours",
    "Note", "ParsedRow", "Part", "Profile", "ProfileRefused", "RawRow", "RejectedRow", "Totals",
    "Touches", "Value", "Verdict", "apply_changes", "check_encoding", "classify", "consequences",
    "from_plain", "inspect", "judge", "keys_of", "layout", "load_profile", "parse_row", "records",
    "returned_file", "returned_rows", "sheet_rows", "shipped_profile", "shipped_profiles",
    "to_plain",
]
