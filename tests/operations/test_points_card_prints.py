"""`issue_cards` and the record of prints: who printed which cards when, and what changes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from points.models import CardPrint, PrintedCard
from points.operations import papers
from points.queries.prints import print_of, prints
from registry import access
from registry.documents import page_count
from registry.domain.errors import Forbidden, NotFound, Refused
from registry.operations import cards
from registry.queries.cards import cards_of, volunteers_without_card
from tests.factories import points as factory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db: None) -> factory.World:
    return factory.build(count=12)


def kept(model: Any) -> list[Any]:
    """Every row of a table, whoever may see it."""
    with access.system(at=factory.NOON, reason="test"):
        return list(model.objects.unscoped().order_by("pk"))


def call(*given: Any) -> dict[str, Any]:
    said = io.StringIO()
    call_command("issue_cards", "--json", *map(str, given), stdout=said)
    body: dict[str, Any] = json.loads(said.getvalue())
    return body


def test_P6_issue_cards_is_a_dry_run_until_applied_and_prints_what_it_issued(
    world: factory.World, tmp_path: Path
) -> None:
    with access.scope(world.council, at=world.at) as by:
        for one in world.people[:11]:
            cards.cancel_card(volunteer_id=one, by=by, reason="確認")
    assert call("--print-to", tmp_path) == {"issued": 11, "files": 0, "applied": False}
    assert not list(tmp_path.iterdir()) and not kept(CardPrint)
    assert call("--print-to", tmp_path, "--by", world.council.username, "--apply") == {
        "issued": 11, "files": 1, "applied": True}
    (file,) = tmp_path.iterdir()
    assert page_count(file.read_bytes()) == 2 and file.stat().st_mode & 0o077 == 0
    (row,) = kept(CardPrint)
    assert (row.cards, row.why, row.printed_by_id) == (11, "new", world.council.pk)
    with access.scope(world.council, at=world.at) as by:
        assert volunteers_without_card(by) == []
    with pytest.raises(CommandError):
        call("--print-to", tmp_path / "missing")


def test_P6_a_print_names_its_cards_and_shows_which_died_since(world: factory.World) -> None:
    with access.scope(world.council, at=world.at) as by:
        papers.card_pages(volunteer_ids=world.people[:3][::-1], by=by, form="sticker18")
        first = world.people[0]
        before = cards_of(by, volunteer_ids=[first])[first]
        cards.reissue_card(volunteer_id=first, code="ABCDEFGHJKM4", by=by, reason="紛失")
        (head,) = prints(by)
        assert (head.sheet_format, head.cards) == ("sticker18", 3)
        _, lines = print_of(by, print_id=head.id)
        assert [one.volunteer_id for one in lines] == world.people[:3][::-1]
        assert [one.cancelled for one in lines] == [False, False, True]
        assert lines[2].tail == before.tail
        with pytest.raises(NotFound):
            print_of(by, print_id=head.id + 1)
        with pytest.raises(Refused):
            papers.card_pages(volunteer_ids=world.people, by=by, form="nothing")
    with access.scope(world.leader, at=world.at) as by, pytest.raises(Forbidden):
        prints(by)
    assert len(kept(PrintedCard)) == 3
