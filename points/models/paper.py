"""Counting by paper: printed sheets, what was entered from them, the rows that wait, card prints.

Owns the order in which a sheet was printed, who signed a paper and who typed it, the heads that
were declared, rows whose name nobody knows yet, and which cards were printed when by whom.
Refuses, in the database: a second entry of the same content, a difference without an
explanation, a decided row without a signature.  Prints, entries and declarations are history:
append-only.  Source: P4.3, P4.5, P6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

_OF_SESSION = (
    "tsunagari_all_volunteers() OR EXISTS (SELECT 1 FROM points_session s"
    " WHERE s.id = session_id AND s.organisation_id = ANY(tsunagari_organisations()))"
)


def _own(rows: models.QuerySet[Any], scope: Scope, path: str) -> models.QuerySet[Any]:
    """The rows of sessions that the viewer manages."""
    if scope.system or scope.sees_all_volunteers:
        return rows.all()
    if scope.may(Permission.SESSIONS_MANAGE):
        return rows.filter(**{f"{path}organisation_id__in": scope.organisations})
    return rows.none()


class PaperSheet(AppendOnly, Scoped):
    """用紙: one print of a session's list.  ``code`` is on it; the rows' codes follow from it."""

    session = plain(models.ForeignKey("points.Session", models.PROTECT, related_name="+"))
    code = plain(models.CharField("用紙のコード", max_length=12, unique=True))
    key_id = plain(models.PositiveSmallIntegerField("鍵の番号"))
    empty_lines = plain(models.PositiveSmallIntegerField("空いた行の数"))
    printed_at = plain(models.DateTimeField("印刷日時"))
    printed_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = _OF_SESSION

    class Meta:
        verbose_name = "名簿の用紙"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "session__")


class SheetRow(AppendOnly, Scoped):
    """用紙の行: who stood on which line, as printed."""

    sheet = plain(models.ForeignKey(PaperSheet, models.PROTECT, related_name="+"))
    position = plain(models.PositiveSmallIntegerField("順"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )

    row_policy = "EXISTS (SELECT 1 FROM points_papersheet p WHERE p.id = sheet_id)"

    class Meta:
        verbose_name = "用紙の行"
        constraints = [
            models.UniqueConstraint(
                fields=["sheet", "position"], name="sheet_row_one_person_a_line"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "sheet__session__")


class SheetEntry(AppendOnly, Scoped):
    """紙からの入力: one paper (or file) typed in; who signed it and who typed it.

    ``content`` is the digest of what was entered: the same paper again is the same entry.
    """

    class Source(models.TextChoices):
        SHEET = "sheet", "紙の名簿"
        FILE = "file", "団体の名簿ファイル"

    id = plain(models.UUIDField("入力の番号", primary_key=True))
    session = plain(models.ForeignKey("points.Session", models.PROTECT, related_name="+"))
    sheet = plain(models.ForeignKey(PaperSheet, models.PROTECT, null=True, related_name="+"))
    source = plain(models.CharField("もと", max_length=8, choices=Source.choices))
    content = plain(models.BinaryField("内容の照合値", max_length=32))
    headcount = plain(models.PositiveIntegerField("紙の人数"))
    known = plain(models.PositiveIntegerField("しるしの数"))
    waiting = plain(models.PositiveIntegerField("確かめる行の数", default=0))
    difference_reason = plain(models.CharField("人数がちがうわけ", max_length=200, blank=True))
    signed_name = personal(models.CharField("紙に署名した人", max_length=80), Keep.VOLUNTEER)
    signed_by = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    entered_at = plain(models.DateTimeField("入力日時"))
    entered_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = _OF_SESSION

    class Meta:
        verbose_name = "紙からの入力"
        constraints = [
            models.UniqueConstraint(
                fields=["session", "content"], name="sheet_entry_same_content_once"
            ),
            models.CheckConstraint(
                condition=Q(headcount=F("known") + F("waiting")) | ~Q(difference_reason=""),
                name="sheet_entry_difference_is_explained",
            ),
            models.CheckConstraint(
                condition=~Q(signed_name=""), name="sheet_entry_names_who_signed"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "session__")


class WaitingRow(AppendOnly, Scoped):
    """確かめる行: a name on a paper that nobody knows yet; a human matches or dismisses it."""

    append_only = "OLD.state <> 'waiting'"  # a decision is final

    class State(models.TextChoices):
        WAITING = "waiting", "確認まち"
        MATCHED = "matched", "登録の方と同じ"
        REGISTERED = "registered", "新しく登録"
        DISMISSED = "dismissed", "数えない"

    entry = plain(models.ForeignKey(SheetEntry, models.PROTECT, related_name="+"))
    line = plain(models.PositiveIntegerField("行"))
    number = personal(models.CharField("書かれた番号", max_length=24, blank=True), Keep.VOLUNTEER)
    name = personal(models.CharField("書かれた氏名", max_length=120), Keep.VOLUNTEER)
    kana = personal(models.CharField("書かれたかな", max_length=160, blank=True), Keep.VOLUNTEER)
    why = plain(models.CharField("わからないわけ", max_length=16))
    state = plain(models.CharField("状態", max_length=12, choices=State.choices,
                                   default=State.WAITING))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    reason = plain(models.CharField("数えない理由", max_length=160, blank=True))
    decided_at = plain(models.DateTimeField("決めた日時", null=True))
    decided_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    row_policy = "EXISTS (SELECT 1 FROM points_sheetentry e WHERE e.id = entry_id)"

    class Meta:
        verbose_name = "確かめる行"
        indexes = [models.Index(fields=["state", "entry"], name="waiting_row_state")]
        constraints = [
            models.UniqueConstraint(fields=["entry", "line"], name="waiting_row_once_a_line"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="waiting") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="waiting_row_decision_is_signed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["matched", "registered"], volunteer__isnull=False)
                | Q(state__in=["waiting", "dismissed"], volunteer__isnull=True),
                name="waiting_row_match_names_the_volunteer",
            ),
            models.CheckConstraint(
                condition=(Q(state="dismissed") & ~Q(reason=""))
                | (~Q(state="dismissed") & Q(reason="")),
                name="waiting_row_dismissal_is_explained",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "entry__session__")


class Headcount(AppendOnly, Scoped):
    """人数の申告: heads that the leader declared, beside what was counted at that moment."""

    session = plain(models.ForeignKey("points.Session", models.PROTECT, related_name="+"))
    heads = plain(models.PositiveIntegerField("申告の人数"))
    counted = plain(models.PositiveIntegerField("そのときの記録の数"))
    reason = plain(models.CharField("人数がちがうわけ", max_length=200, blank=True))
    declared_at = plain(models.DateTimeField("申告日時"))
    declared_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = _OF_SESSION

    class Meta:
        verbose_name = "人数の申告"
        indexes = [models.Index(fields=["session", "id"], name="headcount_session")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "session__")


class CardPrint(AppendOnly, Scoped):
    """カードの印刷: one print of card sheets or stickers, by whom, when and why."""

    class Why(models.TextChoices):
        NEW = "new", "新しいカード"
        REPRINT = "reprint", "もう一度印刷"
        REISSUE = "reissue", "再発行"

    sheet_format = plain(models.CharField("用紙の形", max_length=16))
    why = plain(models.CharField("わけ", max_length=8, choices=Why.choices))
    cards = plain(models.PositiveIntegerField("枚数"))
    printed_at = plain(models.DateTimeField("印刷日時"))
    printed_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = "tsunagari_all_volunteers()"

    class Meta:
        verbose_name = "カードの印刷"
        indexes = [models.Index(fields=["printed_at"], name="card_print_time")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        wide = scope.system or (scope.sees_all_volunteers and scope.may(Permission.CARDS_ISSUE))
        return rows.all() if wide else rows.none()


class PrintedCard(AppendOnly, Scoped):
    """印刷したカード: which card stood where in a print."""

    batch = plain(models.ForeignKey(CardPrint, models.PROTECT, related_name="+"))
    position = plain(models.PositiveIntegerField("順"))
    card = personal(
        models.ForeignKey("registry.Card", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )

    row_policy = "EXISTS (SELECT 1 FROM points_cardprint p WHERE p.id = batch_id)"

    class Meta:
        verbose_name = "印刷したカード"
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "position"], name="printed_card_one_place"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        wide = scope.system or (scope.sees_all_volunteers and scope.may(Permission.CARDS_ISSUE))
        return rows.all() if wide else rows.none()
