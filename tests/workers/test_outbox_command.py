"""`outbox`: what an operator sees, and how a dead row is woken."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from registry import access, outbox
from registry.models import LogEntry, OutboxMessage
from workers import relay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def said() -> Callable[..., str]:
    def run(*arguments: str, **options: Any) -> str:
        out = StringIO()
        call_command("outbox", *arguments, stdout=out, **options)
        return out.getvalue()

    return run


@pytest.fixture
def dead() -> int:
    """The number of a row whose worker died every time."""
    at = timezone.now()
    outbox.put(kind="proof", dedupe_key="k", at=at - relay.LEASE * 20)
    for n in range(outbox.MAX_ATTEMPTS + 1):
        outbox.claim(at=at - relay.LEASE * (19 - n), lease=relay.LEASE)
    row = OutboxMessage.objects.get(dead_at__isnull=False)
    assert row.last_error == "worker_died"
    return row.pk


def _notes() -> int:
    with access.system(at=timezone.now(), reason="test"):
        return LogEntry.objects.unscoped().filter(action="outbox.retry").count()


def test_the_list_names_dead_waiting_and_the_heartbeat(said: Any, dead: int) -> None:
    outbox.put(kind="registry.seal_log", dedupe_key="other", at=timezone.now())
    outbox.beat(name="worker", at=timezone.now())
    text = said()
    assert "待っている処理 1件・断念した処理 1件" in text
    assert f"{dead} proof k 断念 試行8回 worker_died" in text and "worker の最後の動き" in text
    assert "--apply" not in text
    figures = json.loads(said("--json"))
    assert figures["dead"] == 1 and [row["id"] for row in figures["rows"]][0] == dead
    assert len(json.loads(said("--json", "--limit", "1"))["rows"]) == 1


def test_retry_is_a_dry_run_until_it_is_applied_and_is_logged(said: Any, dead: int) -> None:
    assert "--apply" in said("--retry", str(dead))
    assert outbox.pulse(at=timezone.now()).dead == 1 and _notes() == 0
    said("--retry", str(dead), "--apply")
    row = OutboxMessage.objects.get(pk=dead)
    assert row.dead_at is None and row.attempts == 0 and _notes() == 1
    assert outbox.claim(at=timezone.now(), lease=relay.LEASE)[0].id == dead


def test_a_row_that_is_not_dead_is_refused_and_nothing_is_woken(said: Any, dead: int) -> None:
    with pytest.raises(CommandError):
        said("--retry", str(dead), "--retry", str(dead + 1), "--apply")
    assert outbox.pulse(at=timezone.now()).dead == 1 and _notes() == 0


def test_a_watch_can_fail_on_dead_rows(said: Any, dead: int) -> None:
    with pytest.raises(SystemExit) as ended:
        said("--fail-on-dead")
    assert ended.value.code == 1
    outbox.retry_dead(message_id=dead, at=timezone.now())
    said("--fail-on-dead")
