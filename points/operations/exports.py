"""Taking statistics away: the file, and who took it why (P10).

Owns the export.  Refuses one without a reason; the record is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from points.statistics import files
from points.statistics.tables import table
from registry import audit
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "csv_cp932": "text/csv; charset=shift_jis",
}


@dataclass(frozen=True)
class Export:
    """A file; ``replaced`` are characters that CP932 does not have."""

    name: str
    media_type: str
    content: bytes
    replaced: tuple[str, ...] = ()


@transaction.atomic
def statistics(
    *,
    fiscal_year: int,
    group_by: Sequence[str] = (),
    filters: Mapping[str, str] | None = None,
    format: str = "xlsx",
    reason: str,
    by: Scope,
) -> Export:
    """The table as a file (xlsx, csv, csv_cp932).

    Raises:
        Forbidden: without ``statistics.export``.
        Refused: ``reason_missing``, ``bad_format``.
        BadDimension: as ``points.statistics.tables.table``.
    """
    by.require(Permission.STATISTICS_EXPORT)
    if not reason.strip() or len(reason) > 200:
        said = "書き出す理由を1〜200文字で書いてください。"
        raise Refused(said, code="reason_missing", fields={"reason": said})
    if format not in FORMATS:
        raise Refused("この形式では書き出せません。", code="bad_format",
                      fields={"format": "・".join(FORMATS)})
    made = table(by, fiscal_year=fiscal_year, group_by=group_by, filters=filters)
    replaced: tuple[str, ...] = ()
    if format == "xlsx":
        content = files.as_xlsx(made, at=by.at, maker=by.username or "システム")
    elif format == "csv":
        content = files.as_csv(made)
    else:
        content, replaced = files.as_cp932(made)
    audit.note(scope=by, kind="export", action="statistics.export", subject_kind="statistics",
               fields=list(group_by), detail={
                   "fiscal_year": fiscal_year, "filters": sorted(filters or {}),
                   "format": format, "rows": len(made.rows), "reason": reason.strip()})
    end = "xlsx" if format == "xlsx" else "csv"
    return Export(f"points-{fiscal_year}-{by.on:%Y%m%d}.{end}", FORMATS[format], content, replaced)
