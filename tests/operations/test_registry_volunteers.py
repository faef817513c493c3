"""Volunteers, cards, phones, memberships and the opt-in of P11."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from registry import access
from registry.domain.errors import Forbidden, NotFound, Refused
from registry.models import BindingAttempt, BoundDevice, Card, OutboxMessage, User
from registry.operations import cards, devices, memberships, volunteers
from registry.queries import cards as card_queries
from registry.queries import volunteers as read
from tests.cast import NATSU_CARD, TARO_CARD, Cast


def _input(**changes: Any) -> volunteers.VolunteerInput:
    facts: dict[str, Any] = {"number": "V9", "name": "見本　次郎", "kana": "ミホン　ジロウ",
                             "born_on": date(1960, 1, 1)}
    return volunteers.VolunteerInput(**{**facts, **changes})


@pytest.mark.parametrize("wrong", [
    {"number": ""}, {"number": "x" * 13}, {"name": " "}, {"born_on": date(2030, 1, 1)},
    {"longitude": 139.9}, {"availability": "sometimes"},
])
def test_a_volunteer_that_cannot_be_is_refused_beside_the_field(
    system: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(volunteers.BadVolunteer) as refused:
        volunteers.register(volunteer=_input(**wrong), by=system)
    assert set(wrong) & set(refused.value.fields)


def test_a_number_is_given_once_and_a_set_is_registered_whole_or_not(
    cast: Cast, system: Any
) -> None:
    with pytest.raises(volunteers.NumberTaken):
        volunteers.register_many(volunteers=[_input(), _input(number="V0001")], by=system)
    assert len(read.all_volunteers(system)) == 2


def test_only_the_council_manages_volunteers(cast: Cast) -> None:
    for who in (cast.sato, cast.leader, cast.mori, cast.taro, cast.nobody):
        with cast.scope(who) as by:
            with pytest.raises(Forbidden):
                volunteers.register(volunteer=_input(), by=by)
            with pytest.raises(Forbidden):
                cards.issue_card(volunteer_id=cast.taro_id, code="ABCDEFGHJKM4", by=by)
    with cast.scope(cast.suzuki) as by:
        made = volunteers.register(volunteer=_input(), by=by)
        assert made.kana_key == "みほんじろお"


def test_P6_a_card_is_found_by_its_code_and_reissue_kills_the_old_code(cast: Cast) -> None:
    with cast.scope(cast.suzuki) as by:
        with pytest.raises(cards.CardInForce):
            cards.issue_card(volunteer_id=cast.taro_id, code="ABCDEFGHJKM4", by=by)
        new = cards.reissue_card(volunteer_id=cast.taro_id, code="ABCDEFGHJKM4", by=by)
        found = card_queries.cards_by_code(by, [TARO_CARD, "ABCDEFGHJKM4", "UNKNOWN0000"])
        assert found[TARO_CARD].cancelled_at == cast.at
        assert found["ABCDEFGHJKM4"].cancelled_at is None
        assert found["ABCDEFGHJKM4"].tail == "KM4" and "UNKNOWN0000" not in found
        assert card_queries.codes_for_printing(by, volunteer_ids=[cast.taro_id]) == {
            cast.taro_id: "ABCDEFGHJKM4"}
        stored = Card.objects.visible_to(by).get(pk=new.pk)
        assert b"ABCDEFGHJKM4" not in bytes(stored.sealed_code) + bytes(stored.digest)


def test_a_stranger_finds_no_card(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        assert card_queries.cards_by_code(by, [TARO_CARD]) == {}
    with cast.scope(cast.taro) as by:
        assert card_queries.codes_for_printing(by, volunteer_ids=[cast.taro_id])
        with pytest.raises(Forbidden):
            card_queries.codes_for_printing(by, volunteer_ids=[cast.natsu_id])


def _bind(cast: Cast, code: str = NATSU_CARD, month: int = 8, day: int = 1, **more: Any) -> Any:
    return devices.bind_device(code=code, birth_month=month, birth_day=day,
                               client=more.get("client", "a"), at=more.get("at", cast.at))


def test_P4_binding_needs_the_code_and_the_birthday_and_makes_an_account(cast: Cast) -> None:
    bound = _bind(cast)
    assert bound.volunteer_id == cast.natsu_id
    holder = read.volunteer_of_device(token=bound.token, at=cast.at)
    assert holder is not None and holder.volunteer_id == cast.natsu_id
    user = User.objects.get(pk=holder.user_id)
    assert not user.has_usable_password()
    with cast.scope(user) as by:
        assert [v.id for v in read.search_volunteers(by).items] == [cast.natsu_id]
        devices.revoke_device(device_id=bound.device_id, by=by)
    assert read.volunteer_of_device(token=bound.token, at=cast.at) is None
    assert read.volunteer_of_device(token="x", at=cast.at) is None


def test_every_wrong_binding_gets_one_and_the_same_answer(cast: Cast) -> None:
    with cast.scope(cast.suzuki) as by:
        cards.cancel_card(volunteer_id=cast.taro_id, by=by)
    said = set()
    for code, month, day in ((NATSU_CARD, 8, 2), ("UNKNOWN0000", 8, 1), (TARO_CARD, 4, 3),
                             (NATSU_CARD, 0, 0)):
        with pytest.raises(devices.BindingRefused) as refused:
            _bind(cast, code, month, day)
        said.add((refused.value.code, refused.value.message, str(refused.value.fields)))
    assert len(said) == 1
    assert BindingAttempt.objects.filter(worked=False).count() == 4
    # Who knows the old code and the birthday is told kindly, and is still not bound.
    with pytest.raises(devices.CardReplaced):
        _bind(cast, TARO_CARD, 4, 2)
    assert BindingAttempt.objects.filter(worked=True).count() == 0


def test_wrong_bindings_are_limited_per_card_and_per_client(cast: Cast) -> None:
    for _ in range(devices.MOST_WRONG_PER_CODE):
        with pytest.raises(devices.BindingRefused):
            _bind(cast, day=2)
    with pytest.raises(devices.BindingLimited):
        _bind(cast, client="another")
    assert _bind(cast, at=cast.at + timedelta(hours=1, seconds=1)).volunteer_id == cast.natsu_id
    for n in range(devices.MOST_WRONG_PER_CLIENT):
        with pytest.raises(devices.BindingRefused):
            _bind(cast, code=f"UNKNOWN{n:04d}", client="robot")
    with pytest.raises(devices.BindingLimited):
        _bind(cast, TARO_CARD, 4, 2, client="robot")


def test_three_phones_and_no_more(cast: Cast) -> None:
    bound = [_bind(cast) for _ in range(3)]
    with pytest.raises(devices.TooManyDevices):
        _bind(cast)
    with cast.scope(cast.suzuki) as by:
        devices.revoke_device(device_id=bound[0].device_id, by=by)
    _bind(cast)
    with cast.scope(cast.suzuki) as by:
        in_force = BoundDevice.objects.visible_to(by).filter(revoked_at__isnull=True)
        assert in_force.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_refused_try_stays_on_record_and_the_call_refuses_to_be_nested(now: Any) -> None:
    with pytest.raises(devices.BindingRefused):
        devices.bind_device(code="UNKNOWN0000", birth_month=1, birth_day=1, client="a", at=now)
    assert BindingAttempt.objects.count() == 1
    with access.system(at=now, reason="test"), pytest.raises(RuntimeError):
        devices.bind_device(code="UNKNOWN0000", birth_month=1, birth_day=1, client="a", at=now)


def test_joining_twice_is_refused_and_leaving_keeps_the_history(cast: Cast) -> None:
    day = date(2026, 12, 1)
    with cast.scope(cast.suzuki) as by:
        with pytest.raises(memberships.AlreadyMember):
            memberships.join(organisation_id=cast.group_id, volunteer_id=cast.taro_id,
                             starts_on=day, by=by)
        with pytest.raises(Refused):
            memberships.leave(organisation_id=cast.group_id, volunteer_id=cast.taro_id,
                              ends_on=date(2020, 1, 1), by=by)
        memberships.leave(organisation_id=cast.group_id, volunteer_id=cast.taro_id,
                          ends_on=day, by=by)
        memberships.join(organisation_id=cast.group_id, volunteer_id=cast.taro_id,
                         starts_on=day, by=by)
        with pytest.raises(NotFound):
            memberships.join(organisation_id=10**9, volunteer_id=cast.taro_id, starts_on=day,
                             by=by)
    with cast.scope(cast.leader) as by, pytest.raises(Forbidden):
        memberships.join(organisation_id=cast.group_id, volunteer_id=cast.natsu_id,
                         starts_on=day, by=by)


def test_P11_supporters_are_seen_only_with_their_own_word(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        assert read.supporters_opted_in(by) == []
    with cast.scope(cast.taro) as by:
        volunteers.opt_in(volunteer_id=cast.taro_id, by=by)
        with pytest.raises(Forbidden):
            volunteers.opt_in(volunteer_id=cast.natsu_id, by=by)
    with cast.scope(cast.sato) as by:
        (seen,) = read.supporters_opted_in(by)
        assert (seen.volunteer_id, seen.name, seen.skills) == (
            cast.taro_id, "見本　太郎", ("wheelchair",))
        assert set(seen.__dataclass_fields__) == {
            "volunteer_id", "name", "phone", "area_id", "availability", "skills", "longitude",
            "latitude", "east_m", "north_m", "uncertainty_m", "aged_75"}
        assert read.search_volunteers(by).items == ()  # the points side stays closed
    with cast.scope(cast.taro) as by:
        volunteers.opt_out(volunteer_id=cast.taro_id, by=by)
    with cast.scope(cast.sato) as by:
        assert read.supporters_opted_in(by) == []
    assert OutboxMessage.objects.filter(kind="registry.supporter_opted_out").count() == 1


@pytest.mark.parametrize("who", ["suzuki", "leader", "mori", "taro", "nobody", "takada"])
def test_P11_nobody_else_may_look_for_supporters(cast: Cast, who: str) -> None:
    with cast.scope(getattr(cast, who)) as by, pytest.raises(Forbidden):
        read.supporters_opted_in(by)
