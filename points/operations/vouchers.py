"""Exchanges and vouchers (交換・利用券): points become paper, paper becomes yen for a shop.

Owns exchanging, undoing an exchange, and taking a voucher in a shop.  Every step is a transfer
in yen.  Refuses what the domain refuses, one request id for two contents, and a second use: it
says when and where the first was.  Source: P3, P7; ``points.domain.transfers``, ``vouchers``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from points import keys
from points.domain import vouchers as domain
from points.domain.accounts import Account, AccountKind, Cause, CauseKind, Transfer
from points.domain.rules import fiscal_year, pick
from points.domain.transfers import plan_exchange, plan_undo_exchange, plan_voucher
from points.domain.vouchers import State, Step
from points.models import Account as AccountRow
from points.models import Exchange, SerialRun, Voucher
from points.models import Transfer as TransferRow
from points.operations.posting import Ledger, lock
from points.queries import rulebook
from points.queries.rulebook import Rules
from registry import access, audit, failpoints
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries.organisations import organisations
from registry.queries.volunteers import volunteer_facts
from registry.sealing import seal

MOST_AT_ONCE = 100


class RequestReused(Conflict):
    """The request id was used for another content; ``fields`` names what differs."""

    code = "request_reused"
    message = "この依頼の番号は、ちがう内容で使われています。"


@transaction.atomic
def exchange(
    *, volunteer_id: int, programme: str, count: int, request_id: UUID, by: Scope
) -> Exchange:
    """Turn points into ``count`` vouchers, oldest open year first; again: the same exchange.

    Raises:
        Forbidden: neither the volunteer nor ``points.exchange``.
        NotFound: no such volunteer or programme, or not visible.
        RequestReused: the id stands for another exchange.
        Refused: ``no_vouchers``, ``vouchers_limit``, ``exchange_closed``, ``not_enough_points``.
    """
    if by.volunteer_id != volunteer_id or not by.may(Permission.OWN_POINTS):
        by.require(Permission.EXCHANGE)
    if volunteer_id not in volunteer_facts(by, volunteer_ids=[volunteer_id], action="exchange"):
        raise NotFound
    if not 1 <= count <= MOST_AT_ONCE:
        said = f"利用券の枚数を1〜{MOST_AT_ONCE}で入れてください。"
        raise Refused(said, code="no_vouchers", fields={"count": said})
    with access.system(at=by.at, reason="exchange") as wide:
        lock(volunteer_ids=[volunteer_id], by=wide).current()
        rules = rulebook.load()
        if programme not in rules.id_of:
            raise NotFound
        first = Exchange.objects.visible_to(wide).filter(id=request_id).first()
        if first is not None:
            return _same(first, volunteer_id, rules.id_of[programme], count)
        try:
            with transaction.atomic():
                made = _exchange(volunteer_id, programme, count, request_id, rules, by, wide)
        except IntegrityError as error:  # the same id for somebody else, at the same moment
            raise RequestReused(fields={"volunteer": "最初の依頼とちがいます。"}) from error
    failpoints.hit("vouchers.before_commit")
    audit.note(scope=by, kind="change", action="vouchers.exchange", subject_kind="volunteer",
               subject_id=volunteer_id, detail={"vouchers": count, "points": made.points})
    return made


def _same(first: Any, volunteer_id: int, programme_id: int, count: int) -> Exchange:
    for name, was, now in (
        ("volunteer", first.volunteer_id, volunteer_id),
        ("programme", first.programme_id, programme_id), ("count", first.count, count),
    ):
        if was != now:
            raise RequestReused(fields={name: "最初の依頼とちがいます。"})
    same: Exchange = first
    return same


def _exchange(
    volunteer_id: int, programme: str, count: int, request_id: UUID, rules: Rules, by: Scope,
    wide: Scope,
) -> Exchange:
    year, owned = fiscal_year(by.on), rules.id_of[programme]
    taken = Voucher.objects.visible_to(wide).filter(
        volunteer_id=volunteer_id, programme_id=owned, fiscal_year=year
    ).exclude(state=State.VOID).count()
    terms = {y: t for (code, y), t in rules.book.terms.items() if code == programme}
    ledger = Ledger(rules=rules, volunteer_ids=[volunteer_id], by=wide)
    serials = _serials(year, count)
    plan = plan_exchange(
        ledger.position(volunteer_id, programme), serials, exchange=str(request_id),
        rules=pick(rules.book.rules[programme], by.on), terms=terms, on=by.on, taken=taken,
    )
    lots = [row.debit.fiscal_year for row in plan if row.debit.kind is AccountKind.WALLET]
    # A voucher is good as long as the points it came from would have been (年度の定め).
    last_on = max(terms[lot].lapses_on for lot in lots if lot is not None) - timedelta(days=1)
    made = Exchange(
        id=request_id, volunteer_id=volunteer_id, programme_id=owned, fiscal_year=year,
        count=count, at=by.at, by_id=by.user_id,
        points=sum(row.amount for row in plan if row.debit.kind is AccountKind.WALLET),
    )
    made.save(force_insert=True)
    worth = {row.credit.owner: row.amount for row in plan if row.credit.kind is AccountKind.VOUCHER}
    for row in _issue(made, worth, last_on, wide):
        ledger.create(Account(AccountKind.VOUCHER, programme, row.serial), voucher_id=row.pk)
    ledger.post(plan, volunteer_id=volunteer_id, exchange_id=request_id)
    ledger.write()
    return made


def _serials(year: int, count: int) -> list[str]:
    """The next running numbers of the year; the row is locked until the end."""
    SerialRun.objects.bulk_create([SerialRun(fiscal_year=year, last=0)], ignore_conflicts=True)
    run = SerialRun.objects.select_for_update().get(fiscal_year=year)
    run.last += count
    run.save(update_fields=["last"])
    return [domain.serial_number(year, n) for n in range(run.last - count + 1, run.last + 1)]


def _issue(
    made: Exchange, worth: dict[str, int], last_on: date, wide: Scope
) -> list[Voucher]:
    rows = []
    for serial, yen in worth.items():
        code = domain.mint_code().code
        rows.append(
            Voucher(
                serial=serial, digest=keys.voucher_digest(code),
                sealed_code=seal(code.encode(), context=f"voucher:{serial}"), exchange=made,
                volunteer_id=made.volunteer_id, programme_id=made.programme_id,
                fiscal_year=made.fiscal_year, yen=yen, state=State.ISSUED, valid_until=last_on,
                issued_at=made.at,
            )
        )
    issued: list[Voucher] = Voucher.objects.visible_to(wide).bulk_create(rows)
    return issued


@transaction.atomic
def undo_exchange(*, exchange_id: UUID, reason: str, by: Scope) -> Exchange:
    """Take back a whole exchange of which no voucher was used; its points return (P7 void).

    Raises:
        Forbidden: without ``points.exchange``.
        NotFound: no such exchange.
        Refused: ``reason_missing``; ``voucher_used`` and others when a voucher is not unused.
        Conflict: ``already_undone``.
    """
    by.require(Permission.EXCHANGE)
    if not reason.strip():
        raise Refused("取り消す理由を書いてください。", code="reason_missing")
    seen = Exchange.objects.visible_to(by).filter(id=exchange_id).first()
    if seen is None:
        raise NotFound
    with access.system(at=by.at, reason="undo exchange") as wide:
        lock(volunteer_ids=[seen.volunteer_id], by=wide).current()
        row = Exchange.objects.visible_to(wide).get(id=exchange_id)
        if row.undone_at is not None:
            raise Conflict("この交換は、すでに取り消されています。", code="already_undone")
        rules = rulebook.load()
        programme = rules.code_of[row.programme_id]
        papers = list(
            Voucher.objects.visible_to(wide).select_for_update().filter(exchange_id=exchange_id)
            .order_by("pk")
        )
        for paper in papers:
            paper.state = domain.advance(_domain(paper, ""), Step.VOID, at=by.at).state
        ledger = Ledger(rules=rules, volunteer_ids=[row.volunteer_id], by=wide)
        serial_of = _know(ledger, programme, papers, wide)
        originals = _originals(row, programme, serial_of, wide)
        plan = plan_undo_exchange(
            ledger.position(row.volunteer_id, programme), originals, void=str(exchange_id)
        )
        ledger.post(plan, volunteer_id=row.volunteer_id, exchange_id=exchange_id, corrects=True)
        ledger.write()
        Voucher.objects.visible_to(wide).bulk_update(papers, ["state"])
        row.undone_at, row.undone_by_id = by.at, actor_id(by=by)
        row.undo_reason = reason.strip()[:160]
        row.save(update_fields=["undone_at", "undone_by", "undo_reason"])
    audit.note(scope=by, kind="change", action="vouchers.undo", subject_kind="volunteer",
               subject_id=row.volunteer_id, detail={"vouchers": len(papers)})
    undone: Exchange = row
    return undone


def _know(
    ledger: Ledger, programme: str, papers: list[Any], wide: Scope
) -> dict[int, str]:
    """Tell the ledger the vouchers' accounts; voucher id → serial."""
    serial_of = {paper.pk: paper.serial for paper in papers}
    rows = AccountRow.objects.visible_to(wide).filter(voucher_id__in=list(serial_of))
    for pk, voucher, balance in rows.values_list("pk", "voucher_id", "balance"):
        ledger.know(Account(AccountKind.VOUCHER, programme, serial_of[voucher]), pk, balance)
    return serial_of


