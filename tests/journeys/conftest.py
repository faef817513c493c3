"""The points world for journeys: the clock stands at a holiday noon, in the server and outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.factories import points as factory


@pytest.fixture
def world(transactional_db: None) -> Iterator[Any]:
    """Sessions, people with cards, a host, a shop, the council; time runs on from noon."""
    with time_machine.travel(factory.NOON, tick=True):
        yield factory.build(count=6, phones=True)
