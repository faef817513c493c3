"""The keys of codes, and the hosts that stand in them, from the settings.

Owns: the keyring of event codes and form tokens (one signing key per data key, derived), the
look-up digest of voucher codes, and the mark over rows of the ledger.  Refuses to hold a key:
everything is derived from ``settings.DATA_KEYS`` (file or environment; the newest signs).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings

from points.domain.keyring import Keyring
from registry.sealing import digest


def keyring() -> Keyring:
    """Every key that may still verify; the newest signs."""
    keys = {
        number: hmac.digest(root, b"tsunagari:event-codes", "sha256")
        for number, root in settings.DATA_KEYS.items()
    }
    return Keyring(keys, max(keys))


def code_host() -> str:
    """The host in printed codes, capitals (setting ``CODE_HOST``)."""
    return str(settings.CODE_HOST).upper()


def code_scheme() -> str:
    """HTTPS, except where the service itself runs without it (a demo on one machine)."""
    return "HTTP" if str(settings.PUBLIC_URL).startswith("http://") else "HTTPS"


def voucher_digest(code: str) -> bytes:
    """The look-up key of a voucher's code (32 bytes)."""
    return digest(code, purpose="voucher")


def field_digester() -> Callable[[str], bytes]:
    """A function to eight keyed bytes of one field of a request: to compare, not to read."""
    key = digest("fields", purpose="scan")

    def eight(value: str) -> bytes:
        return hashlib.blake2b(value.encode(), key=key, digest_size=8).digest()

    return eight


def marker(table: str) -> Callable[[list[Any]], bytes]:
    """A function from a row's values (JSON-able) to its 32-byte keyed mark.

    The key is derived once, so that marking thousands of rows stays cheap.
    """
    key = digest(table, purpose="ledger-mark")

    def mark(values: list[Any]) -> bytes:
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=str)
        return hmac.digest(key, text.encode(), hashlib.sha256)

    return mark