def _originals(
    exchanged: Any, programme: str, serial_of: dict[int, str], wide: Scope
) -> dict[str, Transfer]:
    """The exchange's own rows by id, as the domain knows them; the person is who has it now."""
    found = {}
    rows = TransferRow.objects.visible_to(wide).filter(
        exchange_id=exchanged.pk, cause=CauseKind.EXCHANGE
    ).select_related("debit", "credit")
    for row in rows.order_by("pk"):
        legs = []
        for leg in (row.debit, row.credit):
            kind = AccountKind(leg.kind)
            owner = "" if not kind.guarded else (
                serial_of[leg.voucher_id] if leg.voucher_id else str(exchanged.volunteer_id)
            )
            legs.append(Account(kind, programme, owner, leg.fiscal_year))
        found[str(row.pk)] = Transfer(
            legs[0], legs[1], row.amount, Cause(CauseKind.EXCHANGE, row.ref), row.sentence
        )
    return found


@transaction.atomic
def redeem(*, code: str, request_id: UUID, shop_id: int | None = None, by: Scope) -> Voucher:
    """A shop takes a voucher: scanned URL or typed code.  The same request again: no error.

    Raises:
        Forbidden: without ``vouchers.redeem``.
        BadCode: ``bad_voucher``: unreadable, or no such voucher.
        Refused: ``voucher_used`` (when and where), ``voucher_void``, ``voucher_lapsed``,
            ``voucher_past``; ``which_shop`` when one acts for several.
        RequestReused: the id took another voucher.
    """
    by.require(Permission.VOUCHERS_REDEEM)
    shop = _shop(shop_id, by)
    read = domain.read_code(code, host=keys.code_host())
    with access.system(at=by.at, reason="redeem") as wide:
        rows = Voucher.objects.visible_to(wide)
        row = rows.select_for_update().filter(digest=keys.voucher_digest(read)).first()
        if row is None:
            raise Refused("この利用券は見つかりません。コードをたしかめてください。",
                          code="bad_voucher", fields={"code": "コードをたしかめてください。"})
        other = rows.filter(use_request=request_id).exclude(pk=row.pk).exists()
        if other or (row.use_request == request_id and row.shop_id != shop):
            raise RequestReused(fields={"code": "最初の依頼とちがいます。"})
        if row.use_request == request_id:
            same: Voucher = row
            return same
        try:
            with transaction.atomic():
                _use(row, shop, request_id, by, wide)
        except IntegrityError as error:  # the same id for another voucher, at the same moment
            raise RequestReused(fields={"code": "最初の依頼とちがいます。"}) from error
    failpoints.hit("vouchers.before_commit")
    audit.note(scope=by, kind="change", action="vouchers.redeem", subject_kind="voucher",
               subject_id=row.pk, detail={"shop": shop})
    used: Voucher = row
    return used


