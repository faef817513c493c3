"""A copy is lost: one minute of input, and everything that follows (紛失).

Owns ``report_loss`` and the letters to the people affected.  The custody event, the report with
its due dates and the outbox row are one transaction.  Refuses a loss that was found before the
copy was issued.  個人情報保護法 第68条, 施行規則 第43条・第44条.
"""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from evacuation.documents.notices import loss_notice
from evacuation.documents.values import LossNotice
from evacuation.domain.custody import Act
from evacuation.domain.loss import LossRefused, loss_report
from evacuation.domain.recipients import Column
from evacuation.models import Copy, CopyLoss, EditionRow, Letter
from evacuation.operations import custody, edition_headers
from evacuation.operations.strikes import LETTER_CONTEXT
from registry import access, outbox, sealing
from registry.access import Scope, day_of
from registry.documents import MissingGlyphs
from registry.domain.errors import NotFound
from registry.failpoints import hit
from registry.operations.staff import actor_id
from registry.queries import people
from registry.queries.facts import PersonFacts

LETTERS = "evacuation.loss_letters"
DONE = (
    "警察へ届け出て、さがしています。",
    "個人情報保護委員会へ報告します。",
    "名簿を渡しているほかの方々に、保管のしかたをもう一度おねがいしました。",
)
ADVICE = (
    "市の職員をなのる電話や訪問で、お金や暗証番号をきかれても答えないでください。",
    "心あたりのない連絡がありましたら、下の電話へお知らせください。",
)


@transaction.atomic
def report_loss(
    *, copy_id: int, discovered_on: date, circumstances: str, by: Scope,
    malicious: bool = False, version: int | None = None,
) -> CopyLoss:
    """Record a loss by its holder or by custody staff; letters to everybody in it follow.

    Raises:
        NotFound, Forbidden, CustodyRefused (already accounted for), LossRefused (dates),
        Conflict ``changed_meanwhile``.
    """
    if discovered_on > by.on:
        raise LossRefused(fields={"discovered_on": "気づいた日が未来になっています。"})
    copy: Copy | None = (
        Copy.objects.visible_to(by).select_related("edition").filter(pk=copy_id).first()
    )
    if copy is None:
        raise NotFound
    office = copy.office_id
    with access.system(at=by.at, reason="losses.report") as wide:
        named = EditionRow.objects.visible_to(wide).filter(edition=copy.edition_id)
        report = loss_report(
            copy_no=copy.number, office=str(office), issued_on=day_of(copy.edition.issued_at),
            discovered_on=discovered_on, malicious=malicious,
            people=[str(pk) for pk in named.values_list("person_id", flat=True)],
        )
    custody.act(copy_id=copy_id, what=Act.LOSE, by=by, note=circumstances, version=version)
    with access.system(at=by.at, reason="losses.report"):
        loss: CopyLoss
        loss, _ = CopyLoss.objects.unscoped().update_or_create(
            copy_id=copy_id,
            defaults={
                "office_id": office, "discovered_on": discovered_on,
                "circumstances": circumstances.strip()[:500], "malicious": malicious,
                "people_count": report.people_count, "first_target_on": report.first_target_on,
                "first_due_on": report.first_due_on, "final_due_on": report.final_due_on,
                "reported_at": by.at, "reported_by_id": actor_id(by=by),
            },
        )
    outbox.put(kind=LETTERS, subject_id=loss.pk, at=by.at,
               dedupe_key=f"loss:{copy_id}:{by.at.timestamp():.6f}")
    return loss


def write_letters(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: one letter to each person in the lost copy.  Safe to run twice: a person who has
    one is left alone.  A name that cannot be printed is left to be written by hand."""
    with access.system(at=at, reason="losses.letters") as wide:
        loss = CopyLoss.objects.visible_to(wide).select_related("copy").get(pk=claimed.subject_id)
        rows = list(
            EditionRow.objects.visible_to(wide).filter(edition_id=loss.copy.edition_id)
            .order_by("position").values_list("person_id", "columns")
        )
        has = set(Letter.objects.visible_to(wide).filter(copy=loss.copy, kind=Letter.Kind.LOSS)
                  .values_list("person_id", flat=True))
        waiting = [(pk, columns) for pk, columns in rows if pk not in has]
        facts = people.person_facts(
            wide, person_ids=[pk for pk, _ in waiting], action="losses.letters"
        )
    written: list[Letter] = []
    for number, (pk, columns) in enumerate(waiting, start=len(has) + 1):
        letter_number = f"{loss.copy.number}-L{number:03d}"
        one = facts[pk]
        if one.died_on is not None:
            continue
        try:
            sheet = loss_notice(_letter(loss, one, columns, letter_number, at), created_at=at)
        except MissingGlyphs:
            continue
        written.append(Letter(
            kind=Letter.Kind.LOSS, copy=loss.copy, office_id=loss.office_id, person_id=pk,
            number=letter_number, made_at=at,
            address=sealing.store(sheet, context=LETTER_CONTEXT),
        ))
    hit("losses.after_store")
    with access.system(at=at, reason="losses.letters"):
        Letter.objects.unscoped().bulk_create(written, batch_size=500)
        claimed.finish(at)


def _letter(
    loss: CopyLoss, one: PersonFacts, columns: list[str], number: str, at: datetime
) -> LossNotice:
    known = {column.value: column.label for column in Column}
    return LossNotice(
        municipality=settings.CITY_NAME, mayor=settings.MAYOR_NAME, letter_number=number,
        sent_on=edition_headers.day(day_of(at)), addressee=one.name,
        address=" ".join(part for part in (one.address, one.building) if part),
        postal_code=one.postcode,
        happened=(
            f"{edition_headers.day(loss.discovered_on)}、あなたの情報がのった"
            "避難行動要支援者名簿の副本1冊がなくなったことが分かりました。"
        ),
        lost_items=tuple(known[name] for name in columns if name in known),
        done=DONE, advice=ADVICE, office=settings.ROSTER_OFFICE, phone=settings.HELP_PHONE,
        check_code=edition_headers.check_code(number), sample=settings.DEMO,
    )
