"""Close the fiscal years that are due, and let their points lapse."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config import console
from points.operations import lapsing, years
from points.queries import years as reading
from points.queries.years import Preview, YearFact
from registry.access import day_of

_STATES = {"open": "受付中", "closing": "しめきり前", "closed": "しめきり"}


class Command(console.Command):
    """`close_fiscal_year [YEAR] [--programme CODE] [--apply]`: the next step of each year.

    Each year takes the steps that are due: しめきり前 once it is over, しめきり after its grace
    date, 失効 on its day.  Again is no error.  Killed at any moment, the next run goes on: points
    lapse in blocks.  Exit 3 when a named year is not due.
    """

    help = "年度をしめきり、期限の過ぎたポイントを失効させます（何度実行しても二重になりません）。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("year", nargs="?", type=int, help="年度（なければ終わった年度すべて）")
        parser.add_argument("--programme", help="事業コード（なければ、すべての事業）")
        parser.add_argument("--reason", default="年度が終わったため", help="しめきる理由")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        apply, code = bool(options["apply"]), console.OK
        figures: list[dict[str, Any]] = []
        lines: list[str] = []
        with self.scope(at=at, options=options) as by:
            wanted = [
                one for one in reversed(reading.years(by))
                if options["year"] in (None, one.fiscal_year)
                and options["programme"] in (None, one.programme)
            ]
        for year in wanted:
            done, last = self._steps(year, at, options)
            lapsed = self._lapse(last, at, apply=apply)
            nothing = not done and lapsed is None
            if options["year"] is None and nothing and (
                last.year.state == "open" or not last.year.step
            ):
                continue  # not over yet, or all done long ago
            figures.append(_figures(last, done, lapsed))
            lines += _lines(last, done, lapsed)
            if options["year"] is not None and nothing and last.year.step:
                code = console.REJECTED
        if not wanted:
            lines.append("その年度は開かれていません。")
            code = console.REJECTED if options["year"] is not None else console.OK
        return console.Outcome({"years": figures, "applied": apply}, lines, code)

    def _steps(
        self, year: YearFact, at: datetime, options: dict[str, Any]
    ) -> tuple[list[str], Preview]:
        """The steps that were taken (or would be), and how the year looks after them."""
        which: dict[str, Any] = {"programme": year.programme, "fiscal_year": year.fiscal_year}
        done: list[str] = []
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            last = reading.preview(by, **which)
            while last.year.step in ("closing", "close") and not last.year.not_yet:
                if last.year.step == "closing":
                    years.begin_closing(**which, by=by)
                else:
                    years.close(**which, reason=options["reason"], by=by)
                done.append(last.year.step)
                last = reading.preview(by, **which)
        return done, last

    def _lapse(self, last: Preview, at: datetime, *, apply: bool) -> lapsing.Lapsed | None:
        """Empty the wallets that are due; in a dry run say what would move."""
        year = last.year
        due = year.state == "closed" and day_of(at) >= year.terms.lapses_on
        nowhere = last.carry and not last.next_year_open
        if not due or nowhere or (year.lapsed_at is not None and not last.wallets):
            return None
        if not apply:
            return lapsing.Lapsed(year.programme, year.fiscal_year, last.wallets, last.lapse,
                                  last.carry)
        return lapsing.lapse(
            programme=year.programme, fiscal_year=year.fiscal_year, at=at,
            told=lambda count: self.progress(f"{year.fiscal_year}年度：{count:,}人"),
        )


def _figures(last: Preview, done: list[str], lapsed: lapsing.Lapsed | None) -> dict[str, Any]:
    year = last.year
    return {
        "programme": year.programme, "fiscal_year": year.fiscal_year, "state": year.state,
        "steps": done, "not_yet": year.not_yet, **last.figures,
        "lapsed": None if lapsed is None else {
            "wallets": lapsed.wallets, "lost": lapsed.lost, "carried": lapsed.carried},
    }


def _lines(last: Preview, done: list[str], lapsed: lapsing.Lapsed | None) -> list[str]:
    year = last.year
    before = {"closing": "受付中 → ", "close": "しめきり前 → "}.get(done[0], "") if done else ""
    lines = [
        f"{year.name} {year.fiscal_year}年度：{before}{_STATES[year.state]}"
        + (f"（{year.not_yet}）" if year.not_yet else ""),
        (f"  参加記録 {last.attendances:,}件・{last.volunteers:,}人・{last.awarded:,}ポイント、"
         f"残高 {last.wallets:,}人 {last.points:,}ポイント"),
    ]
    if last.overlaps or last.late or last.corrections:
        lines.append(f"  確認まち：重なり {last.overlaps}・しめきり後の記録 {last.late}・"
                     f"訂正 {last.corrections}")
    if last.carry and not last.next_year_open:
        lines.append(f"  {year.fiscal_year + 1}年度が開かれるまで、失効と繰り越しを待ちます。")
    if lapsed is not None:
        lines.append(f"  失効 {lapsed.lost:,}ポイント・繰り越し {lapsed.carried:,}ポイント"
                     f"（{lapsed.wallets:,}人）")
    return lines