def _shop(shop_id: int | None, by: Scope) -> int:
    if shop_id is None and len(by.organisations) == 1:
        return next(iter(by.organisations))
    if shop_id is None:
        raise Refused("どの店で受けとったかをえらんでください。", code="which_shop",
                      fields={"shop": "店をえらんでください。"})
    if shop_id not in by.organisations:
        raise NotFound
    return shop_id


def _use(row: Any, shop: int, request_id: UUID, by: Scope, wide: Scope) -> None:
    names = {one.id: one.name for one in organisations(wide, ids=[shop, row.shop_id or shop])}
    after = domain.advance(
        _domain(row, names.get(row.shop_id or 0, "")), Step.USE, at=by.at, shop=str(shop),
        shop_name=names[shop],
    )
    rules = rulebook.load()
    programme = rules.code_of[row.programme_id]
    ledger = Ledger(rules=rules, volunteer_ids=[], by=wide)
    _know(ledger, programme, [row], wide)
    AccountRow.objects.visible_to(wide).bulk_create(
        [AccountRow(kind=AccountKind.SHOP_USED, unit="JPY", programme_id=row.programme_id,
                    shop_id=shop, balance=0)], ignore_conflicts=True,
    )
    account = AccountRow.objects.visible_to(wide).get(
        kind=AccountKind.SHOP_USED, programme_id=row.programme_id, shop_id=shop
    )
    ledger.know(Account(AccountKind.SHOP_USED, programme, str(shop)), account.pk, account.balance)
    step = plan_voucher(
        Step.USE, programme=programme, serial=row.serial, yen=row.yen, ref=str(request_id),
        shop=str(shop), name=names[shop],
    )
    ledger.post([step], volunteer_id=None)
    ledger.write()
    row.state, row.used_at, row.used_by_id = after.state, by.at, by.user_id
    row.shop_id, row.use_request = shop, request_id
    row.save(update_fields=["state", "used_at", "used_by", "shop", "use_request"])


def _domain(row: Any, shop_name: str) -> domain.Voucher:
    shop = "" if row.shop_id is None else str(row.shop_id)
    return domain.Voucher(row.serial, row.yen, row.valid_until, State(row.state), shop, shop_name,
                          row.used_at)
