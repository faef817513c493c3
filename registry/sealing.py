"""Keys, sealed fields, sealed files and digests: the one place that encrypts.

Owns AES-256-GCM sealing with key ids (rotation: the newest key seals, every listed key opens)
and keyed digests for look-ups.  Keys come from settings (file or environment), never from the
database.  Files are content-addressed, written with fsync before the row that names them.
Refuses to open what was altered or moved to another place (the context is authenticated).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from registry.domain.errors import Refused


class CannotOpen(Refused):
    """The sealed bytes were altered, moved, or their key is gone."""

    code = "cannot_open_sealed"
    message = "暗号化したデータを開けませんでした。"


def _derived(key_id: int, purpose: str) -> bytes:
    root = settings.DATA_KEYS.get(key_id)
    if root is None:
        raise CannotOpen
    return _below(root, purpose)


@lru_cache(maxsize=256)
def _below(root: bytes, purpose: str) -> bytes:
    """The key below a root key; a rotated root is another argument."""
    return hmac.digest(root, b"tsunagari:" + purpose.encode(), "sha256")


def seal(value: bytes, *, context: str) -> bytes:
    """Encrypt: key id (1 byte) ‖ nonce (12) ‖ ciphertext with tag; ``context`` must match."""
    key_id = max(settings.DATA_KEYS)
    nonce = secrets.token_bytes(12)
    body = AESGCM(_derived(key_id, "seal")).encrypt(nonce, value, context.encode())
    return bytes([key_id]) + nonce + body


def unseal(sealed: bytes | memoryview, *, context: str) -> bytes:
    """Decrypt what ``seal`` made in the same context.

    Raises:
        CannotOpen: altered bytes, another context, or an unknown key.
    """
    raw = bytes(sealed)
    try:
        return AESGCM(_derived(raw[0], "seal")).decrypt(raw[1:13], raw[13:], context.encode())
    except (InvalidTag, IndexError) as error:
        raise CannotOpen from error


def digest(value: str, *, purpose: str) -> bytes:
    """A keyed digest for look-ups of random secrets (32 bytes).  Stable under rotation:
    it uses the oldest key, which stays listed as long as digests made with it are in use."""
    key = _derived(min(settings.DATA_KEYS), "digest:" + purpose)
    return hmac.digest(key, value.encode(), "sha256")


def store(value: bytes, *, context: str) -> str:
    """Seal and write a file; the address is the digest of the plain bytes and the context."""
    address = hashlib.sha256(context.encode() + b"\0" + value).hexdigest()
    path = _path(address)
    if path.exists():
        return address
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(seal(value, context=context))
            target.flush()
            os.fsync(target.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return address


def fetch(address: str, *, context: str) -> bytes:
    """Read and open a stored file.

    Raises:
        CannotOpen: missing, altered, or asked for under another context.
    """
    try:
        return unseal(_path(address).read_bytes(), context=context)
    except FileNotFoundError as error:
        raise CannotOpen from error


def _path(address: str) -> Path:
    if len(address) != 64 or not all(c in "0123456789abcdef" for c in address):
        raise CannotOpen
    return Path(settings.FILE_STORE) / address[:2] / address


def sweep(named: set[str], *, older_than_seconds: float, now: float) -> int:
    """Remove stored files that no row names and that are old enough; returns how many."""
    removed = 0
    root = Path(settings.FILE_STORE)
    for path in root.glob("*/*"):
        stale = now - path.stat().st_mtime > older_than_seconds
        if path.name not in named and stale:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
