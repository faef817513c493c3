"""Show what waits in the outbox and what has died; wake dead rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config import console
from registry import access, audit, outbox


class Command(console.Command):
    """`outbox [--limit N]` lists; `outbox --retry ID [--retry ID] --apply` wakes dead rows.

    ``--fail-on-dead`` turns dead rows into exit code 1, for a watch.
    """

    help = "あとで行う処理の一覧を表示し、断念した処理をもう一度行わせます。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--retry", type=int, action="append", default=[], metavar="番号",
                            help="断念した処理をもう一度行わせます（繰り返し指定できます）")
        parser.add_argument("--limit", type=int, default=50, help="一覧の件数")
        parser.add_argument("--fail-on-dead", action="store_true",
                            help="断念した処理が残っていれば終了コード 1")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        wanted = sorted(set(options["retry"]))
        self.changes = bool(wanted)  # a list alone changes nothing
        if wanted:
            with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
                for one in wanted:
                    outbox.retry_dead(message_id=one, at=at)
                    audit.note(scope=by, kind="change", action="outbox.retry",
                               subject_kind="outbox", subject_id=one)
        pulse = outbox.pulse(at=at)
        rows = outbox.unfinished(at=at, limit=options["limit"])
        beats = outbox.heartbeats()
        figures = {
            "waiting": pulse.waiting, "oldest": pulse.oldest, "dead": pulse.dead,
            "heartbeats": beats, "retried": wanted if options["apply"] else [],
            "rows": [vars(row) for row in rows],
        }
        lines = [f"{one} を、もう一度行わせます。" for one in wanted]
        lines.append(f"待っている処理 {pulse.waiting}件・断念した処理 {pulse.dead}件")
        lines += [
            f"{name} の最後の動き：{_clock(beat)}（{int((at - beat).total_seconds())}秒前）"
            for name, beat in beats.items()
        ] or ["まだどの作業者も動いていません。"]
        lines += [self._line(row, at) for row in rows]
        failed = options["fail_on_dead"] and pulse.dead
        return console.Outcome(figures, lines, console.FAILED if failed else console.OK)

    @staticmethod
    def _line(row: outbox.Row, at: datetime) -> str:
        if row.dead:
            state = "断念"
        elif row.leased:
            state = "処理中"
        elif row.run_after > at:
            state = f"{_clock(row.run_after)} から"
        else:
            state = "待ち"
        error = f" {row.last_error}" if row.last_error else ""
        return f"{row.id} {row.kind} {row.dedupe_key} {state} 試行{row.attempts}回{error}"


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(access.JAPAN):%Y-%m-%d %H:%M:%S}"
