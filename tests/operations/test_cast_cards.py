"""The cast's cards are true cards: a reader reads them and a scan of one counts its person."""

from __future__ import annotations

from points.domain import tokens
from registry import access
from registry.queries.cards import cards_by_code
from tests.cast import NATSU_CARD, TARO_CARD, Cast


def test_P6_the_casts_cards_are_read_as_cards_and_lead_to_their_people(cast: Cast) -> None:
    for code, volunteer in ((TARO_CARD, cast.taro_id), (NATSU_CARD, cast.natsu_id)):
        read = tokens.read(code)
        assert isinstance(read, tokens.CardCode) and read.code == code
        with access.system(at=cast.at, reason="test") as by:
            assert cards_by_code(by, [read.code])[code].volunteer_id == volunteer
