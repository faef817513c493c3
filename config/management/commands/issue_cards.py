"""Issue cards to volunteers who have none, and print them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config import console
from points.domain.tokens import Kind, mint
from points.operations import papers
from registry.operations import cards
from registry.queries.cards import volunteers_without_card

TOGETHER = 500  # cards of one PDF file


class Command(console.Command):
    """`issue_cards [--limit N] [--print-to DIR] [--form card10] --apply`; a code is never said.

    Cards are issued as one set, all or none.  ``--print-to`` writes PDF files of 500 cards each,
    readable by the owner only; every print is accounted for.
    """

    help = "カードのない登録ボランティアにカードを発行し、印刷用のPDFを書き出します。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=10_000)
        parser.add_argument("--print-to", type=Path, help="PDFを書き出すフォルダ")
        parser.add_argument("--form", default="card10", choices=sorted(papers.formats()),
                            help="用紙の形")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        folder: Path | None = options["print_to"]
        if folder is not None and not folder.is_dir():
            raise CommandError(f"フォルダがありません: {folder}", returncode=console.USAGE)
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            without = volunteers_without_card(by)[: max(0, options["limit"])]
            codes = {one: mint(Kind.CARD, host=settings.CODE_HOST).code for one in without}
            if codes:
                cards.issue_cards(codes=codes, by=by)
        sheets = [without[at : at + TOGETHER] for at in range(0, len(without), TOGETHER)]
        written: list[str] = []
        for number, some in enumerate(sheets if folder and options["apply"] else [], 1):
            with self.scope(at=at, options=options) as by:
                ready = papers.cards_to_draw(volunteer_ids=some, by=by, form=options["form"],
                                             why="new")
            # Drawn outside the transaction: nobody waits for the printer.
            written.append(str(_write(folder or Path(), at, number, ready.draw())))
            self.progress(f"{number}/{len(sheets)}")
        return console.Outcome(
            {"issued": len(codes), "files": len(written), "applied": options["apply"]},
            [f"カード {len(codes)} 枚", *written],
        )


def _write(folder: Path, at: datetime, number: int, pdf: bytes) -> Path:
    """A new file that only its owner reads."""
    path = folder / f"cards-{at:%Y%m%d-%H%M%S}-{number:03d}.pdf"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target:
        target.write(pdf)
    return path
