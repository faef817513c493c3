"""A roster on top of the cast, made through the operations: criteria, care facts, consents.

Hanako (north) consents to every kind, Ichirō (north) refuses, Yuki (north, protected) consents
all the same, Minami (south) consents.  Everybody is invented (見本).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from evacuation.domain.consent import ALL_KINDS, Answer, Means, Purpose
from evacuation.models import Copy, Edition, RosterRun, SharingRun, SharingTask
from evacuation.operations import consents, criteria, roster, sharing
from registry import access, outbox
from registry.operations import imports
from tests.cast import Cast
from workers import relay

CARE = (
    "宛名番号,氏名,生年月日,要介護状態区分コード\n"
    "1001,見本　花子,昭和13年5月3日,24\n"
    "1002,見本　一郎,T14.2.11,23\n"
    "1003,見本　雪,S40.1.9,25\n"
    "1004,見本　南,1940-07-01,24\n"
)
HANDBOOKS = (
    "宛名番号,氏名,生年月日,身体_等級,身体_障害部位,身体_旅客運賃種別,療育_判定,精神_等級,必要な配慮\n"
    "1001,見本　花子,昭和13年5月3日,1,06,1,,,車いす\n"
    "1002,見本　一郎,T14.2.11,,,,,,寝たきり\n"
    "1004,見本　南,1940-07-01,2,02,1,,,筆談\n"
)
PERIOD = "2026-10"


def load_facts(by: Any) -> None:
    """Care levels and handbooks through the real import."""
    for profile, text in (("care", CARE), ("handbooks", HANDBOOKS)):
        batch = imports.stage(source=text.encode(), profile=profile, file_name=f"{profile}.csv",
                              by=by)
        done = imports.apply(batch_id=batch.pk, by=by)
        assert done.rejected_count == done.ambiguous_count == 0, done.__dict__


def list_everybody(by: Any) -> RosterRun:
    """Example A's criteria, previewed and applied."""
    criteria.load_example(name="a", by=by)
    run = roster.rebuild_preview(by=by)
    return roster.apply(run_id=run.pk, by=by)


def answer(
    person_id: int, given: Answer, by: Any, *, at: datetime | None = None,
    purpose: Purpose = Purpose.ROSTER_SHARING, kinds: Any = ALL_KINDS,
) -> Any:
    return consents.record(
        given=consents.AnswerGiven(
            person_id=person_id, purpose=purpose, answer=given, answered_at=at or by.at,
            means=Means.PAPER, form_version="見本第1版", kinds=kinds, explained_normal=True,
            explained_disaster=True,
        ),
        by=by,
    )


def build(cast: Cast) -> None:
    """The whole roster with its consents, a day before the cast's time."""
    before = cast.at - timedelta(days=1)
    with cast.scope(cast.sato, at=before) as by:
        load_facts(by)
        list_everybody(by)
        for person in (cast.hanako_id, cast.yuki_id, cast.minami_id):
            answer(person, Answer.AGREED, by)
        answer(cast.ichiro_id, Answer.REFUSED, by)


def share(cast: Cast, *, at: datetime | None = None, period: str = PERIOD) -> SharingRun:
    """Open the run as the officer and let the relay's handlers do the work."""
    with cast.scope(cast.sato, at=at) as by:
        run = sharing.open_run(period=period, by=by)
    work(at or cast.at)
    return run


def work(at: datetime) -> None:
    """Every waiting row whose handler is known, at a fixed time, until none waits."""
    for _ in range(10_000):
        claimed = outbox.claim(at=at, lease=timedelta(seconds=60))
        if not claimed:
            return
        for one in claimed:
            relay.HANDLERS[one.kind](one, at)


def editions(at: datetime) -> dict[str, Edition]:
    """office code → newest edition."""
    with access.system(at=at, reason="test") as wide:
        rows = Edition.objects.visible_to(wide).select_related("office").order_by("pk")
        return {row.office.code: row for row in rows}


def tasks(run: SharingRun) -> dict[str, SharingTask]:
    rows = SharingTask.objects.filter(run=run).select_related("office")
    return {row.office.code: row for row in rows}


def copies(at: datetime, **wanted: Any) -> list[Copy]:
    with access.system(at=at, reason="test") as wide:
        return list(Copy.objects.visible_to(wide).filter(**wanted).order_by("number"))


def now() -> datetime:
    return timezone.now()
