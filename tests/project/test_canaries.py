"""Planted names, addresses and notes stand where they belong and nowhere else (G12, short).

Canaries no real text can hold are planted in a resident, a volunteer, a proxy, a plan and a
rejected import row; the thread runs, also through an error inside a worker and inside a page.
They must be in no log line, outbox row, entry of the access log, Celery message, error page,
problem body, cookie or address.  trust.md, "Files"; the control proves that the net holds.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.conf import settings as configured
from django.test import Client
from kombu import Connection

from evacuation.domain.consent import ALL_KINDS, Answer, Means, Proxy, Purpose
from evacuation.operations import consents, plan_saving, plans
from evacuation.queries import custody as custody_queries
from registry import access, outbox
from registry.models import ImportBatch, LogEntry, OutboxMessage, RememberedAnswer
from registry.operations import imports, volunteers
from registry.queries.people import person_ids_by_number
from tests.cast import PEOPLE, Cast
from tests.factories import evacuation as roster
from tests.factories import plans as plan_world
from tests.factories import reading
from workers import relay, tasks
from workers.app import app

CANARIES = {
    "name": "鶯谷試乃", "kana": "ウグイスダニシノ", "reading": "うぐいすだにしの",
    "address": "鶺鴒町77番7号", "phone": "0242-77-7077", "digits": "0242777077",
    "number": "770770177", "rejected": "鵤　拒否郎",
    "volunteer": "鵯越検太", "volunteer phone": "090-7707-7707", "proxy": "鶚代理子",
    "proxy reason": "鵺のため代筆", "plan note": "鵆の申し送り", "roster note": "鶸の話し方",
    "error": "鸞の例外文",
}
ROW = (
    "770770177,777,鶯谷　試乃,ウグイスダニ　シノ,S10.7.7,2,965-0077,会津若松市鶺鴒町77番7号,,"
    "N1,1,0242-77-7077,139.9300,37.4950,,,,"
)
BAD = (
    "7707702,778,鵤　拒否郎,イカル　キョヒロウ,明後日,9,965-0077,会津若松市鶺鴒町77番8号,,"
    "N1,1,,,,,,,"
)


def planted(text: str) -> list[str]:
    """Which canaries stand in a text."""
    tight = reading.squeeze(unquote(text))
    return [name for name, mark in CANARIES.items() if reading.squeeze(mark) in tight]


@dataclass
class Net(logging.Handler):
    """Every record at DEBUG, as our handlers write it and as it was given."""

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        line = configured.LOGGING["formatters"]["line"]
        from config.loglines import PlaceOnly

        assert line["()"] == "config.loglines.PlaceOnly"
        self.setFormatter(PlaceOnly(line["format"]))

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [self.format(record), repr(record.args), record.getMessage()]


@pytest.fixture
def net() -> Iterator[Net]:
    root, caught = logging.getLogger(), Net()
    before = root.level
    root.addHandler(caught)
    root.setLevel(logging.DEBUG)
    yield caught
    root.setLevel(before)
    root.removeHandler(caught)


@pytest.fixture
def person(cast: Cast, settings: Any, tmp_path: Any, net: Net) -> Iterator[int]:
    """The resident with the canaries, through import, roster, consent, plan and sharing."""
    settings.FILE_STORE = tmp_path / "files"
    with time_machine.travel(cast.at, tick=False):
        yield _thread(cast)


def _thread(cast: Cast) -> int:
    with cast.scope(cast.sato) as by:
        batch = imports.stage(source=f"{PEOPLE}{ROW}\n{BAD}\n".encode(), profile="residents",
                              file_name="residents.csv", by=by)
        done = imports.apply(batch_id=batch.pk, by=by)
        assert (done.new_count, done.rejected_count) == (1, 1)
        number = CANARIES["number"]
        planted_id = person_ids_by_number(by, [number])[number]
        care = f"宛名番号,氏名,生年月日,要介護状態区分コード\n{number},鶯谷　試乃,S10.7.7,24\n"
        made = imports.stage(source=care.encode(), profile="care", file_name="care.csv", by=by)
        imports.apply(batch_id=made.pk, by=by)
        roster.list_everybody(by)
        for purpose in Purpose:
            consents.record(given=consents.AnswerGiven(
                person_id=planted_id, purpose=purpose, answer=Answer.AGREED, answered_at=by.at,
                means=Means.PAPER, form_version="見本第1版", kinds=ALL_KINDS, explained_normal=True,
                explained_disaster=True, proxy=Proxy("鶚　代理子", "長女", "鵺のため代筆"),
            ), by=by)
        roster_note = {"communication": CANARIES["roster note"]}
        roster.roster.describe(person_id=planted_id, values=roster_note, by=by)
        plan = plans.start(person_id=planted_id, by=by)
        version = plan_saving.save_step(
            plan_id=plan.pk, step=2, version=1, by=by,
            values={"needs": ["wheelchair"], "care_note": CANARIES["plan note"]},
        ).edit_version
        version = plan_saving.save_step(plan_id=plan.pk, step=1, version=version, by=by,
                                        values=plan_world.ANSWERS[1]).edit_version
    with access.system(at=cast.at, reason="test") as by:
        volunteers.register(volunteer=volunteers.VolunteerInput(
            number="V7707", name="鵯越　検太", kana="ヒヨドリゴエ　ケンタ",
            born_on=date(1960, 7, 7), area_id=cast.north_id, phone="090-7707-7707",
        ), by=by)
    roster.share(cast)
    roster.work(cast.at)
    return planted_id


def _rows() -> list[str]:
    """Everything in the outbox and the access log, and what answers are remembered, as text."""
    with access.system(at=roster.now(), reason="test") as wide:
        found = [json.dumps(row, default=str, ensure_ascii=False)
                 for row in OutboxMessage.objects.values()]
        found += [json.dumps(row, default=str, ensure_ascii=False)
                  for row in LogEntry.objects.visible_to(wide).values()]
        found += [bytes(row).decode("utf-8", "replace")
                  for row in RememberedAnswer.objects.values_list("sealed_body", flat=True)]
        found += list(ImportBatch.objects.values_list("file_name", flat=True))
    return found


def test_the_thread_leaves_no_canary_in_logs_queue_or_access_log(
    cast: Cast, person: int, net: Net
) -> None:
    rows = _rows()
    assert len(rows) > 20
    assert not [row for row in rows if planted(row)]
    assert not [line for line in net.lines if planted(line)]
    with cast.scope(cast.mori) as by:  # the net holds: where it belongs, it is
        assert custody_queries.copies(by)
    client = Client()
    client.force_login(cast.mori)
    told = planted(client.get("/roster/").content.decode())
    assert {"name", "address", "roster note"} <= set(told), told


def test_an_error_inside_a_worker_keeps_what_it_said_to_itself(
    cast: Cast, person: int, net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(claimed: outbox.Claimed, at: Any) -> None:
        raise ValueError(" ".join(CANARIES.values()))

    monkeypatch.setitem(relay.HANDLERS, "test.broken", broken)
    # Within a test's transaction the connection must stay.
    monkeypatch.setattr(relay, "connection", SimpleNamespace(close=lambda: None))
    with access.system(at=cast.at, reason="test"):
        outbox.put(kind="test.broken", subject_id=person, dedupe_key="broken:1", at=cast.at)
    claimed = outbox.claim(at=cast.at, lease=timedelta(seconds=60))
    assert [one.kind for one in claimed] == ["test.broken"] and not relay.work(claimed[0])
    assert OutboxMessage.objects.get(kind="test.broken").last_error == "ValueError"
    assert any("work failed kind=test.broken" in line for line in net.lines)
    monkeypatch.setattr(tasks.schedule, "tick", lambda at: broken(claimed[0], at))
    tasks.bell()
    assert any("bell broken off" in line for line in net.lines)
    assert not [text for text in (*_rows(), *net.lines) if planted(text)]


#: (address, what breaks inside it)
BROKEN = (
    ("/office/people/{id}?purpose=visit", "web.views.people.person_page"),
    ("/api/v1/registry/people/{id}", "registry.queries.people.person_page"),
)


@pytest.mark.parametrize(("address", "broken"), BROKEN)
def test_an_error_inside_a_page_or_endpoint_says_nothing_of_its_text(
    cast: Cast, person: int, net: Net, monkeypatch: pytest.MonkeyPatch, address: str, broken: str,
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        try:
            raise KeyError(CANARIES["name"])
        except KeyError as error:
            raise RuntimeError(" ".join(CANARIES.values())) from error

    monkeypatch.setattr(broken, fails)
    client = Client(raise_request_exception=False)
    client.force_login(cast.sato)
    answer = client.get(address.format(id=person))
    assert answer.status_code == 500
    assert not planted(answer.content.decode()), "the error page quotes the error"
    said = [line for line in net.lines if "RuntimeError" in line]
    assert said, "the error's kind must be in the log, or nobody can mend it"
    assert not [line for line in net.lines if planted(line)]


def test_refusals_cookies_and_addresses_hold_no_canary(cast: Cast, person: int, net: Net) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.sato)
    body = {"text": CANARIES["name"], "surplus": CANARIES["address"]}
    answers = [client.get(url) for url in (
        f"/office/people/{person}?purpose=visit", f"/office/people/{person}/consent",
        f"/office/people/{person}/describe", "/office/roster/", "/office/plans/",
        "/office/custody/", "/office/imports/", "/api/v1/evacuation/roster?limit=1",
    )]
    shown = [one for one in answers if planted(one.content.decode())]
    assert len(shown) >= 4, "the pages show the person"
    saved = client.post(f"/office/people/{person}/consent", {
        "purpose": "roster_sharing", "answer": "agreed", "answered_on": "R8.11.20",
        "means": "paper", "kinds": ["commissioner"], "form_version": "1",
        "proxy_name": CANARIES["proxy"], "explained_normal": "on", "explained_disaster": "on",
    })
    answers.append(saved)
    refused = [
        client.post(url, json.dumps(body), content_type="application/json",
                    HTTP_IDEMPOTENCY_KEY="canary")
        for url in ("/api/v1/evacuation/consents", "/api/v1/registry/volunteers",
                    "/api/v1/registry/imports", "/api/v1/evacuation/plans")
    ]
    assert all(400 <= one.status_code < 500 for one in refused)
    assert not [one.content for one in refused if planted(one.content.decode())]
    for one in (*answers, *refused):
        assert not planted(one.get("Location", "")), one["Location"]
        assert not planted(json.dumps(
            {k: v.value for k, v in one.cookies.items()}, ensure_ascii=False)), "in a cookie"
        html = one.content.decode()
        for link in re.findall(r'(?:href|action|src|hx-[a-z]+)="([^"]*)"', html):
            if not link.startswith("tel:"):
                assert not planted(link), link
    assert not [line for line in net.lines if planted(line)]
    assert not [row for row in _rows() if planted(row)]


def test_a_bell_carries_nothing() -> None:
    with Connection("memory://") as connection:
        channel = connection.channel()
        tasks.bell.apply_async(connection=connection, queue="canary", expires=30)
        message = channel.basic_get("canary") or channel._get("canary")
    body = message.body if hasattr(message, "body") else json.dumps(message)
    headers = message.headers if hasattr(message, "headers") else message["headers"]
    assert headers["argsrepr"] == "()" and headers["kwargsrepr"] == "{}"
    assert app.conf.result_backend is None and not planted(str(body))


def test_the_net_catches_a_careless_line(net: Net) -> None:
    """The deliberately broken control: a canary that is logged is found."""
    logging.getLogger("careless").debug("person %s", CANARIES["name"])
    assert [line for line in net.lines if planted(line)]
