"""The kiosk's own codes in a real Chromium against Python's: the same event code, the same
verdict on a card, a QR picture that another reader reads, and the decoder that is shipped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from points.domain import codes, tokens
from points.domain.codes import BadCode
from points.domain.keyring import Keyring
from registry.access import JAPAN
from tests.factories import points as factory
from tests.journeys.browser import TABLET, Pages, before_camera, browser, pages

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
CODE = "/static/web/js/kiosk-code.js"


def run(page: Any, module: str, body: str, *given: Any) -> Any:
    return page.evaluate(
        f"async given => {{ const m = await import('{module}'); {body} }}", list(given)
    )


def test_P5_the_tablets_event_code_is_the_servers_own(world: Any, pages: Pages) -> None:
    page = pages.open(TABLET)
    page.goto("/kiosk/")
    body = ("return m.eventCode(given[0], new Uint8Array(given[1]), given[2], given[3])")
    for current, session, at in (
        (1, 1, factory.NOON), (255, 2**53 - 1, datetime(2000, 1, 1, tzinfo=JAPAN)),
        (7, 123_456_789, factory.NOON + timedelta(seconds=29.5)),
    ):
        ring = Keyring({current: bytes(range(32))}, current)
        key = tokens.session_key(ring, session)
        made = run(page, CODE, body, current, list(key), session, at.timestamp())
        assert made == tokens.event_code(current, key, session, at)
        read = tokens.read(made, keys=ring, at=at)
        assert isinstance(read, tokens.EventCode) and read.session == session


def test_P6_the_tablet_reads_cards_as_the_server_does(world: Any, pages: Pages) -> None:
    page = pages.open(TABLET)
    page.goto("/kiosk/")
    card, voucher = world.card(0), "0123456789A"
    voucher += codes.check_character(voucher, tokens.VOUCHER_FAMILY)
    swapped = card[1] + card[0] + card[2:]
    texts = [
        card, card.lower(), codes.grouped(card), "　" + card, f"HTTPS://TG.EXAMPLE.JP/C/{card}",
        f"https://tg.example.jp/c/{card}?x=1", f"HTTPS://OTHER.JP/C/{card}", f"/C/{card}", "",
        voucher, f"HTTPS://TG.EXAMPLE.JP/V/{voucher}", "あ" * 12, card[:-1], "A" * 600,
        "".join(chr(ord(c) + 0xFEE0) for c in card),
        *([swapped] if swapped != card else []), *(world.cards.values()),
    ]
    seen = run(page, CODE, "return given[0].map(t => m.readCard(t, 'TG.EXAMPLE.JP').code || '')",
               texts)
    for text, found in zip(texts, seen, strict=True):
        try:
            token = tokens.read(text, host="TG.EXAMPLE.JP")
            wanted = token.code if isinstance(token, tokens.CardCode) else ""
        except BadCode:
            wanted = ""
        assert found == wanted, text


def test_P6_the_drawn_code_is_read_by_the_shipped_decoder(world: Any, pages: Pages) -> None:
    """Drawn by one vendored library, read by the other: both sides of the table at once."""
    page = pages.open(TABLET)
    page.goto("/kiosk/")
    url = "HTTPS://TG.EXAMPLE.JP/E/" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ01234567"
    found = run(page, "/static/web/js/kiosk-qr.js", """
        const svg = document.querySelector('[data-kiosk-qr-image]').cloneNode(true);
        m.drawQr(svg, given[0]);
        svg.setAttribute('width', 410); svg.setAttribute('height', 410);
        const picture = new Image();
        const text = new XMLSerializer().serializeToString(svg);
        picture.src = 'data:image/svg+xml,' + encodeURIComponent(text);
        await picture.decode();
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = 410;
        canvas.getContext('2d').drawImage(picture, 0, 0, 410, 410);
        delete window.BarcodeDetector;
        const root = document.querySelector('[data-kiosk-app]').dataset;
        const camera = await import('/static/web/js/kiosk-camera.js');
        const detector = await camera.makeDetector(root.ponyfillUrl, root.wasmUrl);
        const seen = await detector.detect(canvas);
        return [seen.map(one => one.rawValue), Number(svg.getAttribute('viewBox').split(' ')[2]),
                Boolean(window.BarcodeDetectionAPI)];
    """, url)
    # Version 4 is 33 cells, and a quiet zone of 4 on both sides (P6).
    assert found == [[url], 41, True]


@pytest.mark.parametrize("native", [False, True])
def test_P4_1_a_card_is_read_by_the_browsers_detector_or_by_the_shipped_one(
    world: Any, pages: Pages, native: bool,
) -> None:
    before_camera(f"HTTPS://TG.EXAMPLE.JP/C/{world.card(0)}")
    pages.clock = factory.NOON
    page = pages.open(TABLET, user=world.leader)
    text = f"HTTPS://TG.EXAMPLE.JP/C/{world.card(1)}"
    page.add_init_script(f"""
      window.BarcodeDetector = {str(native).lower()} ? class {{
        static async getSupportedFormats() {{ return ["qr_code"]; }}
        async detect() {{ return [{{ rawValue: "{text}" }}]; }}
      }} : undefined;
      if (!window.BarcodeDetector) delete window.BarcodeDetector;
    """)
    page.goto(f"/host/sessions/{world.session}/reception")
    page.wait_for_function(
        "() => document.querySelector('[data-kiosk-banner]').dataset.result === 'granted'",
        timeout=30_000,
    )
    shipped = page.evaluate("Boolean(window.BarcodeDetectionAPI)")
    assert shipped is not native, "the shipped decoder is loaded only where it is needed"
    from points.models import Attendance

    row = Attendance.objects.unscoped().get()
    assert row.volunteer_id == world.people[1 if native else 0]
