"""Paper sheets: enter what is on them, read a group's own list (P4.5).

Owns the entry of one paper or file: everybody known is counted by ``attendance.record``, every
name that nobody knows becomes a row that waits, the heads must agree or be explained, and both
identities are kept: who signed the paper and who typed it.  The same paper again changes
nothing.  Refuses a session that was cancelled or lies ahead, and files that are no lists.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from points.domain import sheets
from points.domain.results import Result
from points.domain.sheets import Listed
from points.models import Attendance, PaperSheet, Session, SheetEntry, WaitingRow
from points.operations import attendance
from points.operations import sessions as session_operations
from points.operations.scanning import ScanRequest
from points.queries.sessions import SessionLine, session
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.identity import fold_kana, fold_name, looks_like_my_number_column
from registry.domain.importing.reading import FileRefused, Limits
from registry.domain.roles import Permission
from registry.domain.textcodec import detect
from registry.importing.files import Form, Source, rows_of
from registry.operations.staff import actor_id
from registry.queries.volunteer_lists import volunteers_written
from registry.queries.volunteers import volunteer_facts
from registry.sealing import digest

LARGEST_FILE = 1 << 20
_MOST_UNPACKED = 20 << 20
_LIMITS = Limits(rows=2_000, columns=60, cell=400)
_MOST_HEADS = 5_000


@dataclass(frozen=True, kw_only=True)
class SheetInput:
    """One paper as typed.  ``id`` is the page's own: sent twice, it is the same entry."""

    id: UUID
    session_id: int
    volunteer_ids: tuple[int, ...]
    unknown: tuple[tuple[Listed, str], ...] = ()  # (what was written, why nobody is meant)
    headcount: int
    signed_name: str
    reason: str = ""
    sheet_id: int | None = None
    source: str = "sheet"


@dataclass(frozen=True)
class SheetResult:
    """``again``: this paper was entered before and nothing changed."""

    entry_id: UUID
    recorded: int
    already: int
    refused: tuple[tuple[int, str], ...]  # (volunteer id, sentence)
    waiting: int
    again: bool = False


@transaction.atomic
def enter(*, entry: SheetInput, by: Scope) -> SheetResult:
    """Enter one paper.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own session or sheet.
        HeadsDiffer: the count is not the paper's and nobody says why.
        Refused: ``signature_missing``, ``bad_headcount``, ``session_cancelled``, ``not_open``,
            ``unknown_volunteer``, ``nobody_entered``.
        Conflict: ``entry_id_used`` for another paper.
    """
    by.require(Permission.SESSIONS_MANAGE)
    line = session(by, session_id=entry.session_id)
    ids = list(dict.fromkeys(entry.volunteer_ids))
    signed = _checked(entry, line, ids, by)
    reason = sheets.agree(heads=entry.headcount, known=len(ids), waiting=len(entry.unknown),
                          reason=entry.reason)
    content = _content(entry, ids)
    Session.objects.select_for_update().get(pk=line.id)
    before = SheetEntry.objects.visible_to(by).filter(
        Q(pk=entry.id) | Q(session_id=line.id, content=content)
    ).first()
    if before is not None:
        if bytes(before.content) != content or before.session_id != line.id:
            raise Conflict("この入力の番号は、ほかの用紙で使われています。", code="entry_id_used")
        return SheetResult(before.pk, 0, len(ids), (), 0, again=True)
    SheetEntry.objects.visible_to(by).create(
        id=entry.id, session_id=line.id, sheet_id=entry.sheet_id, source=entry.source,
        content=content, headcount=entry.headcount, known=len(ids), waiting=len(entry.unknown),
        difference_reason=reason, signed_name=signed, signed_by_id=_signer(signed, by),
        entered_at=by.at, entered_by_id=actor_id(by=by),
    )
    WaitingRow.objects.visible_to(by).bulk_create([
        WaitingRow(entry_id=entry.id, line=at, number=one.number, name=one.name or "（名前なし）",
                   kana=one.kana, why=why)
        for at, (one, why) in enumerate(entry.unknown, 1)
    ])
    answers = attendance.record(scans=[
        ScanRequest(uuid.uuid5(entry.id, str(one)), line.starts_at, session_id=line.id,
                    volunteer_id=one, method="paper", note=proxy_note(entry.id))
        for one in ids
    ], by=by).results if ids else ()
    counted = [one for one in answers if one.attendance is not None]
    if _all_of_it(line.id, ids, by):
        session_operations.declare_headcount(
            session_id=line.id, headcount=entry.headcount, reason=reason, by=by
        )
    audit.note(scope=by, kind="change", action="sheets.enter", subject_kind="session",
               subject_id=line.id, detail={"entry": str(entry.id), "counted": len(counted),
                                           "waiting": len(entry.unknown)})
    already = sum(one.result == Result.ALREADY for one in counted)
    return SheetResult(
        entry.id, len(counted) - already, already,
        tuple((one, answer.reason) for one, answer in zip(ids, answers, strict=True)
              if answer.attendance is None),
        len(entry.unknown),
    )


