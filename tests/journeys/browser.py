"""A real Chromium for journeys: pages on a phone or a desktop, and the checks of every screen.

Owns: the browser, page factory (viewport, JavaScript on or off, somebody's session), the checks
of screens.md "Proof" (axe A/AA/2.2, one h1, no ``style=``, 320 px at 200 %, target sizes, no
refused script or style), and the screenshots of the guides (``WRITE_SCREENS=1``).
Use: ``from tests.journeys.browser import *`` in a test module gives the fixtures ``browser``
and ``pages``; mark the module ``pytestmark = [pytest.mark.chromium, …transaction]``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE = next((ROOT / "tests" / "web" / "vendor").glob("axe-core-*/axe.min.js"))
SCREENS = ROOT / "docs" / "screens"
#: What the camera sees; ``before_camera`` writes it.
CAMERA = Path(tempfile.mkdtemp(prefix="tsunagari-camera-")) / "camera.y4m"
PHONE, DESKTOP, TABLET = (390, 844), (1440, 960), (1280, 800)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--lang=ja",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    f"--use-file-for-fake-video-capture={CAMERA}",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Smallest height of a control in CSS pixels, by face (screens.md "Look").
LEAST = {"face-public": 48, "face-office": 44}

__all__ = ["Pages", "browser", "pages"]


def executable() -> str:
    """The browser's path; tests marked ``chromium`` run only where there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    if not found:
        pytest.fail("no Chromium: set CHROMIUM or install it")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for a module."""
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the fixtures' own queries are synchronous.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield running
        running.close()
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@dataclass
class Pages:
    """Opens pages of the live server and checks them."""

    browser: Any
    base: str
    contexts: list[Any] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    without_script: set[Any] = field(default_factory=set)
    #: The instant at which every browser's clock begins; None leaves the machine's.
    clock: Any = None

    def open(
        self, size: tuple[int, int] = PHONE, *, user: Any = None, js: bool = True, **more: Any
    ) -> Any:
        """A page in a browser of its own, signed in as ``user`` if given."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=js, locale="ja-JP",
            timezone_id="Asia/Tokyo", base_url=self.base, has_touch=size == PHONE, **more,
        )
        if self.clock is not None and js:
            context.clock.install(time=self.clock)
        if user is not None:
            context.add_cookies([self.session_of(user)])
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        if not js:
            self.without_script.add(page)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"pageerror: {error}"))
        return page

    def session_of(self, user: Any) -> dict[str, Any]:
        """The session cookie of somebody who has passed the door."""
        from django.test import Client

        client = Client()
        client.force_login(user)
        return {"name": "sessionid", "value": client.cookies["sessionid"].value,
                "url": self.base, "httpOnly": True, "sameSite": "Lax"}

    def cookie(self, page: Any, name: str, value: str) -> None:
        """Give a page's browser a cookie."""
        page.context.add_cookies([{"name": name, "value": value, "url": self.base,
                                   "httpOnly": True, "sameSite": "Lax"}])

    def check(self, page: Any, name: str = "", *, reflow: bool = True) -> None:
        """Every rule that holds for every screen; then the screenshot ``name``."""
        assert page.locator("h1").count() == 1, f"{page.url}: {page.locator('h1').count()} h1"
        # Playwright itself may leave an empty attribute behind; Leaflet places its own panes
        # through the style object, which the policy allows.
        styled = page.locator(
            ':is(main, header, footer) [style]:not([style=""], [data-map-canvas] *)'
        )
        assert styled.count() == 0, f"{page.url}: {styled.first.evaluate('e => e.outerHTML')[:200]}"
        if name:
            shot(page, name)
        seen = self._mirror(page) if page in self.without_script else page
        self._axe(seen)
        self._targets(seen)
        if reflow:
            self._reflow(seen)
        if seen is not page:
            seen.close()

    def _mirror(self, page: Any) -> Any:
        """The same document where scripts run: the checks themselves are scripts."""
        html, address = page.content(), page.url
        size = page.viewport_size
        context = self.browser.new_context(viewport=size, locale="ja-JP")
        self.contexts.append(context)
        copy = context.new_page()
        copy.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        copy.goto(address)
        return copy

    def _axe(self, page: Any) -> None:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
        )
        assert not found["violations"], "\n".join(
            f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for one in found["violations"] for node in one["nodes"]
        )

    def _targets(self, page: Any) -> None:
        face = page.evaluate("document.documentElement.className")
        least = next(size for name, size in LEAST.items() if name in face)
        small = page.evaluate(_SMALL_TARGETS, least)
        assert not small, f"{page.url}: targets under {least} px: {small}"

    def _reflow(self, page: Any) -> None:
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 640})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        wide = page.evaluate(_TOO_WIDE)
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.set_viewport_size(size)
        assert not wide, f"{page.url}: wider than 320 px at 200 %: {wide}"

    def _console(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"{message.text}")

    def close(self) -> None:
        """Close every browser; whatever a console complained of is a failure."""
        for context in self.contexts:
            context.close()
        assert not self.complaints, self.complaints


def follow(target: Any) -> None:
    """Click what leads to another document, and wait until that one is there."""
    with target.page.expect_navigation():
        target.click()


def before_camera(text: str, *, width: int = 640, height: int = 480) -> None:
    """Hold a QR code before the camera: a film of still pictures (YUV 4:2:0)."""
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    cells = code.get_matrix()
    size = min(width, height) * 3 // 4 // len(cells)
    left, top = (width - size * len(cells)) // 2, (height - size * len(cells)) // 2
    grey = bytearray(b"\xb0" * (width * height))
    for y in range(size * len(cells)):
        row = b"".join((b"\x10" if dark else b"\xeb") * size for dark in cells[y // size])
        at = (top + y) * width + left
        grey[at : at + len(row)] = row
    frame = b"FRAME\n" + bytes(grey) + b"\x80" * (width * height // 2)
    head = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420\n".encode()
    CAMERA.write_bytes(head + frame * 10)


def shot(page: Any, name: str) -> None:
    """``docs/screens/NAME.png`` when ``WRITE_SCREENS`` is set."""
    if os.environ.get("WRITE_SCREENS"):
        SCREENS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SCREENS / f"{name}.png"), full_page=True)


@pytest.fixture
def pages(browser: Any, live_server: Any) -> Iterator[Pages]:
    """The page factory of a test; the console must stay clean."""
    opened = Pages(browser, live_server.url)
    yield opened
    opened.close()


_SMALL_TARGETS = """least => [...document.querySelectorAll(
  'button, .button, select, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), '
  + 'label.choice, textarea')]
  .filter(e => e.checkVisibility() && !e.closest('[hidden]'))
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([, r]) => r.height > 0 && (r.height < least - 0.5 || r.width < least - 0.5))
  .map(([html, r]) => `${Math.round(r.width)}×${Math.round(r.height)} ${html}`)"""

# What may scroll in a box of its own (tables, maps) does not widen the page.
_TOO_WIDE = """() => document.documentElement.scrollWidth <= 321 ? [] :
  [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > 321 && !e.closest('.table-box, .map-box, .chart'))
  .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""

Check = Callable[[Any, str], None]
