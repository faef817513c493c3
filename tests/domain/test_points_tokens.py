"""Codes: P4.2 (event QR), P4.3 (printed), P6 (form of codes)."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from points.domain import codes, tokens
from points.domain.codes import ALPHABET, BadCode
from points.domain.keyring import Keyring
from points.domain.tokens import CardCode, EventCode, FormToken, Kind, mint, read

AT = datetime(2026, 11, 23, 10, 5, 7, tzinfo=UTC)
KEYS = Keyring({1: b"a" * 32, 2: b"b" * 32}, current=2)
sessions = st.integers(0, 2**63 - 1)
entropy = st.binary(min_size=16, max_size=16).map(lambda raw: lambda size: raw[:size])
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def refusal(text: str, **arguments: object) -> BadCode:
    with pytest.raises(BadCode) as caught:
        read(text, **arguments)  # type: ignore[arg-type]
    return caught.value


@given(entropy)
def test_P6_card_round_trip_in_every_way_people_type(source) -> None:
    made = mint("card", host="tsunagari.jp", entropy=source)
    code = made.code
    assert set(code) <= set(ALPHABET) and not set("ILOU") & set(ALPHABET)
    assert len(made.url) <= 38 and made.url == made.url.upper()
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    written = [
        code, code.lower(), codes.grouped(code), wide, wide.lower(), f" {code[:4]}ー{code[4:]} ",
        code.replace("0", "O").replace("1", "I"), code.replace("0", "o").replace("1", "l"),
        made.url, made.url.lower(), made.url + "?openExternalBrowser=1", made.url + "/",
    ]  # fmt: skip
    for text in written:
        assert read(text, host="TSUNAGARI.JP") == CardCode(code)


def test_P6_card_has_55_random_bits() -> None:
    assert (tokens.CARD_LENGTH - 1) * 5 >= 50
    assert len({mint("card").code for _ in range(2000)}) == 2000


@given(entropy, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_P6_every_single_wrong_character_is_found(source, place, letter) -> None:
    code = mint("card", entropy=source).code
    wrong = code[:place] + letter + code[place + 1 :]
    if wrong != code:
        assert refusal(wrong).code == "bad_card"


@given(entropy, st.integers(0, 11), st.integers(0, 11))
def test_P6_every_swap_is_found(source, left, right) -> None:
    letters = list(mint("card", entropy=source).code)
    if letters[left] != letters[right]:
        letters[left], letters[right] = letters[right], letters[left]
        assert refusal("".join(letters)).detail in {"check", "voucher"}


@given(st.text(ALPHABET, min_size=30, max_size=30), st.data())
def test_P6_the_longest_checked_code_finds_wrong_characters_and_swaps(body, data) -> None:
    code = body + codes.check_character(body, 7)
    left, right = (data.draw(st.integers(0, 30)) for _ in "ab")
    letters = list(code)
    letters[left], letters[right] = letters[right], letters[left]
    changed = "".join(letters)
    if changed != code:
        with pytest.raises(BadCode):
            codes.checked(changed, 31, 7)


def qr_version(text: str) -> int:
    qrcode = pytest.importorskip("qrcode")
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    symbol.add_data(text, optimize=0)
    symbol.make(fit=True)
    symbol.print_ascii(out=io.StringIO())
    return int(symbol.version)


def test_P6_qr_symbols_are_version_2_and_4_at_level_M() -> None:
    card = mint("card", host="ABCDEFGHIJK.JP1").url
    event = mint("event", host="A" * 39, keys=KEYS, session=2**63 - 1, at=AT).url
    assert (len(card), qr_version(card)) == (38, 2)
    assert (len(event), qr_version(event)) == (90, 4)
    tokens.check_host("localhost:8000", "http")
    with pytest.raises(ValueError, match="15 characters at most"):
        tokens.check_host("ABCDEFGHIJK.JP12")
    with pytest.raises(ValueError, match="39 characters at most"):
        mint("event", host="A" * 40, keys=KEYS, session=1, at=AT)
    for host in ("", "a/b", "つながり.jp", "a b"):
        with pytest.raises(ValueError, match="bare host"):
            mint("card", host=host)


@given(sessions, moments, st.integers(-10, 10))
def test_P4_event_code_lives_for_its_steps(session, at, steps) -> None:
    made = mint(Kind.EVENT, host="x.jp", keys=KEYS, session=session, at=at)
    then = at + timedelta(seconds=30 * steps)
    if -1 <= steps <= 3:
        assert read(made.url, keys=KEYS, at=then) == EventCode(session, Kind.EVENT, 2)
    else:
        wrong = refusal(made.url, keys=KEYS, at=then)
        assert (wrong.code, wrong.detail) == ("expired", "step_past" if steps > 0 else "step_ahead")


@given(sessions, st.integers(0, 39), st.sampled_from(ALPHABET))
def test_P6_a_changed_event_code_is_refused(session, place, letter) -> None:
    code = mint("event", keys=KEYS, session=session, at=AT).code
    wrong = code[:place] + letter + code[place + 1 :]
    if wrong != code:
        assert refusal(wrong, keys=KEYS, at=AT).code == "bad_card"


def test_P6_mac_has_at_least_60_bits_and_covers_kind_key_session_step() -> None:
    raw = bytearray(codes.decode(mint("event", keys=KEYS, session=5, at=AT).code))
    assert len(raw) - 14 >= 8
    for place in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            assert refusal(codes.encode(bytes(changed)), keys=KEYS, at=AT).code == "bad_card"


def test_P6_keys_rotate_and_a_dropped_key_is_refused() -> None:
    old = mint("event", keys=Keyring({1: b"a" * 32}, 1), session=5, at=AT).code
    assert read(old, keys=KEYS, at=AT) == EventCode(5, Kind.EVENT, 1)
    later = Keyring({2: b"b" * 32}, 2)
    assert refusal(old, keys=later, at=AT).detail == "unknown_key"
    other = Keyring({1: b"c" * 32}, 1)
    assert refusal(old, keys=other, at=AT).detail == "forged"


def test_P6_keyring_refuses_weak_or_missing_keys_and_never_shows_them() -> None:
    for keys, current in (({1: b"short"}, 1), ({1: b"a" * 32}, 2), ({256: b"a" * 32}, 256)):
        with pytest.raises(ValueError, match="Keyring"):
            Keyring(keys, current)
    assert "aaaa" not in repr(KEYS)


def test_P5_a_kiosk_makes_the_same_code_from_its_session_key_only() -> None:
    key = tokens.session_key(KEYS, 77)
    made = tokens.event_code(2, key, 77, AT)
    assert made == mint("event", keys=KEYS, session=77, at=AT).code
    stolen = tokens.event_code(2, key, 78, AT)
    assert refusal(stolen, keys=KEYS, at=AT).detail == "forged"


def test_P5_test_vector_for_the_kiosk_is_the_one_in_the_document() -> None:
    keys = Keyring({7: bytes(range(32))}, 7)
    at = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    text = Path(__file__, "../../../docs/algorithms/tokens.md").resolve().read_text("utf-8")
    assert tokens.session_key(keys, 1234).hex() in text
    assert mint("event", keys=keys, session=1234, at=at).code in text


@pytest.mark.parametrize(
    ("minutes", "answer"),
    [(-31, "not_open"), (-30, None), (0, None), (90, None), (120, None), (121, "expired")],
)
def test_P4_printed_code_is_valid_30_minutes_around_the_session(minutes, answer) -> None:
    code = mint("printed", keys=KEYS, session=9).code
    ends = AT + timedelta(minutes=90)
    arguments = {"keys": KEYS, "at": AT + timedelta(minutes=minutes)}
    hours = {9: (AT, ends)}.get
    if answer is None:
        assert read(code, hours=hours, **arguments) == EventCode(9, Kind.PRINTED, 2)
    else:
        assert refusal(code, hours=hours, **arguments).code == answer
    assert refusal(code, hours=lambda _: None, **arguments).detail == "no_session"
    with pytest.raises(ValueError, match="hours"):
        read(code, **arguments)


@given(sessions, entropy, st.sampled_from([Kind.EVENT, Kind.PRINTED]), st.integers(-60, 1200))
def test_P4_form_token_lives_15_minutes(session, source, via, seconds) -> None:
    arguments = {"keys": KEYS, "session": session, "at": AT, "via": via, "audience": "browser"}
    code = mint("form", entropy=source, **arguments).code
    then = AT + timedelta(seconds=seconds)
    if seconds < 900:
        token = read(code, keys=KEYS, at=then, audience="browser")
        assert isinstance(token, FormToken)
        assert (token.session, token.via) == (session, via)
        assert token.expires_at == AT + timedelta(minutes=15)
    else:
        assert refusal(code, keys=KEYS, at=then, audience="browser").code == "expired"
    assert refusal(code, keys=KEYS, at=AT, audience="another").detail == "forged"


def test_P4_form_token_ends_exactly_15_minutes_later() -> None:
    code = mint("form", keys=KEYS, session=1, at=AT).code
    assert read(code, keys=KEYS, at=AT + timedelta(seconds=899))
    assert refusal(code, keys=KEYS, at=AT + timedelta(seconds=900)).detail == "form_expired"


def test_P4_form_tokens_are_single_use_by_their_nonce() -> None:
    made = [mint("form", keys=KEYS, session=1, at=AT).code for _ in range(100)]
    nonces = {read(code, keys=KEYS, at=AT).nonce for code in made}  # type: ignore[union-attr]
    assert len(nonces) == 100


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "empty"), ("---", "empty"), ("0" * 600, "too_long"), ("ABCU0000ABCD", "character"),
        ("山田花子", "character"), ("ABC", "length"), ("0" * 11, "length"), ("0" * 13, "length"),
        ("https://example.com/C/000000000000", "foreign"), ("HTTPS://X.JP/Z/1", "foreign"),
        ("HTTPS://X.JP/C/1/2", "foreign"), ("HTTPS://X.JP/V/1", "voucher"), ("0" * 40, "kind"),
        ("0" * 80, "kind"),
    ],
)  # fmt: skip
def test_P6_bad_input_gets_its_own_refusal(text, detail) -> None:
    wrong = refusal(text, keys=KEYS, at=AT, host="X.JP")
    assert (wrong.code, wrong.detail) == ("bad_card", detail)
    assert wrong.message.endswith("。")


@given(st.text(max_size=100))
def test_P6_any_text_is_read_or_refused_never_an_error(text) -> None:
    try:
        read(text, keys=KEYS, at=AT, hours=lambda _: None)
    except BadCode as wrong:
        assert wrong.code in {"bad_card", "expired", "not_open"}


def test_naive_times_and_missing_arguments_are_programming_errors() -> None:
    with pytest.raises(ValueError, match="aware"):
        mint("event", keys=KEYS, session=1, at=AT.replace(tzinfo=None))
    code = mint("event", keys=KEYS, session=1, at=AT).code
    for arguments in ({"keys": KEYS}, {"at": AT}):
        with pytest.raises(ValueError, match="needed"):
            read(code, **arguments)  # type: ignore[arg-type]
    for kind in ("event", "form", "printed"):
        with pytest.raises(ValueError, match="needed"):
            mint(kind)
    with pytest.raises(ValueError, match="session"):
        mint("printed", keys=KEYS, session=-1)
