"""Talking to the running service over HTTP: as a program with a token, as a person with a browser.

Owns a small client on the standard library: JSON, multipart uploads, cookies and forms.  Refuses
to know the service from the inside: what it sees is what came over the wire.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from config.demo_folder import Account, totp

TIMEOUT = 120


@dataclass(frozen=True)
class Answer:
    """What came back.  ``json`` is None where the body is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def tag(self) -> str:
        """The entity tag, for If-Match."""
        return self.headers.get("etag", "")

    def told(self) -> str:
        """Status and code of a refusal, for a failure message."""
        said = self.json
        code = said.get("code", "") if isinstance(said, dict) else ""
        errors = said.get("errors", []) if isinstance(said, dict) else []
        return f"HTTP {self.status} {code} {errors or ''}".strip()


class Wire:
    """The service at an address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request, one answer; no redirects are followed."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            got = connection.getresponse()
            named: dict[str, str] = {}
            for name, value in got.getheaders():
                key = name.lower()
                named[key] = f"{named[key]}\n{value}" if key in named else value
            return Answer(got.status, named, got.read())
        finally:
            connection.close()


class Program:
    """Somebody with a bearer token, below ``/api/v1/``."""

    def __init__(self, wire: Wire, account: Account) -> None:
        self.wire, self.role, self._token = wire, account.role, account.token

    def __call__(
        self, method: str, path: str, given: Any = None, *, match: str = "", once: bool = False,
    ) -> Answer:
        """One request with a JSON body; ``match`` becomes If-Match."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "*/*"}
        body = None
        if given is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(given, ensure_ascii=False).encode()
        if match:
            headers["If-Match"] = match
        if once:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        return self.wire.send(method, f"/api/v1/{path}", headers=headers, body=body)

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Answer:
        """A multipart upload of one file."""
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: text/csv\r\n\r\n".encode() + content + b"\r\n"
        )
        return self.wire.send(
            "POST", f"/api/v1/{path}", body=b"".join(parts) + f"--{mark}--\r\n".encode(),
            headers={"Authorization": f"Bearer {self._token}",
                     "Content-Type": f"multipart/form-data; boundary={mark}"},
        )


class Person:
    """Somebody with a browser: cookies, forms, sign-in with the second factor."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        """One page."""
        return self._send("GET", path)

    def post(self, path: str, **fields: str | list[str]) -> Answer:
        """Fill in the form of a page and send it."""
        page = self.get(path).body.decode(errors="replace")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        hidden: dict[str, str | list[str]] = (
            {"csrfmiddlewaretoken": html.unescape(token[1])} if token else {}
        )
        return self._send("POST", path, {**hidden, **fields})

    def follow(self, answer: Answer) -> Answer:
        """Where a redirect leads, three steps at most."""
        for _ in range(3):
            if answer.status not in (301, 302, 303):
                break
            answer = self.get(urlsplit(answer.headers["location"]).path)
        return answer

    def sign_in(self, account: Account) -> Answer:
        """Password, then the six digits where the account has them; the page after it."""
        answer = self.post("/sign-in", username=account.username, password=account.password)
        if account.totp_secret and answer.headers.get("location", "").endswith("/sign-in/code"):
            answer = self.post("/sign-in/code", code=totp(account.totp_secret, time.time()))
        return answer

    def _send(
        self, method: str, path: str, fields: Mapping[str, str | list[str]] | None = None
    ) -> Answer:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items()),
                   "Origin": f"http://{self.wire.host}:{self.wire.port}",
                   "Host": f"{self.wire.host}:{self.wire.port}"}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields, doseq=True).encode()
        answer = self.wire.send(method, path, headers=headers, body=body)
        for line in answer.headers.get("set-cookie", "").split("\n"):
            name, found, rest = line.partition("=")
            if found:
                self._cookies[name.strip()] = rest.partition(";")[0]
        return answer
