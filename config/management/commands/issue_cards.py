"""Issue cards to volunteers who have none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config import console
from points.domain.tokens import Kind, mint
from registry.operations import cards
from registry.queries.cards import volunteers_without_card


class Command(console.Command):
    """`issue_cards [--limit N] --apply`: the codes are printed elsewhere, never here."""

    help = "カードのない登録ボランティアにカードを発行します。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=10_000)

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            without = volunteers_without_card(by)[: max(0, options["limit"])]
            codes = {one: mint(Kind.CARD, host=settings.CODE_HOST).code for one in without}
            if codes:
                cards.issue_cards(codes=codes, by=by)
        return console.Outcome(
            {"issued": len(codes), "applied": options["apply"]}, [f"カード {len(codes)} 枚"]
        )
