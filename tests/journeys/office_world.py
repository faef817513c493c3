"""The evacuation world for journeys: a roster with consents, shelters, a flooded bank, helpers.

Everybody is invented (見本).  Owns the fixture ``office`` only; the clock stands at the cast's
noon in the server and outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from evacuation.domain.consent import Answer, Purpose
from evacuation.operations import matching, roster, supporters
from tests.cast import Cast
from tests.factories import evacuation as rosters
from tests.factories import plans as places


@dataclass(frozen=True)
class Office:
    """The cast and the places that the journeys name."""

    cast: Cast
    places: places.World


@pytest.fixture
def office(transactional_db: None, cast: Cast) -> Iterator[Office]:
    """Hanako and Minami consent, Hanako to a plan too; editions are issued; helpers proposed."""
    with time_machine.travel(cast.at, tick=True):
        rosters.build(cast)
        rosters.share(cast)
        with cast.scope(cast.sato, at=cast.at - timedelta(hours=1)) as by:
            made = places.world(by)
            for purpose in (Purpose.PLAN_MAKING, Purpose.PLAN_SHARING):
                rosters.answer(cast.hanako_id, Answer.AGREED, by, purpose=purpose)
            roster.describe(
                person_id=cast.hanako_id,
                by=by,
                values={
                    "contact_name": "見本　長女",
                    "contact_relation": "長女",
                    "contact_phone": "090-0000-0000",
                    "bedroom": "1階の南側",
                    "communication": "左から大きな声で",
                },
            )
            for name, kana, lon, skills in (
                ("見本　茂", "ミホン　シゲル", 139.9304, ("wheelchair",)),
                ("見本　隣", "ミホン　トナリ", 139.9312, ()),
            ):
                supporters.register(
                    by=by,
                    supporter=supporters.SupporterInput(
                        name=name,
                        kana=kana,
                        phone="0242-00-0009",
                        address="会津若松市見本町1番9号",
                        area_id=cast.north_id,
                        longitude=lon,
                        latitude=37.4953,
                        skills=skills,
                    ),
                )
            matching.propose_now(areas=None, by=by)
        yield Office(cast, made)


def fill(page: Any, **texts: str) -> None:
    """Fill inputs by their names."""
    for name, text in texts.items():
        page.locator(f"[name={name}]").fill(text)