def proxy_note(entry_id: UUID) -> str:
    """What stands in the attendance: which entry, whose row names signer and typist."""
    return f"代理入力：紙の名簿 {entry_id}"


def _checked(entry: SheetInput, line: SessionLine, ids: list[int], by: Scope) -> str:
    """The signature; raises what is wrong with the entry."""
    if line.cancelled_at is not None:
        raise Refused("この開催回は中止になりました。", code="session_cancelled")
    if line.held_on > by.on:
        raise Refused(f"この開催回は{line.held_on.month}月{line.held_on.day}日です。",
                      code="not_open")
    if not 0 <= entry.headcount <= _MOST_HEADS:
        raise Refused("人数は0〜5,000で入れてください。", code="bad_headcount")
    if entry.source not in SheetEntry.Source.values:
        raise ValueError(f"source {entry.source!r}")
    if not ids and not entry.unknown:
        told = "来た人に、しるしをつけてください。"
        raise Refused(told, code="nobody_entered", fields={"people": told})
    signed = entry.signed_name.strip()
    if not signed or len(signed) > 80:
        told = "紙に署名した人の名前を、80文字までで入れてください。"
        raise Refused(told, code="signature_missing", fields={"signed_name": told})
    if set(ids) - set(volunteer_facts(by, volunteer_ids=ids, action="sheets.enter")):
        raise Refused("名簿にない方が入っています。", code="unknown_volunteer")
    if entry.sheet_id is not None and not PaperSheet.objects.visible_to(by).filter(
        pk=entry.sheet_id, session_id=line.id
    ).exists():
        raise NotFound
    return signed


def _content(entry: SheetInput, ids: list[int]) -> bytes:
    """A keyed digest of what the paper says; who typed it when is no part of it."""
    names = sorted([fold_name(one.name), fold_kana(one.kana), one.number]
                   for one, _ in entry.unknown)
    told = json.dumps([entry.source, sorted(ids), names, entry.headcount], ensure_ascii=False)
    return digest(told, purpose="sheet-entry")


def _signer(signed: str, by: Scope) -> int | None:
    """The volunteer who signed, where exactly one bears the name."""
    found = volunteers_written(by, numbers=(), names=[signed], action="sheets.signer")
    return found[0].id if len(found) == 1 else None


def _all_of_it(session_id: int, ids: list[int], by: Scope) -> bool:
    """Whether nobody was counted but those of this paper: then its heads are the session's."""
    with access.system(at=by.at, reason="sheet") as wide:
        return not Attendance.objects.visible_to(wide).filter(
            session_id=session_id, voided_at__isnull=True
        ).exclude(volunteer_id__in=ids).exists()


def read_upload(content: bytes) -> list[Listed]:
    """The people of a group's own list, CSV (UTF-8, CP932) or XLSX.  Writes nothing.

    Raises ``BadList``, ``FileRefused``, ``TextRefused``: too large, an old spreadsheet, mixed
    encodings, a column of 個人番号.
    """
    if len(content) > LARGEST_FILE:
        raise FileRefused("ファイルが大きすぎます（1 MBまで）。", code="file_too_large")
    if not content.strip():
        raise FileRefused("ファイルが空です。", code="file_empty")
    source = Source(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        told = "古い形式（.xls）かパスワードつきです。.xlsx かCSVで保存しなおしてください。"
        raise FileRefused(told, code="file_spreadsheet")
    if content.startswith(b"PK\x03\x04"):
        _check_size(content)
        form = Form("xlsx", "xlsx")
    else:
        form = Form("csv", detect(source.chunks()).value)
    rows = [one.cells for one in rows_of(source, form, limits=_LIMITS)]
    width = max((len(row) for row in rows), default=0)
    for at in range(width):
        if looks_like_my_number_column(row[at] for row in rows if at < len(row)):
            raise FileRefused("個人番号（マイナンバー）の列があります。のぞいてください。",
                              code="file_my_number")
    return sheets.read_list(rows)


def _check_size(content: bytes) -> None:
    """A small file that unpacks into a large one is refused before it is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            large = sum(one.file_size for one in packed.infolist()) > _MOST_UNPACKED
    except zipfile.BadZipFile as error:
        raise FileRefused("表計算ファイルとして読めません。", code="file_spreadsheet") from error
    if large:
        raise FileRefused("表が大きすぎます。分けてください。", code="file_too_many_rows")

