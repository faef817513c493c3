"""The kiosk (受付端末): its page, its service worker, its manifest, and pairing.

Owns ``/kiosk/``: one page for everybody, the same bytes whoever asks, that a tablet keeps and
opens without network; the list of exactly what is kept (``shell``), versioned by content; and
the exchange of a pairing code for a token.  Refuses to put anything of a person or a session
into what is kept.  The camera's WebAssembly is allowed here and on the reception page only.
Pairing takes no cookie, so it needs no CSRF token: the code is the proof.  P5.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from csp.decorators import csp_update
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from points.domain import tokens
from registry.domain.errors import TsunagariError
from registry.operations import kiosks
from web.context import site
from web.states import as_script_data
from web.views.base import Open, client_of, status_of
from web.views.door import Door

API = "/api/v1/points"
#: What the page's scripts load besides what the page itself names.
MODULES = (
    "web/js/kiosk-camera.js", "web/js/kiosk-code.js", "web/js/kiosk-link.js",
    "web/js/kiosk-qr.js", "web/js/kiosk-reception.js", "web/js/kiosk-scanner.js",
    "web/js/kiosk-send.js", "web/js/kiosk-sound.js", "web/js/kiosk-store.js",
    "web/vendor/qrcode-generator-2.0.4/qrcode.mjs",
)
_NAMED = re.compile(r'(?:href|src|data-[a-z]+-url)="([^"]+\.(?:js|css|svg|wasm))"')
_LONGEST = 4096


def _page() -> dict[str, object]:
    return {"qr_seconds": tokens.STEP, "states": as_script_data(), "api": API,
            "urls": {"pair": reverse("kiosk-pair"), "worker": reverse("kiosk-worker"),
                     "manifest": reverse("kiosk-manifest"), "host": reverse("host-home")}}


def shell(request: HttpRequest) -> tuple[str, list[str]]:
    """(version, addresses) of what a tablet keeps: the page first, then its program.

    The version is a digest of the contents: whatever changes, a new one is taken whole.
    """
    body = render_to_string("web/kiosk/app.html", {**_page(), **site(request)})
    prefix = static("")
    named = [one for one in _NAMED.findall(body) if one.startswith(prefix)]
    files = list(dict.fromkeys([*named, *(static(one) for one in MODULES)]))
    digest = hashlib.sha256(body.encode())
    for one in files:
        found = finders.find(one.removeprefix(prefix))
        if not isinstance(found, str):
            raise FileNotFoundError(one)
        digest.update(one.encode() + b"\0" + Path(found).read_bytes())
    digest.update(_worker_source().encode())
    return digest.hexdigest()[:16], [reverse("kiosk"), reverse("kiosk-manifest"), *files]


def _worker_source() -> str:
    found = finders.find("web/js/kiosk-worker.js")
    if not isinstance(found, str):
        raise FileNotFoundError("kiosk-worker.js")
    return Path(found).read_text(encoding="utf-8")


@method_decorator(csp_update({"script-src": ["'self'", "'wasm-unsafe-eval'"]}), name="dispatch")
class Kiosk(Door):
    """The page that a tablet keeps; what it shows comes from the tablet's own store."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return render(request, "web/kiosk/app.html", _page())


class Worker(Door):
    """The service worker, with its version and its list in front."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        version, kept = shell(request)
        head = f"const VERSION = {json.dumps(version)};\nconst SHELL = {json.dumps(kept)};\n"
        return HttpResponse(head + _worker_source(), content_type="text/javascript")


class Manifest(Door):
    """What the tablet's home screen shows."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        here, place = reverse("kiosk"), site(request)["site"]["name"]
        body = {
            "id": here, "start_url": here, "scope": here, "name": f"受付 {place}",
            "short_name": "受付", "lang": "ja", "display": "standalone",
            "background_color": "#ffffff", "theme_color": "#ffffff",
            "icons": [{"src": static("web/favicon.svg"), "sizes": "any",
                       "type": "image/svg+xml"}],
        }
        return HttpResponse(json.dumps(body, ensure_ascii=False),
                            content_type="application/manifest+json")


@method_decorator(csrf_exempt, name="dispatch")
class Pair(Door):
    """A pairing code for a token, as JSON."""

    needs = {"post": Open.ANYONE}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        # JSON only: another site's page could not send it without asking first.
        if request.content_type != "application/json" or len(request.body) > _LONGEST:
            return _problem("invalid_input", "登録コードを入れてください。", 400)
        try:
            said = json.loads(request.body)
        except ValueError:
            said = None
        code = said.get("code") if isinstance(said, dict) else None
        holds = said.get("holds") if isinstance(said, dict) else None
        if not isinstance(code, str) or not (holds is None or type(holds) is int):
            return _problem("invalid_input", "登録コードを入れてください。", 400)
        try:
            made = kiosks.pair(code=code, client=client_of(request), at=timezone.now(),
                               holds=holds)
        except TsunagariError as error:
            return _problem(error.code, error.message, status_of(error))
        return JsonResponse({
            "kiosk": made.kiosk_id, "name": made.name, "organisation": made.organisation,
            "token": made.token, "last_counter": made.last_counter,
        })


def _problem(code: str, detail: str, status: int) -> JsonResponse:
    return JsonResponse({"code": code, "detail": detail}, status=status)
