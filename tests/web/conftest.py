"""What the page tests share: a world of points at a fixed time, phones, and signed-in clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from points.queries.sessions import event_code
from registry import access
from registry.operations import devices
from tests.factories import points as factory

PHONE_COOKIE = "tsunagari_phone"


@pytest.fixture
def world(db: None) -> Iterator[Any]:
    """``tests.factories.points.build`` with the clock standing at its time."""
    made = factory.build(phones=True)
    with time_machine.travel(made.at, tick=False):
        yield made


def phone_of(world: Any, number: int) -> Client:
    """The bound phone of the n-th person."""
    bound = devices.bind_device(code=world.card(number), birth_month=5, birth_day=5,
                                client="test", at=world.at)
    client = Client()
    client.cookies[PHONE_COOKIE] = bound.token
    return client


def signed_in(user: Any) -> Client:
    """Somebody who has passed the door."""
    client = Client()
    client.force_login(user)
    return client


def shown_code(world: Any, session: int | None = None, at: Any = None) -> str:
    """The code that the host's screen shows."""
    with access.scope(world.leader, at=world.at) as scope:
        return event_code(scope, session_id=session or world.session, at=at).code
