"""Accounts, second factors, terms and API tokens."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.domain.roles import Permission
from registry.models import ApiToken, Appointment, LogEntry, OutboxMessage
from registry.operations import answers, staff
from tests.cast import TOTP_SECRET, Cast

GOOD = "とても長い見本のことばです"


def test_a_user_name_is_given_once(system: Any) -> None:
    staff.create_user(username="a", display_name="見本", by=system)
    with pytest.raises(staff.UsernameTaken):
        staff.create_user(username="a", display_name="見本", by=system)


@pytest.mark.parametrize("password", ["short", "123456789012345", "password1234"])
def test_weak_passwords_are_refused_with_the_reason_beside_the_field(
    system: Any, password: str
) -> None:
    with pytest.raises(staff.WeakPassword) as refused:
        staff.create_user(username="a", display_name="見本", password=password, by=system)
    assert refused.value.fields["password"]


def test_only_staff_managers_make_accounts(cast: Cast) -> None:
    for who in (cast.takada, cast.suzuki, cast.mori, cast.leader, cast.nobody):
        with cast.scope(who) as by, pytest.raises(Forbidden):
            staff.create_user(username="x", display_name="x", by=by)


def test_one_may_change_the_own_password_and_nobody_elses(cast: Cast) -> None:
    with cast.scope(cast.mori) as by:
        changed = staff.set_password(user_id=cast.mori.pk, password=GOOD, by=by)
        assert changed.check_password(GOOD)
        with pytest.raises(Forbidden):
            staff.set_password(user_id=cast.sato.pk, password=GOOD, by=by)


def test_the_totp_secret_is_sealed_and_works(cast: Cast, system: Any) -> None:
    staff.enrol_totp(user=cast.sato, secret=TOTP_SECRET, by=system)
    staff.enrol_totp(user=cast.sato, secret=TOTP_SECRET, by=system)  # again replaces
    row = Authenticator.objects.get(user=cast.sato)
    assert TOTP_SECRET not in str(row.data)
    import time

    code = format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30))
    assert TOTP(row).validate_code(code)


@pytest.mark.parametrize("secret", ["", "ABC", "秘密", "JBSWY3DP", "1" * 32])
def test_a_bad_secret_is_refused(cast: Cast, system: Any, secret: str) -> None:
    with pytest.raises(staff.BadSecret):
        staff.enrol_totp(user=cast.sato, secret=secret, by=system)


def test_a_term_ends_after_it_starts_and_exists_once(cast: Cast, system: Any) -> None:
    office, user = cast.offices["O-KATO"], cast.nobody.pk
    day = date(2027, 4, 1)
    with pytest.raises(staff.BadTerm):
        staff.appoint(office_id=office, user_id=user, starts_on=day, ends_on=day, by=system)
    term = staff.appoint(office_id=office, user_id=user, starts_on=day, by=system)
    with pytest.raises(staff.BadTerm) as twice:
        staff.appoint(office_id=office, user_id=user, starts_on=day, by=system)
    assert twice.value.code == "term_exists"
    with pytest.raises(NotFound):
        staff.appoint(office_id=10**9, user_id=user, starts_on=day, by=system)
    end = date(2028, 4, 1)
    staff.end_term(appointment_id=term.pk, ends_on=end, by=system)
    assert Appointment.objects.get(pk=term.pk).ends_on == end
    row = OutboxMessage.objects.get(kind="registry.term_ended", subject_id=term.pk)
    assert row.run_after.isoformat() == "2028-03-31T15:00:00+00:00"  # that midnight in Japan


def test_a_token_works_until_revoked_expired_or_its_account_is_closed(
    cast: Cast, system: Any
) -> None:
    def issue() -> tuple[ApiToken, str]:
        return staff.issue_token(user_id=cast.scanner.pk, name="受付1", scopes=["scans.record"],
                                 expires_at=cast.at + timedelta(days=30), by=system)

    token, plain = issue()
    assert plain not in str(token.__dict__)
    user, scopes = staff.authenticate_token(token=plain, at=cast.at)
    assert (user, scopes) == (cast.scanner, {Permission.SCANS_RECORD})
    refusals = []
    for text, when in ((plain, cast.at + timedelta(days=30)), (plain + "x", cast.at),
                       ("", cast.at), ("tg_" + "あ" * 20, cast.at)):
        with pytest.raises(staff.BadToken) as refused:
            staff.authenticate_token(token=text, at=when)
        refusals.append(refused.value.message)
    assert len(set(refusals)) == 1
    staff.revoke_token(token_id=token.pk, by=system)
    staff.revoke_token(token_id=token.pk, by=system)
    with pytest.raises(staff.BadToken):
        staff.authenticate_token(token=plain, at=cast.at)
    _, second = issue()
    staff.deactivate(user_id=cast.scanner.pk, by=system)
    with pytest.raises(staff.BadToken):
        staff.authenticate_token(token=second, at=cast.at)


@pytest.mark.parametrize(("scopes", "days", "code"), [
    ([], 1, "bad_token_scope"), (["everything"], 1, "bad_token_scope"),
    (["scans.record"], 0, "bad_token_life"), (["scans.record"], 500, "bad_token_life"),
])
def test_a_token_says_what_it_may_and_ends(
    cast: Cast, system: Any, scopes: list[str], days: int, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        staff.issue_token(user_id=cast.scanner.pk, name="x", scopes=scopes,
                          expires_at=cast.at + timedelta(days=days), by=system)
    assert refused.value.code == code


def test_every_act_on_an_account_is_on_record(cast: Cast, system: Any) -> None:
    staff.set_password(user_id=cast.sato.pk, password=GOOD, by=system)
    actions = set(LogEntry.objects.visible_to(system).values_list("action", flat=True))
    assert {"staff.create_user", "staff.appoint", "staff.set_password"} <= actions
    assert "とても" not in str(list(LogEntry.objects.visible_to(system).values()))


def test_the_same_request_gets_the_same_answer_and_another_body_is_refused(cast: Cast) -> None:
    with cast.scope(cast.suzuki) as by:
        key = {"route": "POST x", "key": "k1", "by": by}
        assert answers.find(request_digest=b"a" * 32, **key) is None
        answers.remember(request_digest=b"a" * 32, status=201, body={"氏名": "見本"}, **key)
        first = answers.find(request_digest=b"a" * 32, **key)
        assert first == answers.Answer(201, {"氏名": "見本"})
        with pytest.raises(answers.KeyReused) as refused:
            answers.find(request_digest=b"b" * 32, **key)
        assert "Idempotency-Key" in refused.value.fields
        with pytest.raises(answers.StillWorking):
            answers.remember(request_digest=b"a" * 32, status=201, body={}, **key)
        with pytest.raises(Refused):
            answers.find(route="POST x", key="k" * 81, request_digest=b"a" * 32, by=by)
    with cast.scope(cast.leader) as other:
        assert answers.find(route="POST x", key="k1", request_digest=b"b" * 32, by=other) is None
    assert issubclass(answers.StillWorking, Conflict)
